package platformtest_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"authproxy/proxy/platformtest"
)

var oauth2TokenCall = call{"POST", "/oauth2/token", []string{formType, basic("id:secret")}, "grant_type=client_credentials"}

func TestOAuth2TokenRequests(t *testing.T) {
	s := start(t, platformtest.NewOAuth2(platformtest.Options{Scopes: []string{"read", "write"}}))
	form := func(body string) call { return call{"POST", "/oauth2/token", []string{formType}, body} }
	good := oauth2TokenCall
	more := func(body string) call {
		c := good
		c.body += body
		return c
	}
	post := "grant_type=client_credentials&client_id=id&client_secret=secret"
	s.table(t, []row{
		{"basic", good, 200, `"token_type":"Bearer"`},
		{"basic in other case", call{"POST", "/oauth2/token", []string{formType, strings.Replace(basic("id:secret"), "Basic", "basic", 1)}, good.body}, 200, "Bearer"},
		{"basic with client_id", more("&client_id=id"), 200, "Bearer"},
		{"post", form(post), 200, `"expires_in":3600`},
		{"unknown is ignored", more("&audience=a"), 200, "Bearer"},
		{"scope", more("&scope=read+write"), 200, `"scope":"read write"`},
		{"empty scope counts as none", more("&scope="), 200, "Bearer"},
		{"scope not granted", more("&scope=admin"), 400, "invalid_scope"},
		{"scope with two spaces", more("&scope=read++write"), 400, "invalid_scope"},
		{"scope with a quote", more("&scope=%22"), 400, "invalid_scope"},
		{"both", more("&client_id=id&client_secret=secret"), 400, "invalid_request"},
		{"two clients", more("&client_id=other"), 400, "invalid_request"},
		{"two headers", good.with(basic("id:secret")), 400, "invalid_request"},
		{"repeated", more("&grant_type=client_credentials"), 400, "invalid_request"},
		{"no grant", form("client_id=id&client_secret=secret"), 400, "invalid_request"},
		{"other grant", form("grant_type=password&client_id=id&client_secret=secret"), 400, "unsupported_grant_type"},
		{"JSON", call{"POST", "/oauth2/token", []string{jsonType}, "{}"}, 400, "invalid_request"},
		{"query", call{"POST", "/oauth2/token?" + post, []string{formType}, ""}, 400, "invalid_request"},
		{"other query", call{"POST", "/oauth2/token?tenant=1", []string{formType}, post}, 200, "Bearer"},
		{"GET", call{"GET", "/oauth2/token?" + post, nil, ""}, 405, "invalid_request"},
		{"wrong secret", form("grant_type=client_credentials&client_id=id&client_secret=x"), 401, "invalid_client"},
		{"none", form("grant_type=client_credentials"), 401, "invalid_client"},
		{"not Basic", call{"POST", "/oauth2/token", []string{formType, "Authorization: Digest x"}, good.body}, 401, "invalid_client"},
	})
	if r := s.do(t, good); r.header.Get("Cache-Control") != "no-store" || r.header.Get("Pragma") != "no-cache" {
		t.Error(r.header)
	}
	if r := s.do(t, form("grant_type=client_credentials")); !strings.HasPrefix(r.header.Get("WWW-Authenticate"), "Basic ") {
		t.Error(r.header)
	}
}

func TestOAuth2WantsBasicFormEncoded(t *testing.T) {
	s := start(t, platformtest.NewOAuth2(platformtest.Options{ClientID: "a+b", ClientSecret: "100%:/ x"}))
	with := func(pair string) call {
		return call{"POST", "/oauth2/token", []string{formType, basic(pair)}, "grant_type=client_credentials"}
	}
	s.table(t, []row{
		{"encoded", with("a%2Bb:100%25%3A%2F+x"), 200, "access_token"},
		{"spaces as %20", with("a%2Bb:100%25%3A%2F%20x"), 200, "access_token"},
		{"raw", with("a+b:100%:/ x"), 401, "invalid_client"},
		{"raw id", with("a+b:100%25%3A%2F+x"), 401, "invalid_client"},
	})
	encoded := base64.StdEncoding.EncodeToString([]byte("a%2Bb:100%25%3A%2F+x"))
	if all := strings.Join(s.Secrets(), "\n"); !strings.Contains(all, encoded) || !strings.Contains(all, "100%:/ x") {
		t.Error("the credential's encodings are not among the secrets")
	}
}

func TestOAuth2API(t *testing.T) {
	s := start(t, platformtest.NewOAuth2(platformtest.Options{}))
	token := s.token(t, oauth2TokenCall)
	if !strings.ContainsAny(token, "+") || !strings.Contains(token, "/") || !strings.HasSuffix(token, "=") {
		t.Errorf("%q is too easy", token)
	}
	auth := "Authorization: Bearer " + token
	rows := []struct {
		row
		challenge string
	}{
		{row{"accepted", call{"GET", "/a//b/../%2e?x=%zz;y", []string{auth}, ""}, 200, `"path":"/a//b/../%2e"`}, ""},
		{row{"lower case", call{"GET", "/a", []string{"authorization: bearer " + token}, ""}, 200, "sha256"}, ""},
		{row{"none", call{"GET", "/a", nil, ""}, 401, ""}, `Bearer realm="platformtest"`},
		{row{"in the query", call{"GET", "/a?access_token=" + token, nil, ""}, 401, ""}, `Bearer realm="platformtest"`},
		{row{"in both", call{"GET", "/a?access_token=x", []string{auth}, ""}, 400, "invalid_request"}, `error="invalid_request"`},
		{row{"two", call{"GET", "/a", []string{auth, auth}, ""}, 400, "invalid_request"}, `error="invalid_request"`},
		{row{"malformed", call{"GET", "/a", []string{"Authorization: Bearer a b"}, ""}, 400, "invalid_request"}, `error="invalid_request"`},
		{row{"empty", call{"GET", "/a", []string{"Authorization: Bearer "}, ""}, 400, "invalid_request"}, `error="invalid_request"`},
		{row{"unknown", call{"GET", "/a", []string{"Authorization: Bearer x"}, ""}, 401, "invalid_token"}, `error="invalid_token"`},
		{row{"scope", call{"GET", "/a/forbidden", []string{auth}, ""}, 403, "insufficient_scope"}, `error="insufficient_scope"`},
		{row{"scope with 401", call{"GET", "/a/scope401", []string{auth}, ""}, 401, "insufficient_scope"}, `error="insufficient_scope"`},
		{row{"rate", call{"GET", "/a/ratelimit", []string{auth}, ""}, 429, ""}, ""},
	}
	for _, row := range rows {
		r := s.do(t, row.call)
		if r.status != row.status || !strings.Contains(r.body, row.want) || !strings.Contains(r.header.Get("WWW-Authenticate"), row.challenge) {
			t.Errorf("%s: got %d %v %s", row.name, r.status, r.header, r.body)
		}
	}
}
