package door

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"authproxy/proxy"
)

// spoofs are the fields by which a proxy before another tells that what a
// client asked for. There is none before us, so whoever sends them is guessing.
// X-Original-URL and X-Rewrite-URL are not among them: access rules refuse them.
func spoofs(host, path string) http.Header {
	all := http.Header{}
	for _, name := range []string{"X-Forwarded-Host", "X_Forwarded_Host", "X-Forwarded-Server", "X-Original-Host", "X-Host"} {
		all[name] = []string{host}
	}
	for _, name := range []string{"X-Forwarded-Uri", "X_Forwarded_Uri", "X-Original-Uri", "X-Forwarded-Prefix", "X-Forwarded-Path"} {
		all[name] = []string{path}
	}
	for _, name := range []string{"X-Forwarded-For", "X_Forwarded_For", "X-Real-Ip", "X-Client-Ip", "True-Client-Ip"} {
		all[name] = []string{"127.0.0.1"}
	}
	for _, name := range []string{"X-Forwarded-Proto", "X_Forwarded_Proto", "X-Forwarded-Scheme", "X-Url-Scheme"} {
		all[name] = []string{"https"}
	}
	all["X-Forwarded-Port"], all["X-Forwarded-Ssl"], all["Front-End-Https"] = []string{"443"}, []string{"on"}, []string{"on"}
	all["X-Forwarded-Method"], all["X-Original-Method"] = []string{"GET"}, []string{"GET"}
	all["Forwarded"] = []string{"for=127.0.0.1;proto=https;host=" + host}
	return all
}

// TestNoHeaderOfTheClientIsTrusted: whom the guard lets in, which upstream
// gets a request, what access rules say of it and where the client finds a
// Location goes by the request itself, under whatever name other proxies would
// look for something else (CVE-2025-64484).
func TestNoHeaderOfTheClientIsTrusted(t *testing.T) {
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", "http://"+r.Host+"/next")
	}))
	defer upstream.Close()
	target, err := url.Parse(upstream.URL)
	if err != nil {
		t.Fatal(err)
	}
	open := newProxy(t, proxy.Options{Target: target, Transport: &http.Transport{},
		Access: []proxy.Access{{Methods: []string{"GET"}, Paths: []string{"/open"}, Hosts: []string{"open.local"}}}})
	other := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	h := NewGuard(Guard{Hosts: []string{"open.local", "other.local"}}, NewRouter([]Route{
		{Hosts: []string{"open.local"}, Path: "/", Handler: open}, {Hosts: []string{"other.local"}, Handler: other},
	}))
	for _, c := range []struct{ method, host, path, want string }{
		{"GET", "open.local", "/open", "200  http://open.local/next"},
		{"GET", "evil.example", "/open", "421 host_not_allowed "},
		{"GET", "localhost", "/open", "404 no_route "},
		{"GET", "other.local", "/open", "418  "},
		{"GET", "open.local", "/closed", "403 not_allowed "},
		{"DELETE", "open.local", "/open", "403 not_allowed "},
	} {
		r := httptest.NewRequest(c.method, c.path, nil)
		r.Host, r.Header = c.host, spoofs("open.local", "/open")
		if c.want[0] == '2' {
			r.Header = spoofs("other.local", "/closed")
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if got := fmt.Sprint(w.Code, " ", w.Header().Get("X-Authproxy-Error"), " ", w.Header().Get("Location")); got != c.want {
			t.Errorf("%s http://%s%s: %s, want %s", c.method, c.host, c.path, got, c.want)
		}
	}
}
