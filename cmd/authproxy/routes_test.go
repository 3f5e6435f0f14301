package main_test

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"authproxy/cmd/authproxy/authproxytest"
	"authproxy/proxy/platformtest"
)

// TestTwoCredentialsOnOneBaseURL is a private installation of WeDa: its
// workflow takes the client's token, its data models a user's.
func TestTwoCredentialsOnOneBaseURL(t *testing.T) {
	t.Parallel()
	platform := platformtest.NewWeDaPrivate(platformtest.Options{})
	p := authproxytest.Start(t, `
tokens:
  workflow: { provider: weda-private, params: { base_url: "${WEDA}" }, client_id: id, client_secret: secret }
  datamodel: { provider: cloudbase-user, params: { base_url: "${WEDA}" }, username: user, password: password }
upstreams:
  - { name: workflow, token: workflow, path: /weda/workflow/ }
  - { name: datamodel, token: datamodel, path: /weda/odata/ }
`, "WEDA="+authproxytest.Serve(t, platform))
	base := p.Places["workflow"]
	for range 2 {
		for path, granted := range map[string]string{
			"/weda/workflow/v1/prod/DescribeInstanceApproverList": platformtest.GrantedClient,
			"/weda/odata/v1/prod/sys_user":                        platformtest.GrantedUser,
		} {
			if echo := authproxytest.EchoOf(t, authproxytest.Ask(t, http.MethodPost, base+path, "{}")); echo.Granted != granted || echo.Path != path {
				t.Errorf("%s: %+v", path, echo)
			}
		}
		platform.RevokeAll()
	}
	if got := platform.Counts(); got.SignIns != 1 || got.Refreshes != 1 || got.TokenRequests != 4 || got.BadRequests != 0 {
		t.Errorf("%+v", got)
	}
	if a := authproxytest.Ask(t, http.MethodGet, base+"/elsewhere", nil); a.Status != 404 || a.Code() != "no_route" {
		t.Errorf("%d %v", a.Status, a.Header)
	}
}

// hengshi starts the program before HENGSHI SENSE.
func hengshi(t *testing.T, more string) (*platformtest.Platform, *authproxytest.Program) {
	t.Helper()
	platform := platformtest.NewHengshi(platformtest.Options{})
	config := authproxytest.Dialects()["hengshi"].Config(authproxytest.Serve(t, platform))
	return platform, authproxytest.Start(t, strings.Replace(config, "token: main,", "token: main, "+more, 1))
}

// trespass are queries by which a client could act for somebody else.
func trespass() []string {
	names := []string{"sudo", "tenantId", "tenantCode", "access_token", "%73udo", "s%75d%6f", "tenant%49d", "t%65nantCode", "access%5Ftoken", "%61ccess_token"}
	var all []string
	for _, name := range names {
		all = append(all, name+"=uid:1", name, "a=1&"+name+"=uid:1&b=2", name+"=uid:1&"+name+"=uid:2", "a=1;"+name+"=uid:1", "&&"+name+"=")
	}
	return all
}

func TestSudoIsTheOperatorsAlone(t *testing.T) {
	t.Parallel()
	platform, p := hengshi(t, "")
	fixed, q := hengshi(t, `query: { set: { sudo: "loginName:report", tenantCode: "acme" } },`)
	for _, query := range trespass() {
		if echo := authproxytest.EchoOf(t, authproxytest.Ask(t, http.MethodGet, p.URL+"/api/x?"+query, nil)); echo.User != "" || echo.Tenant != "" || strings.Contains(echo.Query, "uid") {
			t.Errorf("%s got through: %+v", query, echo)
		}
		if echo := authproxytest.EchoOf(t, authproxytest.Ask(t, http.MethodGet, q.URL+"/api/x?"+query, nil)); echo.User != "loginName:report" || echo.Tenant != "tenantCode:acme" {
			t.Errorf("%s: %+v", query, echo)
		}
	}
	if a, b := platform.Counts(), fixed.Counts(); a.BadRequests+b.BadRequests+a.Refused+b.Refused != 0 {
		t.Errorf("%+v, %+v", a, b)
	}
	if uri := fixed.LastAPIRequest().RequestURI; !strings.HasSuffix(uri, "sudo=loginName:report&tenantCode=acme") {
		t.Errorf("the platform got %s", uri)
	}
}

func TestSudoFromAHeader(t *testing.T) {
	t.Parallel()
	platform, p := hengshi(t, `query: { set: { sudo: "loginName:{header.X-Sudo-User}" } },`)
	for name, want := range map[string]string{"alice": "loginName:alice", "a b&sudo=uid:1": "loginName:a b&sudo=uid:1", "工匠": "loginName:工匠", "": ""} {
		var header []string
		if name != "" {
			header = []string{"X-Sudo-User", name}
		}
		echo := authproxytest.EchoOf(t, authproxytest.Ask(t, http.MethodGet, p.URL+"/api/x?a=1&sudo=uid:1", nil, header...))
		if echo.User != want || !strings.HasPrefix(echo.Query, "a=1") {
			t.Errorf("%q: %+v", name, echo)
		}
		if seen := platform.LastAPIRequest().Header; seen.Get("X-Sudo-User") != "" {
			t.Errorf("the header went on: %v", seen)
		}
	}
}

func TestTheTokenInTheQuery(t *testing.T) {
	t.Parallel()
	platform, p := hengshi(t, "inject: { query: access_token },")
	for _, query := range append(trespass(), "", "a=1;b=2&c=%zz") {
		a := authproxytest.Ask(t, http.MethodGet, p.URL+"/api/x?"+query, nil, "Authorization", "Basic bWluZTptaW5l")
		if query == "" || strings.HasPrefix(query, "a=1;b") {
			// The platform wants the token in one place, and Authorization is the
			// client's own affair when the token does not go there.
			if a.Status != http.StatusBadRequest {
				t.Errorf("%q: %d %s", query, a.Status, a.Body)
			}
		}
		echo := authproxytest.EchoOf(t, authproxytest.Ask(t, http.MethodGet, p.URL+"/api/x?"+query, nil))
		if strings.Count(echo.Query, "access_token") != 1 || echo.User != "" {
			t.Errorf("%q: %+v", query, echo)
		}
		if seen := platform.LastAPIRequest(); seen.Header.Get("Authorization") != "" {
			t.Errorf("%q: the token is in the header too", query)
		}
	}
	platform.RevokeAll()
	before := platform.Counts()
	echo := authproxytest.EchoOf(t, authproxytest.Ask(t, http.MethodPost, p.URL+"/api/x?q=1", "{}"))
	if got := platform.Counts(); echo.Query != "q=1&access_token=***" || got.TokenRequests != before.TokenRequests+1 {
		t.Errorf("%+v, %+v", echo, got)
	}
}

// TestTheMostSpecificUpstreamWins: own listener, then Host, then the longest path.
func TestTheMostSpecificUpstreamWins(t *testing.T) {
	t.Parallel()
	token := authproxytest.Serve(t, platformtest.NewOAuth2(platformtest.Options{}))
	names := []string{"own", "host", "hostpath", "path", "longer", "rest"}
	keys := map[string]string{"own": "listen: 127.0.0.1:0", "host": "hosts: [a.local, b.local]", "hostpath": "hosts: [a.local], path: /x/",
		"path": "path: /x/, strip_path: true", "longer": "path: /x/y", "rest": "path: /"}
	_, tokens, _ := strings.Cut(strings.Split(authproxytest.Dialects()["oauth2"].Config(token), "\n")[0], "tokens: ")
	config := "allowed_hosts: [other.local]\ntokens: " + tokens + "\nupstreams:\n"
	for _, name := range names {
		upstream := authproxytest.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = fmt.Fprint(w, name, " ", r.RequestURI) }))
		config += "  - { name: " + name + ", token: main, url: " + strconv.Quote(upstream) + ", " + keys[name] + " }\n"
	}
	p := authproxytest.Start(t, config)
	shared := p.Places["rest"]
	for _, c := range []struct{ base, host, path, want string }{
		{p.Places["own"], "", "/x/y", "own /x/y"},
		{shared, "", "/", "rest /"},
		{shared, "", "/x", "path /"},
		{shared, "", "/x/z?q", "path /z?q"},
		{shared, "", "/xx/", "rest /xx/"},
		{shared, "", "/x/y", "longer /x/y"},
		{shared, "", "/x/y/z", "longer /x/y/z"},
		{shared, "", "/x/yz", "path /yz"},
		{shared, "a.local", "/", "host /"},
		{shared, "A.LOCAL:8080", "/x/y", "hostpath /x/y"},
		{shared, "b.local", "/x/y", "host /x/y"},
		{shared, "b.local.:80", "/x/y", "host /x/y"},
		{shared, "other.local", "/x/y", "longer /x/y"},
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, c.base+c.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Host = c.host
		if a, err := authproxytest.Do(authproxytest.Client, req); a.Body != c.want {
			t.Errorf("Host %q, %s: %q, %v, want %q", c.host, c.path, a.Body, err, c.want)
		}
	}
}
