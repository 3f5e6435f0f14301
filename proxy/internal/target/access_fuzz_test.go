package target

import (
	"net/url"
	"path"
	"regexp"
	"strings"
	"testing"
)

// FuzzAccess compares the rules with a plain reference. Beyond that it holds
// that no sloppy reading of an allowed path is one that the rules do not allow.
func FuzzAccess(f *testing.F) {
	f.Add("/a/**", "GET", "GET", "/a/b")
	f.Add("/a/*/c", "POST", "POST", "/a/%2e%2e/c")
	f.Add("/**", "GET", "HEAD", "/a//b")
	f.Add("/a/*", "GET", "GET", "/a/b%252f..")
	f.Add("/*/b", "GET", "GET", "/x%3f/b")
	f.Add("/a/*/b", "GET", "GET", "/a/;/b")
	f.Fuzz(func(t *testing.T, pattern, listed, method, escaped string) {
		rs, err := newRules([]Access{{Methods: []string{listed}, Paths: []string{pattern}}})
		if err != nil || !strings.HasPrefix(escaped, "/") {
			t.Skip()
		}
		ss, plain := segments(escaped)
		if !plain {
			return
		}
		decoded, err := url.PathUnescape(escaped)
		if err != nil {
			t.Fatalf("%q passes: %v", escaped, err)
		}
		got := rs.allow(method, "h", ss)
		if want := method == listed && matches(pattern, decoded); got != want {
			t.Errorf("%q %q with %q %q: %v", pattern, listed, escaped, method, got)
		}
		for _, reading := range readings(decoded) {
			if got && !matches(pattern, reading) {
				t.Errorf("%q allows %q, which may be read as %q", pattern, escaped, reading)
			}
		}
	})
}

// matches is the reference: a pattern is a regular expression over the whole
// of a decoded path.
func matches(pattern, decoded string) bool {
	expr := regexp.QuoteMeta(pattern)
	expr = strings.ReplaceAll(expr, `/\*\*`, `(/.*)?`)
	expr = strings.ReplaceAll(expr, `/\*`, `/[^/]+`)
	return regexp.MustCompile(`(?s)\A` + expr + `\z`).MatchString(decoded)
}

var (
	parameters    = regexp.MustCompile(`;[^/]*`)
	slashesInARow = regexp.MustCompile(`//+`)
	dotsAndSpaces = regexp.MustCompile(`[. ]+(/|\z)`)
)

// readings returns what servers have been seen to make of a decoded path.
func readings(decoded string) []string {
	var all []string
	once := []string{decoded}
	if twice, err := url.PathUnescape(decoded); err == nil {
		once = append(once, twice)
	}
	for _, s := range once {
		slashes := strings.ReplaceAll(s, `\`, "/")
		for _, end := range []string{"?", "#", "\x00", "\n", ";"} {
			before, _, _ := strings.Cut(s, end)
			all = append(all, before)
		}
		all = append(all, slashes, cleaned(slashes),
			parameters.ReplaceAllString(s, ""),
			slashesInARow.ReplaceAllString(s, "/"),
			cleaned(dotsAndSpaces.ReplaceAllStringFunc(s, func(tail string) string { // Windows
				if strings.HasPrefix(tail, "..") {
					return ".." + strings.TrimLeft(tail, ". ")
				}
				return tail
			})))
	}
	return all
}

// cleaned returns path without empty and dot segments, with the slash at its
// end if it had one.
func cleaned(s string) string {
	c := path.Clean(s)
	if c != "/" && strings.HasSuffix(s, "/") {
		c += "/"
	}
	return c
}
