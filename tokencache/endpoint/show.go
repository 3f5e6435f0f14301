package endpoint

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"authproxy/internal/printable"
	"authproxy/internal/template"
)

// Exchange is a request to a platform and its answer, for people who write a dialect: each
// secret and each token stands there by its name.
type Exchange struct {
	Request, Answer string
	// Ahead is by how much the clock of this machine is ahead of the platform's, as the Date
	// of the answer has it, to the second; negative when it is behind, 0 without a Date.
	Ahead time.Duration
}

// maxShownBody is how many bytes of an answer are shown.
const maxShownBody = 4 << 10

// show tells whoever looks on.
func (c *call) show(a *answer, err error) {
	if c.endpoint.show == nil {
		return
	}
	x := Exchange{Request: c.request.written(c.endpoint.params)}
	switch {
	case a != nil:
		x.Answer = c.written(a)
		if date, err := http.ParseTime(a.header.Get("Date")); err == nil {
			x.Ahead = time.Since(date).Truncate(time.Second)
		}
	case err != nil:
		x.Answer = err.Error()
	}
	c.endpoint.show(x)
}

// written is the request as its template has it, with the values of params.
func (r *request) written(params map[string]string) string {
	fill := func(t template.Template) string {
		return t.Fill(func(p template.Piece) string {
			if value, ok := params[p.Name]; ok {
				return value
			}
			return p.String()
		})
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s", r.method, r.shown)
	there := func(m member) bool {
		return !m.value.Absent(func(p template.Piece) string {
			if value, ok := params[p.Name]; ok {
				return value
			}
			return p.Name
		})
	}
	before := "?"
	for _, m := range r.query {
		if there(m) {
			fmt.Fprintf(&b, "%s%s=%s", before, m.key, fill(m.value))
			before = "&"
		}
	}
	b.WriteByte('\n')
	if r.auth.Header != "" {
		fmt.Fprintf(&b, "%s: (%s, of {%s})\n", r.auth.Header, r.auth.Name, strings.Join(r.auth.Needs, "} and {"))
	}
	for _, m := range r.headers {
		fmt.Fprintf(&b, "%s: %s\n", m.key, fill(m.value))
	}
	for _, m := range r.form {
		if there(m) {
			fmt.Fprintf(&b, "  %s = %s\n", m.key, fill(m.value))
		}
	}
	if r.json != nil {
		body, err := json.Marshal(named(r.json, fill))
		if err == nil {
			fmt.Fprintf(&b, "%s\n", body)
		}
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// named is the JSON node with its templates as texts.
func named(node any, fill func(template.Template) string) any {
	switch node := node.(type) {
	case template.Template:
		return fill(node)
	case numeral:
		return fill(template.Template(node))
	case []any:
		list := make([]any, len(node))
		for i := range node {
			list[i] = named(node[i], fill)
		}
		return list
	case map[string]any:
		object := make(map[string]any, len(node))
		for key, value := range node {
			object[key] = named(value, fill)
		}
		return object
	}
	return node
}

// written is the answer a, with names for what must not be shown.
func (c *call) written(a *answer) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d %s\n", a.status, http.StatusText(a.status))
	hide := c.names(a)
	for _, name := range []string{"Content-Type", "Date", "Retry-After", "Location", "Www-Authenticate", "Set-Cookie", c.endpoint.response.Token.Header} {
		for _, value := range a.header[name] {
			if name == "Set-Cookie" { // what is none of ours may be a session all the same
				of, _, _ := strings.Cut(value, "=")
				value = of + "=***"
			}
			fmt.Fprintf(&b, "%s: %s\n", name, printable.Text(hide(value), 512))
		}
	}
	switch {
	case a.tooLarge:
		b.WriteString("(more than 1 MiB)")
	case a.text != "":
		b.WriteString(printable.Text(hide(a.text), maxShownBody))
	default:
		b.WriteString("(no body)")
	}
	return b.String()
}

// names returns what puts names in the places of secrets and tokens, and stars in those of
// parts and other spellings of them.
func (c *call) names(a *answer) func(string) string {
	values := map[string]string{}
	for _, name := range c.endpoint.secrets {
		values[c.values[name]] = "{" + name + "}"
	}
	for _, d := range c.endpoint.derived {
		if d.secret {
			values[c.values[d.Name]] = "{" + d.Name + "}"
		}
	}
	values[c.values[jwtName]] = "{" + jwtName + "}"
	for _, text := range a.tokens(c.endpoint.response.RefreshToken) {
		values[text] = "{refresh_token}"
	}
	for _, text := range a.tokens(c.endpoint.response.Token) {
		values[text] = "{token}"
	}
	delete(values, "")
	longest := make([]string, 0, len(values))
	for value := range values {
		longest = append(longest, value)
	}
	slices.SortFunc(longest, func(x, y string) int { return len(y) - len(x) })
	var pairs []string
	for _, value := range longest {
		pairs = append(pairs, value, "\x00"+values[value]+"\x00")
	}
	replacer := strings.NewReplacer(pairs...)
	return func(text string) string {
		// What got a name is set apart, so that no mask falls on it.
		parts := strings.Split(replacer.Replace(strings.ReplaceAll(text, "\x00", "")), "\x00")
		for i := 0; i < len(parts); i += 2 {
			parts[i] = c.secrets.mask(parts[i])
		}
		return strings.Join(parts, "")
	}
}
