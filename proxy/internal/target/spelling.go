package target

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// decode resolves the percent-encodings of text once, those of UTF-16 in the way
// of IIS (%u002e) among them. What is none stays as it is.
func decode(text string) string {
	if strings.IndexByte(text, '%') < 0 {
		return text
	}
	out := make([]byte, 0, len(text))
	for text != "" {
		value, size := encoded(text)
		switch {
		case size == 0:
			out, size = append(out, text[0]), 1
		case size == 3:
			out = append(out, byte(value))
		default:
			out = utf8.AppendRune(out, rune(value))
		}
		text = text[size:]
	}
	return string(out)
}

// encoded returns the value of the percent-encoding that text begins with, and its
// size; 0 when there is none.
func encoded(text string) (value uint64, size int) {
	if text[0] != '%' {
		return 0, 0
	}
	for _, form := range [...]struct{ prefix, size int }{{1, 3}, {2, 6}} {
		if len(text) < form.size || form.prefix == 2 && text[1]|0x20 != 'u' {
			continue
		}
		if value, err := strconv.ParseUint(text[form.prefix:form.size], 16, 16); err == nil {
			return value, form.size
		}
	}
	return 0, 0
}

// ascii returns text with other spellings of ASCII characters resolved: overlong
// UTF-8 of two to four bytes, also with the broken second byte that IIS took
// (CVE-2000-0884), full width, and the dots and slashes that servers with a code
// page or a compatibility normalisation take for the plain ones.
func ascii(text string) string {
	if !strings.ContainsFunc(text, func(r rune) bool { return r > '~' }) {
		return text
	}
	var out strings.Builder
	for text != "" {
		if c, size := overlong(text); size > 0 {
			out.WriteByte(c)
			text = text[size:]
			continue
		}
		r, size := utf8.DecodeRuneInString(text)
		if plain := narrow(r); plain != "" {
			out.WriteString(plain)
		} else {
			out.WriteString(text[:size])
		}
		text = text[size:]
	}
	return out.String()
}

// overlong returns the ASCII character with whose overlong UTF-8 text begins, and
// its size; 0 when there is none.
func overlong(text string) (c byte, size int) {
	switch lead := text[0]; {
	case lead == 0xe0 && len(text) > 2, lead == 0xf0 && len(text) > 3 && text[1] == 0x80:
		size = int(lead>>4) - 0xb // 3 of 0xe, 4 of 0xf
		high, low := text[size-2]^0x80, text[size-1]
		if high < 2 && low>>6 == 2 {
			return high<<6 | low&0x3f, size
		}
	case (lead == 0xc0 || lead == 0xc1) && len(text) > 1:
		c = lead&1<<6 | text[1]&0x3f
		if text[1]>>6 == 2 || c == '.' || c == '/' || c == '\\' {
			return c, 2
		}
	}
	return 0, 0
}

// narrow returns the ASCII text for which some servers take r; "" when none does.
func narrow(r rune) string {
	switch {
	case r >= 0xff01 && r <= 0xff5e: // full width
		return string(r - 0xff01 + '!')
	case r == 0x2024 || r == 0xfe52: // one dot leader, small full stop
		return "."
	case r == 0x2025: // two dot leader
		return ".."
	case r == 0x2044 || r == 0x2215: // fraction slash, division slash
		return "/"
	case r == 0x2216 || r == 0xfe68: // set minus, small reverse solidus
		return `\`
	default:
		return ""
	}
}
