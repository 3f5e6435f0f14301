package proxy

import (
	"net/url"
	"path"
	"regexp"
	"strings"
)

// plainSpelling returns the path that a server may take an escaped path for:
// decoded, cleaned, and escaped where it has to be.
func plainSpelling(escaped string) string {
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

// odd tells whether servers may not all read an escaped path alike.
func odd(escaped string) bool {
	before := byte(0)
	for i := range len(escaped) {
		c := escaped[i]
		switch {
		case c <= ' ' || c > '~' || strings.IndexByte(`%;?#\`, c) >= 0,
			before == '/' && (c == '/' || c == '.'), before == '.' && c == '/':
			return true
		}
		before = c
	}
	return before == '.'
}

// disguises are the paths that servers may take an escaped path for: decoded up
// to maxDecodings times; with and without what stands behind a ';', '?', '#' or
// NUL in a segment, and dots and spaces at its end.
func disguises(escaped string) []string {
	if !odd(escaped) {
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
