package target

import (
	"net/http/httptest"
	"net/url"
	"testing"
)

func TestWhatMayLeaveTheBase(t *testing.T) {
	for path, want := range map[string]bool{
		"/": false, "/a/b": false, "//a//b": false, "/a%20b": false, "/%E5%B7%A5": false, "/a..b/...": false, "/a%25": false,
		"/..": true, "/a/../b": true, "/a/%2e%2E/b": true, "/.%2e/": true, "/./": true, "/%2e": true,
		"/..#": true, "/a%23b": false, "/a%2fb": true, "/a%5Cb": true, `/a\b`: true, "/a;b": true, "/a%3bb": true, "/%00": true, "/a%zz": true,
	} {
		if got := mayLeave(path); got != want {
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
		base, _ := url.Parse(c.target)
		target, err := New(Options{Base: base, Strip: c.strip})
		if err != nil {
			t.Fatal(err)
		}
		in := httptest.NewRequest("GET", "/", nil)
		u, err := url.ParseRequestURI(c.sent)
		if err != nil {
			t.Fatal(err)
		}
		in.RequestURI, in.URL = c.sent, u
		out := *u
		target.Aim(&out, target.outgoing(SentPath(in)))
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
		if got := Under(c.path, c.prefix); got != c.want {
			t.Errorf("%s under %s: %v", c.path, c.prefix, got)
		}
	}
}

// TestPlainPathsAreSpelledAsOthers: what needs no decoding is not decoded, and
// goes out as it would otherwise.
func TestPlainPathsAreSpelledAsOthers(t *testing.T) {
	for c := range 256 {
		for _, raw := range []string{"/a" + string([]byte{byte(c)}), "/" + string([]byte{byte(c)}) + "/b", string([]byte{byte(c)})} {
			if !isPlain(raw) {
				continue
			}
			decoded, err := url.PathUnescape(raw)
			if u := (url.URL{Path: decoded, RawPath: raw}); err != nil || decoded != raw || u.EscapedPath() != raw {
				t.Errorf("%q: %q, %q, %v", raw, decoded, u.EscapedPath(), err)
			}
		}
	}
	for _, raw := range []string{"/", "/a/b.c/v1.2_x~y", "/Items(1)/$value", "/a;b,c=d:e@f+g!h*i'&", "//a"} {
		if !isPlain(raw) {
			t.Errorf("%s is decoded", raw)
		}
	}
}

func BenchmarkPath(b *testing.B) {
	for _, c := range []struct{ name, target, sent string }{
		{"plain", "http://h", "/odata/Items(1)/value"}, {"base", "http://h/base", "/odata/Items(1)/value"}, {"encoded", "http://h", "/a%20b/c"},
	} {
		b.Run(c.name, func(b *testing.B) {
			base, _ := url.Parse(c.target)
			target, err := New(Options{Base: base})
			if err != nil {
				b.Fatal(err)
			}
			in := httptest.NewRequest("GET", c.sent, nil)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := target.Path(in, SentPath(in)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
