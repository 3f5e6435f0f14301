package proxy

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
)

func TestAmbiguous(t *testing.T) {
	for path, want := range map[string]bool{
		"/": false, "/a/b": false, "//a//b": false, "/a%20b": false, "/%E5%B7%A5": false, "/a..b/...": false, "/a%25": false,
		"/..": true, "/a/../b": true, "/a/%2e%2E/b": true, "/.%2e/": true, "/./": true, "/%2e": true,
		"/..#": true, "/a%23b": false, "/a%2fb": true, "/a%5Cb": true, `/a\b`: true, "/a;b": true, "/a%3bb": true, "/%00": true, "/a%zz": true,
	} {
		if got := ambiguous(path); got != want {
			t.Errorf("%s: %v", path, got)
		}
	}
}

func TestAim(t *testing.T) {
	for _, c := range []struct{ target, strip, sent, want string }{
		{"http://h", "", "/", "/"},
		{"http://h/", "", "/a//b/%2F;x/..%2f?q=1;2&%zz", "/a//b/%2F;x/..%2f?q=1;2&%zz"},
		{"http://h", "", "//a/b?", "//a/b?"},
		{"http://h", "", "/^|\"{}<>`", "/^|\"{}<>`"},
		{"http://h/base", "", "/a", "/base/a"},
		{"http://h/base/", "/p/", "/p/a%20b", "/base/a%20b"},
		{"http://h/base", "/p", "/p", "/base/"},
		{"http://h", "/p/", "/p//x", "//x"},
		{"http://h/base", "/gr%C3%B6%C3%9Fe/", "/gr%c3%b6%C3%9fe/%c3%b6", "/base/%c3%b6"},
		{"http://h", "/a~b/", "/a%7eb/x", "/x"},
		{"http://h", "", "http://elsewhere:1/x?y", "/x?y"},
		{"http://h/base", "", "http://elsewhere", "/base/"},
	} {
		target, _ := url.Parse(c.target)
		in := httptest.NewRequest("GET", "/", nil)
		u, err := url.ParseRequestURI(c.sent)
		if err != nil {
			t.Fatal(err)
		}
		in.RequestURI, in.URL = c.sent, u
		out := *u
		aim(&out, in, target, c.strip)
		if got := out.RequestURI(); got != c.want || out.Host != "h" {
			t.Errorf("%s with %+v: %s to %s", c.sent, c, got, out.Host)
		}
	}
}

func TestUnder(t *testing.T) {
	for _, c := range []struct {
		path, prefix string
		want         bool
	}{
		{"/a/b", "/a", true}, {"/a/b", "/a/", true}, {"/a", "/a/", true}, {"/ab", "/a", false}, {"/", "/a", false},
		{"/gr%C3%B6%C3%9Fe/x", "/gr%C3%B6%C3%9Fe/", true}, {"/gr%c3%b6%c3%9fe", "/gr%C3%B6%C3%9Fe", true},
		{"/gr\xc3\xb6%c3%9fe", "/gr%C3%B6%C3%9Fe", true}, {"/gr%C3%B6", "/gr%C3%B6%C3%9Fe", false},
		{"/%61/b", "/a", true}, {"/%7Eme", "/~me", true}, {"/~me", "/%7Eme", true},
		{"/a%2Fb", "/a/b", false}, {"/a%2Fb", "/a", false}, {"/a/b", "/a%2Fb", false}, {"/a%2fb/c", "/a%2Fb", true},
		{"/a(b)!/x", "/a%28b%29%21/", true}, {"/a%28b)/x", "/a%28b%29", true},
		{"/a%3Bb", "/a;b", false}, {"/a%25", "/a%", false}, {"/a%2", "/a%2", true}, {"/a%zz", "/a%ZZ", false}, {"/a%", "/ab", false},
	} {
		if got := under(c.path, c.prefix); got != c.want {
			t.Errorf("%s under %s: %v", c.path, c.prefix, got)
		}
	}
}

// TestNoWayOutOfTheBase: no form of the request line leads out of the base
// URL, or to a request line that servers read in another way.
func TestNoWayOutOfTheBase(t *testing.T) {
	f := newFront(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, r.RequestURI)
	}), func(o *Options) { o.Target.Path = "/base" })
	for line, want := range map[string]string{
		"GET /a": "/base/a", "GET http://x/a": "/base/a",
		"GET /../a": "", "GET http://x/../a": "", "GET a:b://c/../a": "", "GET a:b://c/%2e%2e/a": "", "GET a:../a": "", "GET /..#": "", "GET *": "", "PUT *": "",
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
