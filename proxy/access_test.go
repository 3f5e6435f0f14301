package proxy

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// TestAccess goes through the whole handler: what decides is the path that
// the upstream sees.
func TestAccess(t *testing.T) {
	rules := []Access{{Methods: []string{"GET"}, Paths: []string{"/v2/orders/**"}, Hosts: []string{"app.local"}}, {Methods: []string{"POST"}, Paths: []string{"/v2/batch"}}}
	var seen string
	f := newFront(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { seen = r.RequestURI }), nil)
	upstream := f.upstream.URL
	f = newFront(t, nil, func(o *Options) {
		o.Target, _ = url.Parse(upstream + "/v2/")
		o.StripPrefix, o.Access = "/shop/", rules
	})
	for _, c := range []struct {
		name, method, path, host string
		override                 string
		want                     Code
		hint                     string
	}{
		{name: "listed", method: "GET", path: "/shop/orders/1?q=/../;", host: "App.local:8080"},
		{name: "another path", method: "GET", path: "/shop/users", host: "app.local", want: CodeNotAllowed},
		{name: "the client's spelling of the path", method: "GET", path: "/v2/orders/1", host: "app.local", want: CodeNotAllowed},
		{name: "another host", method: "GET", path: "/shop/orders/1", host: "b.local", want: CodeNotAllowed},
		{name: "another method", method: "DELETE", path: "/shop/orders/1", host: "app.local", want: CodeNotAllowed},
		{name: "HEAD is not GET", method: "HEAD", path: "/shop/orders/1", host: "app.local", want: CodeNotAllowed},
		{name: "any host", method: "POST", path: "/shop/batch", host: "b.local"},
		{name: "a method named in a header", method: "POST", path: "/shop/batch", host: "b.local", override: "DELETE", want: CodeNotAllowed},
		{name: "the same method named twice", method: "POST", path: "/shop/batch", host: "b.local", override: "post"},
		{name: "dots", method: "GET", path: "/shop/orders/../users", host: "app.local", want: CodeAmbiguousPath},
		{name: "encoded dots", method: "GET", path: "/shop/orders/%2e%2e/users", host: "app.local", want: CodeAmbiguousPath},
		{name: "a path in GBK", method: "GET", path: "/shop/orders/%B9%A4", host: "app.local", want: CodeAmbiguousPath, hint: "UTF-8"},
		{name: "two slashes", method: "GET", path: "/shop//orders/1", host: "app.local", want: CodeAmbiguousPath},
		{name: "ambiguous and not allowed", method: "DELETE", path: "/x/..", host: "b.local", want: CodeAmbiguousPath},
	} {
		seen = ""
		line := c.method + " " + c.path + " HTTP/1.1\r\nHost: " + c.host + "\r\nX-HTTP_Method-Override: " + c.override + "\r\nConnection: close\r\n\r\n"
		if c.override == "" {
			line = strings.Replace(line, "X-HTTP_Method-Override: \r\n", "", 1)
		}
		resp, body := f.exchange(t, line)
		if got := Code(resp.Header.Get("X-Authproxy-Error")); got != c.want || (seen == "") != (c.want != "") || !strings.Contains(body, c.hint) {
			t.Errorf("%s: %q %s, the upstream saw %q", c.name, got, body, seen)
		}
		if rec := <-f.records.arrived; rec.Rejected != c.want {
			t.Errorf("%s: recorded %q", c.name, rec.Rejected)
		}
	}
}

func TestAccessJudgesThePathThatCounts(t *testing.T) {
	for name, c := range map[string]struct {
		headers Headers
		want    Code
	}{
		"it passes": {want: CodeAmbiguousPath}, "it is dropped": {headers: Headers{Drop: []string{"X-Original-URL"}}},
		"others are allowed": {headers: Headers{Allow: []string{"Accept"}}}, "it is allowed": {headers: Headers{Allow: []string{"x-original-url"}}, want: CodeAmbiguousPath},
	} {
		f := newFront(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), func(o *Options) {
			o.Access, o.Headers = []Access{{Paths: []string{"/public/**"}}}, c.headers
		})
		resp, body := f.exchange(t, "GET /public/x HTTP/1.1\r\nHost: x\r\nX_Original-URL: /admin\r\n\r\n")
		if got := Code(resp.Header.Get("X-Authproxy-Error")); got != c.want {
			t.Errorf("%s: %q %s", name, got, body)
		}
	}
}

// TestAccessJudgesTrailers: one that overrides the method or the path comes when it
// cannot be judged any more.
func TestAccessJudgesTrailers(t *testing.T) {
	for name, want := range map[string]Code{"x-http-method-override": CodeAmbiguousPath, "X_Original_URL": CodeAmbiguousPath, "X-Sum": ""} {
		sent := ""
		f := newFront(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			sent = fmt.Sprint(r.Trailer)
		}), func(o *Options) { o.Access = []Access{{Methods: []string{"POST"}}} })
		for _, announced := range []string{"Trailer: " + name + "\r\n", ""} {
			resp, body := f.exchange(t, "POST /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"+announced+"\r\n1\r\nx\r\n0\r\n"+name+": DELETE\r\n\r\n")
			if got := Code(resp.Header.Get("X-Authproxy-Error")); announced != "" && got != want {
				t.Errorf("%s: %q %s", name, got, body)
			}
			if want != "" && strings.Contains(sent, "DELETE") {
				t.Errorf("%s passed", name)
			}
		}
	}
}

func TestAccessOfAHandshake(t *testing.T) {
	f := newFront(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), func(o *Options) {
		o.Upgrades, o.Access = []string{"websocket"}, []Access{{Methods: []string{"POST"}}, {Methods: []string{"GET"}, Paths: []string{"/ws"}}}
	})
	for target, want := range map[string]Code{"/ws": "", "/other": CodeNotAllowed} {
		resp, _ := f.exchange(t, "GET "+target+" HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
		if got := Code(resp.Header.Get("X-Authproxy-Error")); got != want {
			t.Errorf("%s: %q", target, got)
		}
	}
}

// exchange sends text, one request, and returns the answer.
func (f *front) exchange(t *testing.T, text string) (*http.Response, string) {
	t.Helper()
	request, err := http.ReadRequest(bufio.NewReader(strings.NewReader(text)))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(f.dial(t, text)), request)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(body)
}

// TestNoWayOutOfTheBase: no form of the request line leads out of the base
// URL, or to a request line that servers read in another way.
func TestNoWayOutOfTheBase(t *testing.T) {
	f := newFront(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, r.RequestURI)
	}), func(o *Options) { o.Target.Path = "/base" })
	for line, want := range map[string]string{
		"GET /a": "/base/a", "GET http://x/a": "/base/a", "GET /projects/group%2Fname?a=%2F": "/base/projects/group%2Fname?a=%2F", "GET /a;v=1/b%5c": "/base/a;v=1/b%5c",
		"GET /../a": "", "GET http://x/../a": "", "GET a:b://c/../a": "", "GET a:b://c/%2e%2e/a": "", "GET a:../a": "", "GET /..#": "", "GET /a%2f..%2f..%2fb": "", "GET /..;/a": "", "GET /%e0%80%ae%e0%80%ae/a": "", "GET *": "", "PUT *": "",
	} {
		resp, err := http.ReadResponse(bufio.NewReader(f.dial(t, line+" HTTP/1.1\r\nHost: x\r\n\r\n")), nil)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if want == "" && resp.Header.Get("X-Authproxy-Error") != string(CodeAmbiguousPath) || want != "" && string(body) != want {
			t.Errorf("%s: %d %s", line, resp.StatusCode, body)
		}
	}
	for _, spaced := range []string{"/a HTTP/1.0", "/a?b HTTP/1.0"} { // as they come by HTTP/2
		w, r := httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil)
		r.RequestURI = spaced
		f.Config.Handler.ServeHTTP(w, r)
		if w.Header().Get("X-Authproxy-Error") != string(CodeAmbiguousPath) {
			t.Errorf("%s: %d %s", spaced, w.Code, w.Body)
		}
	}
}
