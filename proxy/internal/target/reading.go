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
	params = regexp.MustCompile("[;?#\x00][^/]*")     // of a segment
	tails  = regexp.MustCompile(`([^/. ])[. ]+(/|$)`) // Windows has no such names
)

// Readings are the paths that servers may take an escaped path for: decoded up
// to maxDecodings times, in any spelling of ASCII (see [ascii]); with and without
// what stands behind a ';', '?', '#' or NUL in a segment, and dots and spaces at
// its end.
func Readings(escaped string) []string {
	if !Ambiguous(escaped) {
		return []string{escaped}
	}
	var all []string
	for range maxDecodings + 1 {
		escaped = strings.ReplaceAll(ascii(escaped), `\`, "/")
		whole := path.Clean("/" + escaped)
		bare := path.Clean("/" + params.ReplaceAllString(escaped, ""))
		for _, one := range []string{whole, bare, tails.ReplaceAllString(bare, "$1$2")} {
			all = append(all, (&url.URL{Path: one}).EscapedPath())
		}
		decoded := decode(escaped)
		if decoded == escaped {
			break
		}
		escaped = decoded
	}
	return all
}

// MayLeave tells whether some server may take an escaped path out of the base
// path that it is put behind. What does is a dot segment in any spelling, also
// one that shows only after several decodings, between encoded slashes and
// backslashes, or before path parameters; a NUL, and what no URL holds: a '#' and
// a backslash that are not encoded.
func MayLeave(escaped string) bool {
	if !mayHide(escaped) {
		return false
	}
	if strings.ContainsAny(escaped, `\#`) {
		return true
	}
	for range maxDecodings + 1 {
		escaped = ascii(escaped)
		if hasDotSegment(escaped) {
			return true
		}
		decoded := decode(escaped)
		if decoded == escaped {
			return false
		}
		escaped = decoded
	}
	return false // nobody decodes so often
}

// hasDotSegment tells whether a decoded path has a segment that some server takes
// for "." or "..", or holds a NUL.
func hasDotSegment(decoded string) bool {
	isSlash := func(r rune) bool { return r == '/' || r == '\\' }
	for segment := range strings.FieldsFuncSeq(decoded, isSlash) {
		if strings.IndexByte(segment, 0) >= 0 {
			return true
		}
		if i := strings.IndexAny(segment, ";?#"); i >= 0 { // path parameters (RFC 3986 section 3.3), or the path's end
			segment = segment[:i]
		}
		ended, _, _ := strings.Cut(strings.TrimLeft(strings.Map(lines, segment), "\n"), "\n")
		if isDots(strings.Map(visible, segment)) || isDots(ended) {
			return true
		}
	}
	return false
}

// isDots tells whether segment is made of dots alone: Windows has taken "..." for
// ".." as well.
func isDots(segment string) bool { return segment != "" && strings.Trim(segment, ".") == "" }

// lines makes all control characters ends of lines, at which some servers end a
// path, and drops spaces.
func lines(r rune) rune {
	switch {
	case r == ' ':
		return -1
	case r < ' ' || r == 0x7f:
		return '\n'
	default:
		return r
	}
}

// visible drops the characters that some servers take out of a path: spaces at
// the end of a name are nothing to Windows, and control characters nothing to the
// URL Standard of WHATWG.
func visible(r rune) rune {
	if r <= ' ' || r == 0x7f {
		return -1
	}
	return r
}

// mayDiffer tells whether servers may read an escaped path in different ways: by
// encoded slashes and backslashes, dot segments, an encoded NUL, path parameters
// and a '#', at which some end the path.
func mayDiffer(escaped string) bool {
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

// mayHide tells whether path has any of the characters that MayLeave and mayDiffer
// are about.
func mayHide(path string) bool {
	before := byte('/')
	for i := range len(path) {
		c := path[i]
		if c == '%' || c == ';' || c == '\\' || c == '#' || c <= ' ' || c > '~' || c == '.' && before == '/' {
			return true
		}
		before = c
	}
	return false
}
