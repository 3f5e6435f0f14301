package proxy

import (
	"net/http"
	"net/url"
	"strings"

	"authproxy/proxy/internal/redact"
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
			values[n] = redact.Text(text, value)
		}
	}
}

// maskBody hides the token of that value in the body of resp. It is for answers that
// refuse the token and go to the client all the same. What is compressed passes as it
// is, since the token is not to be read in it.
func maskBody(resp *http.Response, value string) {
	if resp.Body != nil && resp.Body != http.NoBody {
		resp.Body = redact.Body(resp.Body, value)
	}
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

// holds tells whether param, form-encoded, is value. It looks no further than that
// may be.
func holds(param, value string) bool {
	if value == "" || len(param) < len(value) || len(param) > 3*len(value) || param[0] != value[0] && param[0] != '%' && param[0] != '+' {
		return false
	}
	plain, err := url.QueryUnescape(param)
	return err == nil && plain == value
}
