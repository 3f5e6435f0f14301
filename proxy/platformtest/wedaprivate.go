package platformtest

import (
	"net/http"
	"time"
)

// NewWeDaPrivate simulates WeDa in a private deployment: one address with two
// kinds of token (WeDa private, 4.1). Data models and storage, below
// /weda/odata/, /weda/storage/ and /v1/storages/, want a user's token; all
// else below /weda/, such as /weda/workflow/, wants one of the client. The
// client's comes from POST /auth/v1/token/clientCredential (1.2.2), a user's
// from the endpoints of [NewCloudBase]. When Options.Lifetime is zero the
// client's tokens live 259200 s as in the sample of 1.2.2, a user's 7200 s. The
// paths of the storage are the simulation's choice; their bodies may be of any type.
func NewWeDaPrivate(o Options) *Platform {
	endpoints := cloudBaseEndpoints()
	endpoints[wedaTokenPath] = endpoint{issues: true, serve: (*Platform).wedaToken}
	return newPlatform(o, dialect{
		tokenPath:     wedaTokenPath,
		endpoints:     endpoints,
		judge:         judgeWeDaPrivate,
		denials:       wedaDenials(),
		wrap:          bareEcho,
		newToken:      func() string { return newJWT(0) },
		lifetimes:     map[string]time.Duration{GrantedClient: 259200 * time.Second, GrantedUser: cloudBaseLifetime},
		refusalStatus: http.StatusOK,
		secrets:       func(o Options) []string { return append(clientSecrets(o), userSecrets(o)...) },
	})
}

func judgeWeDaPrivate(p *Platform, r *http.Request) (pass, *answer) {
	models, storage := []string{"/weda/odata/"}, []string{"/weda/storage/", "/v1/storages/"}
	switch {
	case hasAnyPrefix(rawPath(r), models):
		return p.judgeTencent(r, wedaRules{roots: models, kind: GrantedUser, json: true})
	case hasAnyPrefix(rawPath(r), storage):
		return p.judgeTencent(r, wedaRules{roots: storage, kind: GrantedUser})
	}
	return p.judgeTencent(r, wedaRules{roots: []string{wedaRoot}, kind: GrantedClient, json: true})
}
