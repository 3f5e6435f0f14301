// Package redact takes a token out of what comes back, as it is and in the escapes in
// which servers print what they got: percent-encoding (RFC 3986 section 2.1), the
// escapes of JSON (RFC 8259 section 7) and HTML, each also of the others. It takes
// time in proportion to the text.
package redact

import "strings"

// Stars stand for a token in a text.
const Stars = "***"

// longToken is the length in bytes from which a token is found within longer words
// too; a shorter one may be part of a word by chance.
const longToken = 16

// Text returns text with [Stars] in the place of each token of that value.
func Text(text, value string) string {
	if value == "" || len(text) < len(value) {
		return text
	}
	if strings.Contains(text, value) {
		text = starred(text, newFinder(value, false))
	}
	if strings.ContainsAny(text, leads) {
		text = starred(text, newFinder(value, true))
	}
	return text
}

// starred returns text with stars for what f finds in it.
func starred(text string, f *finder) string {
	var b strings.Builder
	done := 0 // bytes of text that are in b
	f.found = func(start, end int) {
		b.WriteString(text[done:start])
		b.WriteString(Stars)
		done = end
	}
	for i := range len(text) {
		f.feed(0, unit{text[i], i, i + 1})
	}
	f.end()
	if done == 0 {
		return text
	}
	b.WriteString(text[done:])
	return b.String()
}
