package target

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// IsParam tells whether some server may read a parameter of a query, given as it
// stands there between separators, as the one of that name. Servers are known to
//   - decode more than once, drop a '%' that encodes nothing (ASP), and take other
//     spellings of ASCII for it (see [Readings]);
//   - compare names without case (ASP.NET);
//   - take spaces and controls off a name, and all that follows a NUL (PHP);
//   - read name[], name[x], name.x and [name] as name, with members (PHP, Rails, qs);
//   - write '_' for '.', ' ' and '[' (PHP).
func IsParam(piece, name string) bool { return isParam(piece, name, maxDecodings) }

// isParam is IsParam for servers that decode up to so often; what then holds
// separators may be several parameters.
func isParam(piece, name string, decodings int) bool {
	piece, _, _ = strings.Cut(ascii(piece), "=")
	if isNamed(piece, name) {
		return true
	}
	decoded := decode(piece)
	if decoded == piece || decodings == 0 {
		return false
	}
	for one := range strings.FieldsFuncSeq(decoded, isSeparator) {
		if isParam(one, name, decodings-1) {
			return true
		}
	}
	return false
}

func isSeparator(r rune) bool { return r == '&' || r == ';' }

// isNamed tells whether a server may read key, which it does not decode any more,
// as name.
func isNamed(key, name string) bool {
	key = strings.TrimLeftFunc(key, isBlank)
	bracket := strings.HasPrefix(key, "[")
	key = strings.TrimPrefix(key, "[")
	for _, want := range name {
		got, size := utf8.DecodeRuneInString(key)
		for got == '%' && want != '%' {
			key = key[size:]
			got, size = utf8.DecodeRuneInString(key)
		}
		if size == 0 || foldParam(got) != foldParam(want) {
			return false
		}
		bracket = bracket || got == '['
		key = key[size:]
	}
	rest := strings.TrimLeftFunc(key, isBlank)
	return rest == "" || key[0] == 0 || strings.ContainsAny(rest[:1], "[.") || bracket && rest[0] == ']'
}

// isBlank tells whether some server takes r off the beginning or the end of a
// name: blanks, controls and formats; the '?' of a query that is given with it; a
// '%' that encodes nothing.
func isBlank(r rune) bool {
	return r == '+' || r == '?' || r == '%' || unicode.IsSpace(r) || unicode.In(r, unicode.Cc, unicode.Cf)
}

// foldParam returns the form in which characters of names compare.
func foldParam(r rune) rune {
	switch {
	case strings.ContainsRune("_. +[", r):
		return '_'
	case r < utf8.RuneSelf && (r < 'A' || r > 'Z'):
		return r
	case r == 'ſ':
		return 's'
	case r == 'ı' || r == 'İ':
		return 'i'
	default:
		return unicode.ToLower(r) // also of the Kelvin sign
	}
}
