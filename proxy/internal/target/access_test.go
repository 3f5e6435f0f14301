package target

import (
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
// the list is that of TestWhatMayLeaveTheBase.
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
