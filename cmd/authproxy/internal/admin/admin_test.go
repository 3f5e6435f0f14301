package admin

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"
)

type answer struct {
	status int
	header http.Header
	body   string
}

// ask sends one request to a real server that serves o.
func ask(t *testing.T, o Options, method, target, host string) answer {
	t.Helper()
	server := httptest.NewServer(New(o))
	defer server.Close()
	req, err := http.NewRequestWithContext(t.Context(), method, server.URL+target, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Host = host
	resp, err := server.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{resp.StatusCode, resp.Header, string(body)}
}

func full() Options {
	return Options{
		Metrics: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/plain; version=0.0.4")
			_, _ = io.WriteString(w, "authproxy_build_info 1\n")
		}),
		Ready: func() error { return nil },
		Tokens: func() []TokenStatus {
			return []TokenStatus{
				{Name: "weda", Fingerprint: "1a2b3c4d", Expiry: time.Now().Add(time.Hour), InUse: true},
				{Name: "erp", Err: errors.New("401 from the platform:\nok\nno such client")},
			}
		},
	}
}

func profiled() Options {
	o := full()
	o.Pprof = true
	return o
}

func guarded() Options {
	o := profiled()
	o.Guard = func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(421) })
	}
	return o
}

func draining() Options {
	o := full()
	o.Ready = func() error { return errors.New("shutting down") }
	return o
}

func TestAnswers(t *testing.T) {
	const endpoints = "not found: there is /livez, /readyz, /metrics\n"
	tests := []struct {
		name           string
		options        Options
		method, target string
		status         int
		body           string
	}{
		{"alive", full(), "GET", "/livez", 200, "ok\n"},
		{"alive while draining", draining(), "GET", "/livez", 200, "ok\n"},
		{"alive, HEAD", full(), "HEAD", "/livez", 200, ""},
		{"ready", full(), "GET", "/readyz", 200, "ok\n"},
		{"ready, HEAD", full(), "HEAD", "/readyz?verbose", 200, ""},
		{"not ready", draining(), "GET", "/readyz", 503, "not ready: shutting down\n"},
		{"not ready, HEAD", draining(), "HEAD", "/readyz", 503, ""},
		{"metrics", full(), "GET", "/metrics", 200, "authproxy_build_info 1\n"},
		{"metrics, HEAD", full(), "HEAD", "/metrics", 200, ""},
		{"metrics while draining", draining(), "GET", "/metrics", 200, "authproxy_build_info 1\n"},
		{"unknown path", full(), "GET", "/debug/pprof/cmdline", 404, endpoints},
		{"profiles, the command line", profiled(), "GET", "/debug/pprof/cmdline", 404, "404 page not found\n"},
		{"profiles, by another Host", guarded(), "GET", "/debug/pprof/", 421, ""},
		{"root", full(), "GET", "/", 404, endpoints},
		{"trailing slash", full(), "GET", "/readyz/", 404, endpoints},
		{"unknown path, POST", full(), "POST", "/quit", 404, endpoints},
		{"POST", full(), "POST", "/readyz", 405, "method not allowed: use GET or HEAD\n"},
		{"DELETE", full(), "DELETE", "/metrics", 405, "method not allowed: use GET or HEAD\n"},
		{"OPTIONS", full(), "OPTIONS", "/livez", 405, "method not allowed: use GET or HEAD\n"},
		{"unknown method", full(), "BREW", "/livez", 405, "method not allowed: use GET or HEAD\n"},
		{"zero options", Options{}, "GET", "/readyz?verbose", 200, "ok\n"},
		{"zero options, no metrics", Options{}, "GET", "/metrics", 404, "not found: there is /livez, /readyz\n"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := ask(t, test.options, test.method, test.target, "")
			if got.status != test.status || got.body != test.body {
				t.Errorf("%d %q, want %d %q", got.status, got.body, test.status, test.body)
			}
			if allow := got.header.Get("Allow"); (got.status == http.StatusMethodNotAllowed) != (allow == "GET, HEAD") {
				t.Errorf("%d with Allow: %q", got.status, allow)
			}
			checkHeaders(t, got.header)
		})
	}
}

func TestProfiles(t *testing.T) {
	for target, want := range map[string]string{
		"/debug/pprof/":                  "Types of profiles available",
		"/debug/pprof/goroutine?debug=1": "goroutine profile: total ",
		"/debug/pprof/allocs":            "",
	} {
		if got := ask(t, profiled(), "GET", target, ""); got.status != 200 || !strings.Contains(got.body, want) {
			t.Errorf("%s: %d %.100q", target, got.status, got.body)
		}
	}
}

func checkHeaders(t *testing.T, h http.Header) {
	t.Helper()
	if got := h.Get("Content-Type"); !strings.HasPrefix(got, "text/plain") {
		t.Errorf("Content-Type: %q", got)
	}
	if got := h.Get("X-Content-Type-Options"); got != "nosniff" {
		t.Errorf("X-Content-Type-Options: %q", got)
	}
	if got := h.Get("Cache-Control"); got != "no-store" {
		t.Errorf("Cache-Control: %q", got)
	}
}

func TestProbesAnswerAnyHost(t *testing.T) {
	for _, target := range []string{"/livez", "/readyz", "/metrics"} {
		for _, host := range []string{"10.1.2.3:9090", "[fd00::1]:9090", "pod.cluster.local", "evil.example"} {
			if got := ask(t, full(), http.MethodGet, target, host); got.status != http.StatusOK {
				t.Errorf("%s for Host %s: %d", target, host, got.status)
			}
		}
	}
}

func TestVerboseListsTokensByName(t *testing.T) {
	lines := strings.Split(ask(t, full(), http.MethodGet, "/readyz?verbose", "").body, "\n")
	want := []string{
		`ok`,
		`token="erp" fingerprint=- expires_in=- in_use=false last_error="401 from the platform:\\nok\\nno such client"`,
		`token="weda" fingerprint=1a2b3c4d expires_in=35\d\d in_use=true last_error=""`,
		``,
	}
	if len(lines) != len(want) {
		t.Fatalf("%d lines, want %d:\n%s", len(lines), len(want), strings.Join(lines, "\n"))
	}
	for i, pattern := range want {
		if !regexp.MustCompile("^" + pattern + "$").MatchString(lines[i]) {
			t.Errorf("line %d is\n%s\nwant\n%s", i, lines[i], pattern)
		}
	}
}

func TestVerboseListsTokensWhenNotReady(t *testing.T) {
	got := ask(t, draining(), http.MethodGet, "/readyz?verbose=1", "")
	if got.status != http.StatusServiceUnavailable || !strings.Contains(got.body, `token="weda"`) {
		t.Errorf("%d %s", got.status, got.body)
	}
}

func TestExpiredTokenCountsBelowZero(t *testing.T) {
	line := TokenStatus{Name: "weda", Fingerprint: "1a2b", Expiry: time.Now().Add(-90 * time.Second)}.String()
	if !strings.Contains(line, " expires_in=-90 ") {
		t.Error(line)
	}
}
