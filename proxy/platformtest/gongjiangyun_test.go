package platformtest_test

import (
	"regexp"
	"strings"
	"testing"

	"authproxy/proxy/platformtest"
)

var gongjiangyunTokenCall = call{"POST", "/oauth/token", []string{formType},
	"client_id=id&client_secret=secret&grant_type=client_credentials"}

func TestGongjiangyunTokenRequests(t *testing.T) {
	s := start(t, platformtest.NewGongjiangyun(platformtest.Options{}))
	form := func(body string) call { return call{"POST", "/oauth/token", []string{formType}, body} }
	good := gongjiangyunTokenCall
	s.table(t, []row{
		{"sample", good, 200, `"expires_in":43199`},
		{"charset", call{"POST", "/oauth/token", []string{formType + "; charset=utf-8"}, good.body}, 200, "bearer"},
		{"scope", form(good.body + "&scope="), 200, `"scope":""`},
		{"GET", call{"GET", "/oauth/token?" + good.body, nil, ""}, 400, "POST"},
		{"query", call{"POST", "/oauth/token?" + good.body, []string{formType}, ""}, 400, "query"},
		{"JSON", call{"POST", "/oauth/token", []string{jsonType}, "{}"}, 400, "Content-Type"},
		{"unknown", form(good.body + "&x=1"), 400, "x"},
		{"repeated", form(good.body + "&client_id=id"), 400, "client_id"},
		{"no grant", form("client_id=id&client_secret=secret"), 400, "grant_type"},
		{"other grant", form("client_id=id&client_secret=secret&grant_type=password"), 400, "unsupported_grant_type"},
		{"wrong secret", form("client_id=id&client_secret=x&grant_type=client_credentials"), 401, "invalid_client"},
		{"Basic", good.with(basic("id:secret")), 400, "Authorization"},
		{"User-Agent", good.with("User-Agent: x"), 400, "User-Agent"},
		{"Accept", good.with("Accept: */*"), 400, "Accept"},
		{"Accept-Encoding", good.with("Accept-Encoding: gzip"), 400, "Accept-Encoding"},
		{"Connection", good.with("Connection: keep-alive"), 400, "Connection"},
	})
	uuid := regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)
	if token := s.token(t, good); !uuid.MatchString(token) {
		t.Errorf("%q is no UUID", token)
	}
}

func TestGongjiangyunNewTokenKillsTheOld(t *testing.T) {
	s := start(t, platformtest.NewGongjiangyun(platformtest.Options{}))
	get := func(token string) call { return call{"GET", "/a", []string{"Authorization: bearer " + token}, ""} }
	old := s.token(t, gongjiangyunTokenCall)
	echo(t, s.do(t, get(old)))
	young := s.token(t, gongjiangyunTokenCall)
	s.table(t, []row{
		{"old", get(old), 401, "invalid_token"},
		{"young", get(young), 200, `"code":200`},
	})
	if live := s.LiveTokens(); len(live) != 1 || live[0] != young {
		t.Error("live tokens are not the young one")
	}
}

func TestGongjiangyunAPI(t *testing.T) {
	s := start(t, platformtest.NewGongjiangyun(platformtest.Options{}))
	token := s.token(t, gongjiangyunTokenCall)
	auth := "Authorization: bearer " + token
	good := call{"POST", "/xxx/xxxx", []string{formType + "; charset=utf-8", auth}, "a=b"}
	rows := []row{
		{"sample", good, 200, `"code":200`},
		{"chunked", call{"POST", "/x", []string{auth, "Transfer-Encoding: chunked\r\n\r\n0"}, ""}, 200, `"body_length":0`},
		{"Bearer", call{"GET", "/x", []string{"Authorization: Bearer " + token}, ""}, 401, "unauthorized"},
		{"two tokens", good.with(auth), 400, "Authorization"},
		{"none", call{"GET", "/x", nil, ""}, 401, "unauthorized"},
		{"unknown", call{"GET", "/x", []string{"Authorization: bearer x"}, ""}, 401, "invalid_token"},
		{"permission", call{"GET", "/x/forbidden", []string{auth}, ""}, 403, "access_denied"},
		{"rate", call{"GET", "/x/ratelimit", []string{auth}, ""}, 429, "too_many_requests"},
	}
	for _, h := range []string{"User-Agent: x", "Accept: */*", "Accept-Encoding: gzip", "Connection: keep-alive", "Connection: close",
		"X-Forwarded-For: 127.0.0.1", "X-Forwarded-Host: a", "Via: 1.1 x", "Cookie: a=b", "TE: trailers", "Origin: http://a", "Expect: 100-continue"} {
		name, _, _ := strings.Cut(h, ":")
		rows = append(rows, row{h, good.with(h), 400, strings.ToLower(name[:1])})
	}
	s.table(t, rows)
	if got := s.Counts(); got.Accepted != 2 || got.BadRequests != 13 || got.Refused != 3 || got.Denied != 2 {
		t.Errorf("counts: %+v", got)
	}
}

func TestGongjiangyunQuotesRefusedTokens(t *testing.T) {
	s := start(t, platformtest.NewGongjiangyun(platformtest.Options{}))
	token := s.token(t, gongjiangyunTokenCall)
	s.RevokeAll()
	c := call{"GET", "/a", []string{"Authorization: bearer " + token}, ""}
	if r := s.do(t, c); strings.Contains(r.body+r.header.Get("WWW-Authenticate"), token) {
		t.Error("quoted although not asked for")
	}
	s.SetQuoteRefused(true)
	if r := s.do(t, c); !strings.Contains(r.body, token) || !strings.Contains(r.header.Get("WWW-Authenticate"), token) {
		t.Error(r)
	}
}
