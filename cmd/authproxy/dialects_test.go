package main_test

import (
	"strconv"
	"strings"

	"authproxy/proxy/platformtest"
)

// apiPath is an API on every platform.
const apiPath = "/weda/workflow/v1/prod/list"

type dialect struct {
	simulate func(platformtest.Options) *platformtest.Platform
	token    string // the block of the token
	inQuery  bool   // the token may go into the query
}

func (d dialect) config(base string) string {
	token := strings.ReplaceAll(d.token, "BASE", base)
	return "tokens: { main: { " + token + " } }\nupstreams: [ { name: main, token: main, url: " + strconv.Quote(base) + " } ]\n"
}

func dialects() map[string]dialect {
	const client = `, client_id: "id", client_secret: "secret"`
	return map[string]dialect{
		"weda":           {simulate: platformtest.NewWeDa, token: `provider: weda, params: { base_url: "BASE" }` + client},
		"weda-private":   {simulate: platformtest.NewWeDaPrivate, token: `provider: weda-private, params: { base_url: "BASE" }` + client},
		"cloudbase-user": {simulate: platformtest.NewCloudBase, token: `provider: cloudbase-user, params: { base_url: "BASE", client_id: "id" }, username: "user", password: "password"`},
		"hengshi":        {simulate: platformtest.NewHengshi, token: `provider: hengshi, params: { base_url: "BASE" }` + client, inQuery: true},
		"gongjiangyun":   {simulate: platformtest.NewGongjiangyun, token: `provider: gongjiangyun, params: { base_url: "BASE" }` + client},
		"oauth2":         {simulate: platformtest.NewOAuth2, token: `provider: oauth2, token_url: "BASE/oauth2/token"` + client},
	}
}

// impatient shortens the time that a token request may take.
func impatient(config string) string {
	return strings.Replace(config, "provider:", "timeout: 500ms, provider:", 1)
}
