package proxy

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/ohler55/ojg/jp"
)

// Refusal says which answers mean that the token was refused. The zero value
// means that none does.
type Refusal struct {
	// Status lists the statuses, unless WWW-Authenticate says that the token is
	// good but does not suffice (RFC 6750 section 3.1).
	Status []int
	// Body lists what stands in a JSON body, at any status. Any one is enough.
	Body []Match
	// Header lists header fields and their values. Any one is enough.
	Header map[string][]string
}

// Match is a place in a JSON document and the values looked for there.
// Numbers, strings and booleans compare by text.
type Match struct {
	Path   jp.Expr
	Values []string
}

// refusal is Refusal made ready.
type refusal struct {
	Refusal
	needles [][]byte // one of them stands in every body that matches
}

func newRefusal(r Refusal) *refusal {
	ready := &refusal{Refusal: r}
	for _, m := range r.Body {
		for _, v := range m.Values {
			ready.needles = append(ready.needles, []byte(v))
		}
	}
	return ready
}

// trigger tells what in resp says that the token was refused; "" for nothing.
// The body of resp afterwards brings the same bytes as before.
func (r *refusal) trigger(resp *http.Response) Trigger {
	if slices.Contains(r.Status, resp.StatusCode) && !tokenIsGood(resp.Header["Www-Authenticate"]) {
		return TriggerStatus
	}
	for name, values := range r.Header {
		if slices.Contains(values, resp.Header.Get(name)) {
			return TriggerStatus
		}
	}
	if len(r.Body) > 0 && r.inBody(resp) {
		return TriggerBody
	}
	return ""
}

// matches tells whether doc, a whole JSON document, holds one of the values.
// A document without any of their texts is not parsed; one with escapes is,
// since these may hide the text.
func (r *refusal) matches(doc []byte) bool {
	if !r.mayMatch(doc) {
		return false
	}
	decoder := json.NewDecoder(bytes.NewReader(bytes.TrimPrefix(doc, byteOrderMark)))
	decoder.UseNumber()
	var v any
	if decoder.Decode(&v) != nil {
		return false
	}
	return slices.ContainsFunc(r.Body, func(m Match) bool { return m.in(v) })
}

func (r *refusal) mayMatch(doc []byte) bool {
	for _, needle := range r.needles {
		if bytes.Contains(doc, needle) {
			return true
		}
	}
	return bytes.Contains(doc, []byte(`\u`)) || bytes.Contains(doc, []byte(`\/`))
}

func (m Match) in(doc any) bool {
	return slices.ContainsFunc(m.Path.Get(doc), m.is)
}

func (m Match) is(value any) bool {
	switch v := value.(type) {
	case string:
		return slices.Contains(m.Values, v)
	case json.Number:
		return slices.Contains(m.Values, v.String())
	case bool:
		return v && slices.Contains(m.Values, "true") || !v && slices.Contains(m.Values, "false")
	default:
		return false
	}
}

// tokenIsGood tells whether one of the challenges says that another token
// would be refused as well: insufficient_scope or invalid_request, RFC 6750
// section 3.1.
func tokenIsGood(challenges []string) bool {
	for _, c := range challenges {
		for rest := c; rest != ""; {
			var name, value string
			name, value, rest = nextParam(rest)
			if strings.EqualFold(name, "error") && (value == "insufficient_scope" || value == "invalid_request") {
				return true
			}
		}
	}
	return false
}

// nextParam takes the next auth-param (RFC 9110 section 11.2) off s. Words
// that are none, such as the scheme, come as a name without a value.
func nextParam(s string) (name, value, rest string) {
	s = strings.TrimLeft(s, " \t,")
	end := strings.IndexAny(s, " \t,=")
	if end < 0 {
		return s, "", ""
	}
	name, rest = s[:end], strings.TrimLeft(s[end:], " \t")
	if !strings.HasPrefix(rest, "=") {
		return name, "", rest
	}
	rest = strings.TrimLeft(rest[1:], " \t")
	if strings.HasPrefix(rest, `"`) {
		value, rest = quoted(rest[1:])
		return name, value, rest
	}
	end = strings.IndexAny(rest, " \t,")
	if end < 0 {
		return name, rest, ""
	}
	return name, rest[:end], rest[end:]
}

// quoted reads a quoted-string whose opening quote has been taken off.
func quoted(s string) (value, rest string) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '"':
			return b.String(), s[i+1:]
		case s[i] == '\\' && i+1 < len(s):
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String(), ""
}
