package endpoint

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"authproxy/internal/httpsyntax"
	"authproxy/internal/template"
)

// member is one entry of a form, a query or the headers.
type member struct {
	key   string
	value template.Template
}

// request is a compiled [Request].
type request struct {
	where   string // its name in Options, in lower case
	grants  bool   // it asks for a token
	agent   string // the User-Agent
	method  string
	url     template.Template
	shown   string // the URL for error texts
	auth    AuthMethod
	headers []member
	query   []member
	form    []member
	json    any // as decoded by encoding/json, with templates for strings
	content string
	ok      []Match
	uses    map[string]bool // the placeholders
}

// build makes the request to send. Its errors name places, never values.
func (r *request) build(ctx context.Context, v values) (*http.Request, error) {
	target, err := r.target(v)
	if err != nil {
		return nil, err
	}
	body, err := r.body(v)
	if err != nil {
		return nil, err
	}
	var reader io.Reader
	if r.content != "" {
		reader = bytes.NewReader(body)
	}
	req, err := http.NewRequestWithContext(ctx, r.method, target.String(), reader)
	if err != nil {
		return nil, errors.New("the method and the URL make no request")
	}
	if r.content != "" {
		req.Header.Set("Content-Type", r.content)
	}
	return req, r.setHeaders(req, v)
}

func (r *request) target(v values) (*url.URL, error) {
	u, err := url.Parse(r.url.FillURL(v.inURL))
	switch {
	case err != nil:
		return nil, errors.New("the URL is not valid")
	case u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return nil, errors.New("the URL must begin with http:// or https:// and a host")
	case u.User != nil:
		return nil, errors.New("no user belongs in the URL; use auth")
	case u.Fragment != "":
		return nil, errors.New("no fragment (#) belongs in the URL")
	}
	if more := encode(r.query, v); more != "" {
		u.RawQuery = strings.TrimPrefix(strings.TrimSuffix(u.RawQuery, "&")+"&"+more, "&")
	}
	return u, nil
}

// encode is the form encoding of the members that are not absent.
func encode(members []member, v values) string {
	form := url.Values{}
	for _, m := range members {
		if !m.value.Absent(v.of) {
			form.Set(m.key, m.value.Fill(v.of))
		}
	}
	return form.Encode()
}

func (r *request) body(v values) ([]byte, error) {
	if r.json == nil {
		return []byte(encode(r.form, v)), nil
	}
	filled, err := fillJSON(r.json, v)
	if err != nil {
		return nil, err
	}
	return json.Marshal(filled)
}

// numeral is a template that stands in JSON as a number.
type numeral template.Template

func fillJSON(node any, v values) (any, error) {
	switch node := node.(type) {
	case template.Template:
		text := node.Fill(v.of)
		if !utf8.ValidString(text) {
			return nil, errors.New("a value for the JSON body is not UTF-8")
		}
		return text, nil
	case numeral:
		return asNumber(template.Template(node).Fill(v.of))
	case []any:
		list := make([]any, len(node))
		for i := range node {
			var err error
			if list[i], err = fillJSON(node[i], v); err != nil {
				return nil, err
			}
		}
		return list, nil
	case map[string]any:
		return fillObject(node, v)
	}
	return node, nil
}

func fillObject(node map[string]any, v values) (any, error) {
	object := make(map[string]any, len(node))
	for key, value := range node {
		if t, ok := value.(template.Template); ok && t.Absent(v.of) {
			continue
		}
		var err error
		if object[key], err = fillJSON(value, v); err != nil {
			return nil, err
		}
	}
	return object, nil
}

// setHeaders sets the headers of the template, User-Agent and Accept, and no
// others: an empty User-Agent keeps net/http from sending its own. RFC 6749 section
// 5.1 has answers in JSON; some firewalls refuse what names no User-Agent.
func (r *request) setHeaders(req *http.Request, v values) error {
	req.Header["User-Agent"] = []string{r.agent}
	req.Header["Accept"] = []string{"application/json"}
	for _, m := range r.headers {
		value := m.value.Fill(v.of)
		switch {
		case value == "" && m.key == "User-Agent":
			req.Header[m.key] = []string{""}
		case value == "":
			delete(req.Header, m.key)
		case httpsyntax.HasControl(value):
			return fmt.Errorf("the value of the header %s holds control characters", m.key)
		case m.key == "Host":
			req.Host = value
		default:
			req.Header.Set(m.key, value)
		}
	}
	return r.auth.authenticate(req, v)
}
