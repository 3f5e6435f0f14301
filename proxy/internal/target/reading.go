package target

import (
	"net/url"
	"path"
	"regexp"
	"strings"
)

// Ambiguous tells whether servers may not all read an escaped path alike. One
// that is not ambiguous has one reading.
func Ambiguous(escaped string) bool {
	before := byte(0)
	for i := range len(escaped) {
		c := escaped[i]
		switch {
		case c <= ' ' || c > '~' || c == '%' || c == ';' || c == '?' || c == '#' || c == '\\',
			before == '/' && (c == '/' || c == '.'), before == '.' && c == '/':
			return true
		}
		before = c
	}
	return before == '.'
}

// Plain returns the path that most servers take an escaped path for: decoded,
// cleaned, and escaped where it has to be.
func Plain(escaped string) string {
	decoded, err := url.PathUnescape(strings.ReplaceAll(escaped, `\`, "/"))
	if err != nil {
		decoded = escaped
	}
	clean := path.Clean("/" + strings.ReplaceAll(decoded, `\`, "/"))
	if strings.HasSuffix(decoded, "/") && clean != "/" {
		clean += "/"
	}
	return (&url.URL{Path: clean}).EscapedPath()
}

// maxDecodings is how often in a row a server may decode a path.
const maxDecodings = 3

var (
	overlong = strings.NewReplacer(`\`, "/", "\xc0\xae", ".", "\xc0\xaf", "/") // dot and slash in UTF-8 of two bytes
	params   = regexp.MustCompile("[;?#\x00][^/]*")                            // of a segment
	tails    = regexp.MustCompile(`([^/. ])[. ]+(/|$)`)                        // Windows has no such names
)

// Readings are the paths that servers may take an escaped path for: decoded up
// to maxDecodings times; with and without what stands behind a ';', '?', '#' or
// NUL in a segment, and dots and spaces at its end.
func Readings(escaped string) []string {
	if !Ambiguous(escaped) {
		return []string{escaped}
	}
	var all []string
	for range maxDecodings + 1 {
		escaped = overlong.Replace(escaped)
		whole := path.Clean("/" + escaped)
		bare := path.Clean("/" + params.ReplaceAllString(escaped, ""))
		for _, one := range []string{whole, bare, tails.ReplaceAllString(bare, "$1$2")} {
			all = append(all, (&url.URL{Path: one}).EscapedPath())
		}
		decoded, err := url.PathUnescape(escaped)
		if err != nil || decoded == escaped {
			break
		}
		escaped = decoded
	}
	return all
}

// mayLeave tells whether some server may take an escaped path out of the base
// path that it is put behind: by encoded slashes and backslashes, dot segments
// in any spelling, an encoded NUL, path parameters, and a '#', at which some
// end the path.
func mayLeave(escaped string) bool {
	if !mayHide(escaped) {
		return false
	}
	if strings.ContainsAny(escaped, `;\#`) {
		return true
	}
	for segment := range strings.SplitSeq(escaped, "/") {
		decoded, err := url.PathUnescape(segment)
		if err != nil || decoded == "." || decoded == ".." || strings.ContainsAny(decoded, "/\\;\x00") {
			return true
		}
	}
	return false
}

// mayHide tells whether path has any of the characters that mayLeave is about.
func mayHide(path string) bool {
	before := byte('/')
	for i := range len(path) {
		c := path[i]
		if c == '%' || c == ';' || c == '\\' || c == '#' || c == 0 || c == '.' && before == '/' {
			return true
		}
		before = c
	}
	return false
}
