package httpsyntax

import (
	"strings"
	"testing"
)

func TestIsToken(t *testing.T) {
	for s, want := range map[string]bool{"GET": true, "X-Request-Id": true, "!#$%&'*+-.^_`|~09azAZ": true,
		"": false, "a b": false, "a:b": false, "ä": false, "a\x00": false, "(": false, "{": false, "@": false, "[": false} {
		if IsToken(s) != want {
			t.Errorf("%q: %v", s, !want)
		}
	}
}

func TestFoldName(t *testing.T) {
	for name, want := range map[string]string{"x-a": "X-A", "X_A": "X-A", "x_request-ID": "X-Request-Id", "": ""} {
		if got := FoldName(name); got != want {
			t.Errorf("%q: %q", name, got)
		}
	}
	if n := testing.AllocsPerRun(100, func() { FoldName("Content-Type") }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestUnix(t *testing.T) {
	for address, want := range map[string]string{"unix:/run/s": "/run/s", "unix:s": "s", "unix:": "", "127.0.0.1:80": "none", "Unix:/s": "none", "": "none"} {
		path, ok := UnixPath(address)
		if ok != IsUnix(address) || ok == (want == "none") || ok && path != want {
			t.Errorf("%q: %q, %v", address, path, ok)
		}
	}
}

func TestPatterns(t *testing.T) {
	for text, want := range map[string]bool{
		"/": true, "/a": true, "/a/": true, "/*": true, "/**": true, "/a/*/b/**": true, "/ä": true, "/a b": true, "/100%": true, "/%zz": true, "/...x": true,
		"": false, "a": false, "a/b": false, "//": false, "/a//b": false, "/**/a": false, "/a*": false, "/***": false, "/.": false, "/..": false, "/a/. /b": false,
		`/a\b`: false, "/a;b": false, "/a?b": false, "/a#b": false, "/a%2fb": false, "/a\tb": false, "/a\x7f": false, "/\xff": false,
	} {
		if _, ok := ParsePattern(text); ok != want {
			t.Errorf("%q: %v", text, ok)
		}
	}
	for _, c := range []struct {
		pattern, paths, others string
	}{
		{"/a", "/a", "/ /a/ /b /a/b"},
		{"/a/", "/a/", "/a /a/b"},
		{"/a/*", "/a/b /a/**", "/a /a/ /a/b/c"},
		{"/a/**", "/a /a/ /a/b /a/b/c", "/ /b /ab"},
		{"/*/b", "/a/b /b/b", "/b //b /a/b/"},
	} {
		p, ok := ParsePattern(c.pattern)
		if !ok {
			t.Error(c.pattern)
		}
		for _, path := range strings.Fields(c.paths) {
			if !p.Match(strings.Split(path, "/")) {
				t.Errorf("%s does not match %s", c.pattern, path)
			}
		}
		for _, path := range strings.Fields(c.others) {
			if p.Match(strings.Split(path, "/")) {
				t.Errorf("%s matches %s", c.pattern, path)
			}
		}
	}
}
