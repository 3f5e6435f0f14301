package target

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

func TestWhatMayLeaveTheBase(t *testing.T) {
	for _, path := range []string{
		"/", "/a/b", "//a//b", "/a%20b", "/%E5%B7%A5", "/a..b/c...d/e...", "/a%25", "/a%23b", "/projects/group%2Fname", "/projects/group%2Fsub%2fname/repository/files/src%2F.gitignore/raw",
		"/a;v=1/b", "/a;v=1,2;w", "/a%3Bb", "/a%5Cb", "/..a", "/a..", "/.well-known/x", "/.a/.b", "/a%2F.b", "/a%2F..b", "/%2Fa", "/a;x=..", "/a;..", "/a;../b", "/a%zz", "/%",
		"/a%252Fb", "/100%25", "/%EF%BC%8Fa", "/files/%EF%BC%8E%EF%BC%8Ea", "/%C3%80", "/a%C0b", "/:a", "/a:..b", "/Items('a%2Fb')", "/..%E2%80%A6a",
	} {
		if MayLeave(path) {
			t.Errorf("%s is taken for a way out", path)
		}
	}
	for _, path := range []string{
		"/..", "/a/../b", "/a/%2e%2E/b", "/.%2e/", "/./", "/%2e", "/..#", "/a#b", `/a\b`, "/%00", "/a%00b", "/a%2500",
		"/..%2fa", "/a%2f..", "/a%2F..%2Fb", "/a%2f.%2fb", "/a%5c..%5cb", `/a\..\b`, "/a%252f%252e%252e", "/%252e%252e/", "/%25252e%25252e%25252f", "/%25%32%65%25%32%65/",
		"/..;/", "/...", "/.../a", "/..;x=1/a", "/.;/a", "/a/..;", "/%2e%2e%3b/", "/%2e%2e;x/", "/..%3b..", "/a%2f..;x%2fb", "/..%3fx", "/..%23x", "/..;%2fa",
		"/%c0%ae%c0%ae/", "/%c0%ae./", "/%c0%2e%c0%2e/", "/a%c0%af..%c0%afb", "/a%c1%9c..", "/a%c1%1c..", "/%e0%80%ae%e0%80%ae/", "/a%e0%80%af..", "/%f0%80%80%ae%f0%80%80%ae/",
		"/%25c0%25ae%25c0%25ae/", "/%EF%BC%8E%EF%BC%8E/", "/\xef\xbc\x8e\xef\xbc\x8e/", "/a%EF%BC%8F..", "/a%EF%BC%BC..", "/%E2%80%A5/", "/%E2%80%A4%E2%80%A4/", "/a%E2%88%95..", "/%EF%BC%852e%EF%BC%852e/",
		"/%u002e%u002e/", "/%U002E./", "/%uff0e%uff0e/", "/a%u2215..", "/..%20", "/..%20/a", "/.%0d./", "/.%09./", "/..%0a", "/%20../",
	} {
		if !MayLeave(path) {
			t.Errorf("%s passes", path)
		}
	}
}

// TestOneDecodingOfMany: what is decoded more often than servers do does not cost
// the square of its length.
func TestOneDecodingOfMany(t *testing.T) {
	if MayLeave("/%" + strings.Repeat("25", 1<<20) + "2e") {
		t.Error("a million decodings")
	}
}

// FuzzBase: no reading of what passes leaves the base, be it this package's or
// that of the sloppy servers that [FuzzAccess] knows.
func FuzzBase(f *testing.F) {
	for _, path := range []string{"/a/%2e%2e/b", "/..;/a", "/projects/a%2Fb", "/a;v=1/b", "/%c0%ae./", "/%EF%BC%8E./", "/..%00", "/.%09./%5c"} {
		f.Add(path)
	}
	base, _ := url.Parse("http://h/base/v4")
	target, err := New(Options{Base: base})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, sent string) {
		if !strings.HasPrefix(sent, "/") || strings.ContainsAny(sent, " ?") {
			t.Skip()
		}
		r := &http.Request{Method: "GET", RequestURI: sent, URL: &url.URL{Path: sent}}
		path, err := target.Path(r, sent)
		if err != nil {
			return
		}
		out := path.escaped()
		if out != "/base/v4"+sent && isPlain(sent) {
			t.Errorf("%q went out as %q", sent, out)
		}
		for _, reading := range Readings(out) {
			if !Under(reading, "/base/v4") {
				t.Errorf("%q may be read as %q", sent, reading)
			}
		}
		decoded, err := url.PathUnescape(out)
		if err != nil {
			return
		}
		for _, reading := range readings(decoded) {
			if clean := cleaned(reading); clean != "/base/v4" && !strings.HasPrefix(clean, "/base/v4/") {
				t.Errorf("%q may be read as %q", sent, reading)
			}
		}
	})
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
