package httpsyntax

import (
	"strings"
	"unicode/utf8"
)

// Pattern is a pattern of paths, taken apart at its slashes. "*" stands for one
// segment that is not empty, and "**" at the end for any rest or none: /a/** is
// /a and all below. A slash at the end counts.
type Pattern []string

// ParsePattern reads a pattern, which is written decoded and begins with a
// slash. ok is false when no path can match it (see [IsSegment]), or when a
// star stands where it has no meaning.
func ParsePattern(text string) (pattern Pattern, ok bool) {
	all := strings.Split(text, "/")
	for i, s := range all {
		last := i == len(all)-1
		switch {
		case i == 0 && s != "", i > 0 && s == "" && !last, s == "**" && !last:
			return nil, false
		case s != "*" && s != "**" && (strings.ContainsAny(s, `*\`) || !IsSegment(s)):
			return nil, false
		}
	}
	return all, len(all) > 1
}

// Match tells whether path, in decoded segments, matches; the first segment is
// what stands before the first slash.
func (p Pattern) Match(path []string) bool {
	for i, want := range p {
		switch {
		case want == "**":
			return true
		case i == len(path):
			return false
		case want == "*" && path[i] != "":
		case want != path[i]:
			return false
		}
	}
	return len(p) == len(path)
}

// IsSegment tells whether servers agree on a decoded segment of a path. They do
// not where it ends a path for some of them, is a dot segment for Windows, has
// dots and slashes in overlong UTF-8, or would change if it were decoded once
// more.
func IsSegment(segment string) bool {
	if strings.ContainsAny(segment, ";?#") || !utf8.ValidString(segment) {
		return false
	}
	for i, c := range segment {
		if c < ' ' || c == 0x7f || c == '%' && isEscape(segment[i:]) {
			return false
		}
	}
	return segment == "" || strings.Trim(segment, ". ") != ""
}

// isEscape tells whether s begins with a percent sign and two digits.
func isEscape(s string) bool {
	const digits = "0123456789abcdefABCDEF"
	return len(s) > 2 && strings.IndexByte(digits, s[1]) >= 0 && strings.IndexByte(digits, s[2]) >= 0
}
