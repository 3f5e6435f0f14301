// Package printable makes what others write fit to be shown: in a log, a message, a
// terminal.
package printable

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Text returns text of at most about limit bytes, in which each character that does not
// print, or is no UTF-8, is written as Go's escape of it: control characters, also those
// of C1, and those that change the direction of writing. What is cut off is counted.
func Text(text string, limit int) string {
	rest := 0
	if len(text) > limit {
		cut := limit
		for cut > 0 && !utf8.RuneStart(text[cut]) {
			cut--
		}
		text, rest = text[:cut], len(text)-cut
	}
	if rest == 0 && plain(text) {
		return text
	}
	var b strings.Builder
	for i, r := range text {
		switch {
		case r == utf8.RuneError && !strings.HasPrefix(text[i:], string(utf8.RuneError)):
			fmt.Fprintf(&b, `\x%02x`, text[i])
		case unicode.IsPrint(r):
			b.WriteRune(r)
		case r < 0x10000:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			fmt.Fprintf(&b, `\U%08x`, r)
		}
	}
	if rest > 0 {
		fmt.Fprintf(&b, "... (%d bytes more)", rest)
	}
	return b.String()
}

// plain tells whether there is nothing to be escaped.
func plain(text string) bool {
	for i, r := range text {
		if !unicode.IsPrint(r) || r == utf8.RuneError && !strings.HasPrefix(text[i:], string(utf8.RuneError)) {
			return false
		}
	}
	return true
}
