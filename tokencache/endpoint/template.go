package endpoint

import (
	"net/url"
	"regexp"
	"strings"
)

// placeholder is {name}; braces around anything else stand for themselves.
var placeholder = regexp.MustCompile(`\{[a-z_][a-z0-9_]*\}`)

// ownNames are the placeholders that no parameter may take.
func ownNames() []string {
	return append(credentialNames(), "refresh_token", "token", "device_id", "now_s", "now_ms", "uuid")
}

func credentialNames() []string {
	return []string{"client_id", "client_secret", "username", "password"}
}

// values fill the placeholders.
type values map[string]string

// piece is a literal, or the name of a placeholder.
type piece struct{ literal, name string }

type template []piece

func parseTemplate(text string) template {
	var t template
	at := 0
	for _, m := range placeholder.FindAllStringIndex(text, -1) {
		if m[0] > at {
			t = append(t, piece{literal: text[at:m[0]]})
		}
		t = append(t, piece{name: text[m[0]+1 : m[1]-1]})
		at = m[1]
	}
	if at < len(text) {
		t = append(t, piece{literal: text[at:]})
	}
	return t
}

// text is the template with its placeholders filled, nothing encoded.
func (t template) text(v values) string {
	var b strings.Builder
	for _, p := range t {
		b.WriteString(p.literal)
		if p.name != "" {
			b.WriteString(v[p.name])
		}
	}
	return b.String()
}

// absent tells that there are only placeholders, and all of them are empty.
func (t template) absent(v values) bool {
	for _, p := range t {
		if p.name == "" || v[p.name] != "" {
			return false
		}
	}
	return len(t) > 0
}

// url fills the placeholders: the one at the very start as it is, those behind
// a question mark encoded for a query, the others for a path.
func (t template) url(v values) string {
	return t.urlWith(func(name string) (string, bool) { return v[name], false })
}

// shown is the template as a URL to show: no query, and of all values only
// those of params; the other placeholders are left as they are.
func (t template) shown(params map[string]string) string {
	text := t.urlWith(func(name string) (string, bool) {
		if value, ok := params[name]; ok {
			return value, false
		}
		return "{" + name + "}", true
	})
	text, _, _ = strings.Cut(text, "?")
	return text
}

// urlWith fills the placeholders with what value returns, and encodes it unless
// value says that it is fit already.
func (t template) urlWith(value func(name string) (text string, fit bool)) string {
	var b strings.Builder
	for i, p := range t {
		text, fit := p.literal, true
		if p.name != "" {
			text, fit = value(p.name)
		}
		switch {
		case p.name != "" && i == 0:
			text = base(text, t[1:])
		case fit:
		case strings.Contains(b.String(), "?"):
			text = url.QueryEscape(text)
		default:
			text = url.PathEscape(text)
		}
		b.WriteString(text)
	}
	return b.String()
}

// base is a base URL without its final slash where rest brings one.
func base(text string, rest template) string {
	if len(rest) > 0 && strings.HasPrefix(rest[0].literal, "/") {
		return strings.TrimRight(text, "/")
	}
	return text
}
