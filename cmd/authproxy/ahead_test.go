package main_test

import (
	"crypto/tls"
	"net/http/httptest"
	"strings"
	"testing"

	"authproxy/cmd/authproxy/authproxytest"
	"authproxy/proxy/platformtest"
)

// TestTokenBeforeTheFirstRequest: a token is asked for at start, once, where that kills
// nobody else's, and wrong credentials are told of before the first request.
func TestTokenBeforeTheFirstRequest(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		dialect, secret, more string
		token                 bool
		told                  string
	}{
		"by default":        {"weda-private", "secret", "", true, "new token"},
		"wrong credentials": {"weda-private", "wrong", "", true, "client_secret"},
		"turned off":        {"weda-private", "secret", "prefetch: false, ", false, "sandbox"},
		"where it kills":    {"gongjiangyun", "secret", "", false, "sandbox"},
		"asked for":         {"gongjiangyun", "secret", "prefetch: true, ", true, "new token"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dialect := authproxytest.Dialects()[c.dialect]
			platform := dialect.Simulate(platformtest.Options{ClientID: "id", ClientSecret: c.secret})
			config := strings.Replace(dialect.Config(authproxytest.Serve(t, platform)), "provider:", c.more+"provider:", 1)
			p := authproxytest.Start(t, config)
			if !p.Stderr.Await(c.told) {
				t.Errorf("%q is not in the log:\n%s", c.told, p.Stderr)
			}
			authproxytest.Ask(t, "GET", p.Admin+"/readyz", nil) // what is asked for at start has begun by now
			if got := platform.Counts().TokenRequests; (got == 1) != c.token || got > 1 {
				t.Errorf("%d token requests", got)
			}
			if c.secret == "secret" {
				p.Good(t)
				if got := platform.Counts().TokenRequests; got != 1 {
					t.Errorf("%d token requests with the first request", got)
				}
			}
		})
	}
}

// TestUpstreamsBeforeTheFirstRequest: one that cannot be reached is told of by name, with
// the reason; one that can is not.
func TestUpstreamsBeforeTheFirstRequest(t *testing.T) {
	t.Parallel()
	platform := authproxytest.Serve(t, platformtest.NewOAuth2(platformtest.Options{}))
	secure := httptest.NewTLSServer(nil)
	t.Cleanup(secure.Close)
	for url, want := range map[string]string{
		authproxytest.Nobody:            "nothing listens at ",
		"https://platform.invalid":      "the name \\\"platform.invalid\\\"",
		secure.URL:                      "tls.ca_file",
		"unix:" + t.TempDir() + "/none": "there is no socket ",
	} {
		p := authproxytest.Start(t, authproxytest.OAuth2(platform, url))
		if !p.Stderr.Await("an upstream cannot be reached now") || !p.Stderr.Await("upstream=main") || !p.Stderr.Await(want) {
			t.Errorf("%s: not told of, or without %q: %s", url, want, p.Stderr)
		}
	}
}

// TestUnusedProxyOfTheEnvironment: it is told of, without its password, where it would be
// used by others, and not otherwise.
func TestUnusedProxyOfTheEnvironment(t *testing.T) {
	t.Parallel()
	const config = `tokens: { main: { token_url: "https://id.example/t", client_id: i, client_secret: s, prefetch: false } }
upstreams: [ { name: api, token: main, url: "https://api.example" } ]
`
	for name, c := range map[string]struct {
		config string
		env    []string
		want   string
	}{
		"none":         {config, []string{"HTTPS_PROXY=", "https_proxy=", "NO_PROXY="}, ""},
		"one":          {config, []string{"HTTPS_PROXY=http://u:pa55@proxy.example:3128", "NO_PROXY="}, "HTTPS_PROXY is set in the environment, and is not used"},
		"small":        {config, []string{"https_proxy=http://u:pa55@proxy.example:3128", "NO_PROXY="}, "https_proxy is set"},
		"not for them": {config, []string{"HTTPS_PROXY=http://u:pa55@proxy.example:3128", "NO_PROXY=.example"}, ""},
		"given": {strings.ReplaceAll(strings.ReplaceAll(config, "prefetch: false", `proxy_url: "http://127.0.0.1:1", prefetch: false`), `"https://api.example"`, `"https://api.example", proxy_url: "http://127.0.0.1:1"`),
			[]string{"HTTPS_PROXY=http://u:pa55@proxy.example:3128", "NO_PROXY="}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := authproxytest.Start(t, c.config, c.env...)
			p.Stderr.Await("cannot be reached now") // which comes later
			got := p.Stderr.String()
			if (c.want == "") == strings.Contains(got, "is set in the environment") || !strings.Contains(got, c.want) {
				t.Errorf("%s", got)
			}
			if c.want != "" && !strings.Contains(got, "tokens.main, upstream api") {
				t.Errorf("who is without it is not told: %s", got)
			}
			if strings.Contains(got, "pa55") {
				t.Errorf("the password is told: %s", got)
			}
		})
	}
}

// TestTLSToAPlainListener: an application that was given https:// is told of, and counted.
func TestTLSToAPlainListener(t *testing.T) {
	t.Parallel()
	url := authproxytest.Serve(t, platformtest.NewOAuth2(platformtest.Options{}))
	p := authproxytest.Start(t, authproxytest.OAuth2(url, url))
	for range 3 {
		if _, err := tls.Dial("tcp", strings.TrimPrefix(p.URL, "http://"), &tls.Config{InsecureSkipVerify: true}); err == nil {
			t.Fatal("TLS was spoken")
		}
	}
	if want := "TLS is spoken to " + p.URL + ", where plain HTTP is served"; !p.Stderr.Await(want) || strings.Count(p.Stderr.String(), want) != 1 {
		t.Errorf("not told of, or more than once: %s", p.Stderr)
	}
	authproxytest.Eventually(t, "the connections to be counted", func() bool {
		return p.Series(t)[`authproxy_rejected_requests_total{reason="not_http"}`] == 3
	})
	p.Good(t)
}
