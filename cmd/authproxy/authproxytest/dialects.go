package authproxytest

import (
	"strconv"
	"strings"

	"authproxy/proxy/platformtest"
)

// APIPath is an API on every platform.
const APIPath = "/weda/workflow/v1/prod/list"

// Dialect is a platform and the configuration that an operator would write for it.
type Dialect struct {
	// Simulate returns the platform; its credentials are those of the
	// configuration as long as the options name no others.
	Simulate func(platformtest.Options) *platformtest.Platform
	// InQuery tells that the platform takes the token in the query as well.
	InQuery bool

	token string // the block of the token; BASE stands for the URL of the platform
}

// Config returns a configuration whose one upstream and one token, both called
// main, are those of the platform at the URL base.
func (d Dialect) Config(base string) string {
	token := strings.ReplaceAll(d.token, "BASE", base)
	return "tokens: { main: { " + token + " } }\nupstreams: [ { name: main, token: main, url: " + strconv.Quote(base) + " } ]\n"
}

// Dialects returns every platform, by the name of its preset.
func Dialects() map[string]Dialect {
	const client = `, client_id: "id", client_secret: "secret"`
	return map[string]Dialect{
		"weda":           {Simulate: platformtest.NewWeDa, token: `provider: weda, params: { base_url: "BASE" }` + client},
		"weda-private":   {Simulate: platformtest.NewWeDaPrivate, token: `provider: weda-private, params: { base_url: "BASE" }` + client},
		"cloudbase-user": {Simulate: platformtest.NewCloudBase, token: `provider: cloudbase-user, params: { base_url: "BASE", client_id: "id" }, username: "user", password: "password"`},
		"hengshi":        {Simulate: platformtest.NewHengshi, token: `provider: hengshi, params: { base_url: "BASE" }` + client, InQuery: true},
		"gongjiangyun":   {Simulate: platformtest.NewGongjiangyun, token: `provider: gongjiangyun, params: { base_url: "BASE" }` + client},
		"oauth2":         {Simulate: platformtest.NewOAuth2, token: `provider: oauth2, token_url: "BASE/oauth2/token"` + client},
	}
}

// Impatient shortens the time that the token request of a configuration of
// [Dialect.Config] may take, to half a second.
func Impatient(config string) string {
	return strings.Replace(config, "provider:", "timeout: 500ms, provider:", 1)
}
