package proxy

import (
	"bufio"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
)

func TestAccessPatterns(t *testing.T) {
	for _, c := range []struct {
		pattern  string
		yes, not []string
	}{
		{"/", []string{"/"}, []string{"", "*", "/a", "//"}},
		{"/a/b", []string{"/a/b", "/%61/b"}, []string{"/a", "/a/b/", "/a/b/c", "/A/b", "/a/bc", "/x/a/b"}},
		{"/a/b/", []string{"/a/b/"}, []string{"/a/b"}},
		{"/a/*", []string{"/a/b", "/a/*", "/a/%E5%B7%A5"}, []string{"/a", "/a/", "/a/b/", "/a/b/c"}},
		{"/a/*/c", []string{"/a/b/c"}, []string{"/a/c", "/a/b/b/c", "/a/b/d"}},
		{"/a/**", []string{"/a", "/a/", "/a/b", "/a/b/c/"}, []string{"/", "/ab", "/b/a"}},
		{"/**", []string{"/", "/a", "/a/b/"}, []string{"*"}},
		{"/*/**", []string{"/a", "/a/b"}, []string{"/"}},
		{"/工/a b", []string{"/%e5%b7%a5/a%20b"}, []string{"/工/ab"}},
		{"/Users('1')", []string{"/Users('1')", "/Users%28%271%27%29"}, []string{"/Users('2')"}},
	} {
		rs, err := newRules([]Access{{Paths: []string{c.pattern}}})
		if err != nil {
			t.Fatal(err)
		}
		for _, escaped := range slices.Concat(c.yes, c.not) {
			segments, plain := segments(escaped)
			got := plain && rs.allow("GET", "h", segments)
			if got != slices.Contains(c.yes, escaped) {
				t.Errorf("%s with %s: %v", c.pattern, escaped, got)
			}
		}
	}
}

func TestAccessLists(t *testing.T) {
	rs, err := newRules([]Access{
		{Methods: []string{"GET", "HEAD"}, Paths: []string{"/a", "/b/*"}},
		{Methods: []string{"POST"}, Paths: []string{"/a"}, Hosts: []string{"App.local"}},
		{Hosts: []string{"admin.local", "::1"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		method, host, path string
		want               bool
	}{
		{"GET", "x", "/a", true},
		{"HEAD", "x", "/b/1", true},
		{"get", "x", "/a", false},
		{"OPTIONS", "x", "/a", false},
		{"POST", "x", "/a", false},
		{"POST", "app.local", "/a", true},
		{"POST", "app.local", "/b/1", false},
		{"PURGE", "admin.local", "/anything/at/all", true},
		{"OPTIONS", "::1", "*", true},
		{"GET", "x", "/c", false},
	} {
		segments, plain := segments(c.path)
		if got := rs.allow(c.method, c.host, segments); got != c.want || !plain {
			t.Errorf("%+v: %v", c, got)
		}
	}
}

func TestAccessRulesThatMeanNothing(t *testing.T) {
	for _, pattern := range []string{"", "a", "a/b", "/a//b", "/**/a", "/a*", "/a**", "/../a", "/a/.", "/a;b", "/a?b", "/a#b", `/a\b`, "/%61", "/a\x00"} {
		if _, err := newRules([]Access{{Paths: []string{pattern}}}); err == nil || !strings.Contains(err.Error(), "pattern") {
			t.Errorf("%q: %v", pattern, err)
		}
	}
}

// TestAmbiguousUnderAccess: what servers read in different ways. The rest of
// the list is that of TestAmbiguous.
func TestAmbiguousUnderAccess(t *testing.T) {
	for _, escaped := range []string{
		"//", "//a", "/a//b", "/a//", "/a/%2e%2e/b", "/a/.%2E", "/a%2fb", "/a%5cb", `/a\b`, "/a;b", "/a%3Bb", "/a%00", "/a%zz", "/%u002e",
		"/a#b", "/a%23b", "/a%3Fb", "/a%0ab", "/a%09", "/a%7f", "/%c0%ae", "/%c0%af", "/\xff",
		"/a%252fb", "/%252e%252e", "/a%25%32%66", "/%2e%2e%20", "/..%20", "/%20", "/...",
	} {
		if _, plain := segments(escaped); plain {
			t.Errorf("%q passes", escaped)
		}
	}
	for _, escaped := range []string{"/", "/a/", "*", "/a..b/.c", "/100%25", "/a%25b", "/a%20b", "/a+b", "/%E5%B7%A5", "/工", "/a:b@c!$&'()*,=~"} {
		if _, plain := segments(escaped); !plain {
			t.Errorf("%q is refused", escaped)
		}
	}
}

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
		{name: "a method in disguise", method: "POST", path: "/shop/batch", host: "b.local", override: "DELETE", want: CodeNotAllowed},
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
