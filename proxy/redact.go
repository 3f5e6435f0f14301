package proxy

import (
	"net/http"
	"strings"
)

// Redact implements [Authorizer]: servers print the token that they refuse in
// WWW-Authenticate, as old Spring Security does.
func (*inHeader) Redact(h http.Header, token Token) { maskFields(h, token.Value) }

// Redact implements [Authorizer]: a server that redirects to another path, or to
// where one signs in, repeats the query that it got. The whole parameter goes.
func (q *inQuery) Redact(h http.Header, token Token) {
	for _, values := range h {
		for n, text := range values {
			values[n] = q.redact(text, token.Value)
		}
	}
	maskFields(h, token.Value)
}

// maskFields puts stars in the place of the token of that value, wherever it
// stands in the values of fields.
func maskFields(fields http.Header, value string) {
	for _, values := range fields {
		for n, text := range values {
			if len(text) >= len(value) {
				values[n] = maskToken(text, value)
			}
		}
	}
}

// stars stand for a token in what comes back.
const stars = "***"

// longToken is the length in bytes from which a token is masked within longer words
// too; a shorter one may be part of a word by chance.
const longToken = 16

// maskToken returns text with stars for each token of that value in it, as it is or
// percent-encoded, also of that encoding. It takes time in proportion to text.
func maskToken(text, value string) string {
	if value == "" {
		return text
	}
	plain, at := text, []int32(nil)
	if strings.IndexByte(text, '%') >= 0 {
		plain, at = unescape(text)
	}
	if !strings.Contains(plain, value) {
		return text
	}
	place := func(i int) int {
		if at == nil {
			return i
		}
		return int(at[i])
	}
	var b strings.Builder
	done := 0 // bytes of text that are in b
	for from := 0; ; {
		i := strings.Index(plain[from:], value)
		if i < 0 {
			break
		}
		start, end := from+i, from+i+len(value)
		from = end
		if len(value) < longToken && !isWord(plain, start, end) {
			from = start + 1
			continue
		}
		b.WriteString(text[done:place(start)])
		b.WriteString(stars)
		done = place(end)
	}
	b.WriteString(text[done:])
	return b.String()
}

// isWord tells whether no letter or digit stands before or behind a part of text.
func isWord(text string, start, end int) bool {
	return (start == 0 || !isAlphanumeric(text[start-1])) && (end == len(text) || !isAlphanumeric(text[end]))
}

func isAlphanumeric(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z'
}

// unescape returns text with its percent-encodings undone, also those of others,
// and where in text each byte of it stands, with one place more for its end.
func unescape(text string) (plain string, at []int32) {
	var b strings.Builder
	b.Grow(len(text))
	at = make([]int32, 0, len(text)+1)
	for i := 0; i < len(text); {
		c, n := octet(text[i:])
		b.WriteByte(c)
		at = append(at, int32(i))
		i += n
	}
	return b.String(), append(at, int32(len(text)))
}

// octet returns the first byte of text, with its percent-encodings undone (RFC 3986
// section 2.1), and how long it is there.
func octet(text string) (c byte, n int) {
	if text[0] != '%' {
		return text[0], 1
	}
	n = 1
	for strings.HasPrefix(text[n:], "25") { // of a percent sign that is encoded itself
		n += 2
	}
	if n+2 <= len(text) {
		if high, low := hexDigit(text[n]), hexDigit(text[n+1]); high >= 0 && low >= 0 {
			return byte(high<<4 | low), n + 2
		}
	}
	return '%', n
}

func hexDigit(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return int(c|0x20-'a') + 10
	}
	return -1
}

// redact returns text less the parameters that hold the token of that value, each
// with the separator that it brings.
func (q *inQuery) redact(text, value string) string {
	name := q.name + "="
	var out []byte
	done, ends := 0, 0 // what is in out, and where the parameter that is looked at ends
	for from := 0; ; {
		i := strings.Index(text[from:], name)
		if i < 0 {
			break
		}
		start := from + i
		from = start + len(name)
		if start == 0 || strings.IndexByte("?&;#", text[start-1]) < 0 {
			continue
		}
		if ends < from {
			ends = paramEnd(text, from)
		}
		if !holds(text[from:ends], value) {
			continue
		}
		from = ends
		out = append(out, text[done:start]...)
		if done = ends; ends < len(text) && (text[ends] == '&' || text[ends] == ';') {
			done++
		} else {
			out = out[:len(out)-1]
		}
	}
	if out == nil {
		return text
	}
	return string(append(out, text[done:]...))
}

// paramEnd is where the parameter ends whose value begins at from.
func paramEnd(text string, from int) int {
	if n := strings.IndexAny(text[from:], "&;#<>\"' "); n >= 0 {
		return from + n
	}
	return len(text)
}

// holds tells whether param, form-encoded, is value.
func holds(param, value string) bool {
	i := 0
	for ; i < len(value) && param != ""; i++ {
		c, n := param[0], 1
		switch {
		case c == '+':
			c = ' '
		case c == '%' && len(param) > 2:
			if high, low := hexDigit(param[1]), hexDigit(param[2]); high >= 0 && low >= 0 {
				c, n = byte(high<<4|low), 3
			}
		}
		if c != value[i] {
			return false
		}
		param = param[n:]
	}
	return i == len(value) && param == ""
}
