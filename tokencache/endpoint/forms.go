package endpoint

import (
	"bytes"
	"html"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// form is a text as secrets are looked for in it: in lower case, without what cannot
// be seen, and maybe with its escapes undone. Each byte knows which part of the
// original text it is made of.
type form struct {
	text     []byte
	from, to []int
}

// leads are what the escapes that are undone begin with.
const leads = `%\&`

// rounds is how often escapes are undone one level at a time.
const rounds = 3

// formsOf is text with its escapes left alone, undone once, twice and so on, and undone
// to the end, where it has some: a secret may itself look like an escape. It takes time
// in proportion to the text.
func formsOf(text string) []form {
	p := form{text: []byte(text), from: make([]int, len(text)), to: make([]int, len(text))}
	for i := range p.text {
		p.from[i], p.to[i] = i, i+1
	}
	p = p.visible()
	forms := []form{p.folded()}
	if !strings.ContainsAny(text, leads) {
		return forms
	}
	forms = append(forms, p.unescaped(true).visible().folded())
	for range rounds {
		once := p.unescaped(false)
		if len(once.text) == len(p.text) {
			break
		}
		p = once
		forms = append(forms, p.visible().folded())
	}
	return forms
}

func (p *form) push(c byte, from, to int) {
	p.text, p.from, p.to = append(p.text, c), append(p.from, from), append(p.to, to)
}

// runes returns p with each character mapped; a negative one is left out, and so are
// bytes that are no UTF-8.
func (p form) runes(mapping func(rune) rune) form {
	out := form{make([]byte, 0, len(p.text)), make([]int, 0, len(p.text)), make([]int, 0, len(p.text))}
	var buf [utf8.UTFMax]byte
	for i := 0; i < len(p.text); {
		r, size := utf8.DecodeRune(p.text[i:])
		if r = mapping(r); r >= 0 {
			for _, c := range buf[:utf8.EncodeRune(buf[:], r)] {
				out.push(c, p.from[i], p.to[i+size-1])
			}
		}
		i += size
	}
	return out
}

// visible is p without control characters and without what has no width.
func (p form) visible() form {
	return p.runes(func(r rune) rune {
		if isUnfit(r) && r != ' ' && (r == utf8.RuneError || unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp,
			unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)) {
			return -1
		}
		return r
	})
}

// folded is p in lower case; all blanks are alike, and so is the plus sign of a form.
func (p form) folded() form {
	return p.runes(func(r rune) rune {
		if r == '+' || r > unicode.MaxASCII && unicode.Is(unicode.Zs, r) {
			return ' '
		}
		return unicode.ToLower(r)
	})
}

// unescaped is p with its escapes undone: the percent-encoding of RFC 3986 section 2.1,
// the escapes in strings of RFC 8259 section 7, and the character references of HTML.
// With again, what that makes may be part of another escape.
func (p form) unescaped(again bool) form {
	var out form
	begin := 0 // where an escape may begin
	undo := func(n int, with string) {
		for n > len(with) {
			out.replace(n, with)
			if !again {
				begin = len(out.text)
				return
			}
			n, with = escapeAtEnd(out.text)
		}
	}
	for i, c := range p.text {
		undo(openReference(out.text[begin:], c))
		out.push(c, p.from[i], p.to[i])
		undo(escapeAtEnd(out.text[begin:]))
	}
	undo(openReference(out.text[begin:], 0))
	return out
}

// replace puts with in the place of the last n bytes.
func (p *form) replace(n int, with string) {
	at := len(p.text) - n
	from, to := p.from[at], p.to[len(p.to)-1]
	p.text, p.from, p.to = p.text[:at], p.from[:at], p.to[:at]
	for i := range len(with) {
		p.push(with[i], from, to)
	}
}

// escapeAtEnd is how many bytes the escape has that text ends with, and what it stands
// for; 0 when it ends with none.
func escapeAtEnd(text []byte) (n int, with string) {
	if len(text) < 2 {
		return 0, ""
	}
	before, c := text[len(text)-2], text[len(text)-1]
	switch {
	case c == ';':
		return reference(text)
	case before == '\\' && strings.IndexByte(`\/"'`, c) >= 0:
		return 2, string(rune(c))
	case before == '\\' && strings.IndexByte("bfnrt", c) >= 0:
		return 2, "\n" // any of the control characters
	case hexDigits(text[len(text)-1:]) < 0:
		return 0, ""
	}
	return hexEscape(text)
}

// hexEscape is escapeAtEnd for an escape of hexadecimal digits.
func hexEscape(text []byte) (n int, with string) {
	for _, lead := range []string{"%", `\x`} {
		if value, ok := behind(text, lead, 2); ok {
			return len(lead) + 2, string([]byte{byte(value)})
		}
	}
	for _, lead := range []string{`\u`, "%u"} {
		value, ok := behind(text, lead, 4)
		if !ok {
			continue
		}
		if !utf16.IsSurrogate(rune(value)) {
			return 6, string(rune(value))
		}
		high, ok := behind(text[:len(text)-6], lead, 4)
		if r := utf16.DecodeRune(rune(high), rune(value)); ok && r != utf8.RuneError {
			return 12, string(r)
		}
	}
	return 0, ""
}

// behind is the value of that many hexadecimal digits, with which text ends behind lead.
func behind(text []byte, lead string, digits int) (value int, ok bool) {
	at := len(text) - digits
	if at < len(lead) || string(text[at-len(lead):at]) != lead {
		return 0, false
	}
	value = hexDigits(text[at:])
	return value, value >= 0
}

// hexDigits is the value of hexadecimal digits; negative when text has others.
func hexDigits(text []byte) int {
	value := 0
	for _, c := range text {
		digit := strings.IndexByte("0123456789abcdef", c|0x20)
		if digit < 0 || c < '0' {
			return -1
		}
		value = value<<4 | digit
	}
	return value
}

// longestReference bounds the length in bytes of a character reference.
const longestReference = 34

// reference is escapeAtEnd for a character reference of HTML with its semicolon.
func reference(text []byte) (n int, with string) {
	tail := text[max(0, len(text)-longestReference):]
	tail = tail[max(0, bytes.LastIndexByte(tail, '&')):]
	inner := bytes.TrimPrefix(bytes.TrimSuffix(bytes.TrimPrefix(tail, []byte("&")), []byte(";")), []byte("#"))
	if bytes.ContainsFunc(inner, func(r rune) bool { return r > 0x7e || !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		return 0, ""
	}
	if decoded := html.UnescapeString(string(tail)); decoded != string(tail) {
		return len(tail), decoded
	}
	return 0, ""
}

// openReference is escapeAtEnd for a numeric character reference without a semicolon,
// which ends where something follows that does not belong to it.
func openReference(text []byte, follows byte) (n int, with string) {
	tail := text[max(0, len(text)-longestReference):]
	at := bytes.LastIndex(tail, []byte("&#"))
	if at < 0 || follows == ';' {
		return 0, ""
	}
	tail = tail[at:]
	digits, all := tail[2:], "0123456789"
	if len(digits) > 0 && digits[0]|0x20 == 'x' {
		digits, all = digits[1:], "0123456789abcdefABCDEF"
	}
	if len(digits) == 0 || len(bytes.Trim(digits, all)) > 0 || strings.IndexByte(all, follows) >= 0 {
		return 0, ""
	}
	return len(tail), html.UnescapeString(string(tail))
}
