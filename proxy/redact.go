package proxy

import (
	"encoding/hex"
	"net/http"
	"net/url"
	"regexp"
	"strings"
)

// Redact implements [Authorizer]: a server that redirects to another path, or to
// where one signs in, repeats the query that it got.
func (q *inQuery) Redact(h http.Header, token Token) {
	for _, values := range h {
		for n, text := range values {
			values[n] = q.redactNested(q.redact(text, token.Value), token.Value)
		}
	}
}

// redact returns text less the parameters that hold the token of that value.
func (q *inQuery) redact(text, value string) string {
	name := q.name + "="
	for from := 0; ; {
		at := strings.Index(text[from:], name)
		if at < 0 {
			return text
		}
		start := from + at
		from = start + len(name)
		end := len(text)
		if n := strings.IndexAny(text[from:], "&;#<>\"' "); n >= 0 {
			end = from + n
		}
		got, err := url.QueryUnescape(text[from:end])
		if err != nil || got != value || start == 0 || !strings.Contains("?&;#", text[start-1:start]) {
			continue
		}
		if end < len(text) && strings.Contains("&;", text[end:end+1]) {
			text, from = text[:start]+text[end+1:], start
		} else {
			text, from = text[:start-1]+text[end:], start-1
		}
	}
}

// redactNested returns text less the token of that value where it is a
// parameter of an address that is itself, encoded, the parameter of another.
func (q *inQuery) redactNested(text, value string) string {
	if !strings.Contains(text, "%") {
		return text
	}
	for from := 0; ; {
		at := q.nested.FindStringIndex(text[from:])
		if at == nil {
			return text
		}
		from += at[1]
		if n := encoded(text[from:], value); n > 0 {
			text = text[:from] + text[from+n:]
		}
	}
}

// encoded returns the length of value as text begins with it, percent-encoded
// once or several times; 0 when it begins with another one.
func encoded(text, value string) int {
	n := 0
	for i := range len(value) {
		m := octets.FindStringSubmatch(text[n:])
		if m == nil {
			return 0
		}
		c := m[0][0]
		if b, err := hex.DecodeString(m[1]); err == nil && len(b) == 1 {
			c = b[0]
		}
		if c != value[i] {
			return 0
		}
		n += len(m[0])
	}
	if m := octets.FindString(text[n:]); m != "" && m[0] != '%' && !strings.Contains("&;#<>\"' ", m) {
		return 0
	}
	return n
}

// octets matches a byte, or its percent-encoding, also of that encoding.
var octets = regexp.MustCompile(`(?s)^(?:%(?:25)*([0-9A-Fa-f]{2})|.)`)
