package endpoint

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"authproxy/internal/httpsyntax"
	"authproxy/internal/template"
)

// compiler turns one [Request] into a request and collects the faults.
type compiler struct {
	where  string
	known  map[string]bool
	uses   map[string]bool
	made   map[string]derived // the values, by name
	faults []error
}

// newCompiler returns a compiler of the templates of where.
func newCompiler(where string, o Options, made []derived) *compiler {
	c := &compiler{where: where, known: map[string]bool{}, uses: map[string]bool{}, made: map[string]derived{}}
	for _, d := range made {
		c.known[d.Name], c.made[d.Name] = true, d
	}
	for _, name := range slices.Concat(Reserved(), o.Secrets, slices.Collect(maps.Keys(o.Params))) {
		c.known[name] = true
	}
	return c
}

// compileRequest returns all faults, and a request that is usable when there
// are none. Names of placeholders are those of o.
func compileRequest(where string, from Request, o Options, made []derived) (*request, []error) {
	c := newCompiler(where, o, made)
	auth := c.auth(from.Auth)
	r := &request{
		where:   where,
		grants:  where == "request" || where == "refresh" || where == "force",
		agent:   o.UserAgent,
		method:  from.Method,
		url:     c.template("url", from.URL),
		auth:    auth,
		headers: c.headers(from.Headers, auth),
		query:   c.members("query", from.Query),
		form:    c.members("form", from.Form),
		json:    c.json(from.JSON),
		ok:      from.OK,
		uses:    c.uses,
	}
	r.shown = shown(r.url, o.Params)
	c.body(r, from)
	c.faults = append(c.faults, checkMatches(where+".ok", from.OK)...)
	c.rehearse(r, o.Params)
	return r, c.faults
}

func (c *compiler) fault(place, format string, args ...any) {
	c.faults = append(c.faults, fmt.Errorf("%s.%s: "+format, append([]any{c.where, place}, args...)...))
}

func (c *compiler) template(place, text string) template.Template {
	t := template.Parse(text)
	for _, name := range t.Names() {
		if !c.known[name] {
			c.fault(place, "unknown {%s}; known are %s", name, strings.Join(slices.Sorted(maps.Keys(c.known)), ", "))
		}
		c.uses[name] = true
		maps.Copy(c.uses, c.made[name].uses)
	}
	return t
}

// shown is t as a URL to show: no query, and of all values only those of
// params; the other placeholders are left as they are.
func shown(t template.Template, params map[string]string) string {
	text := t.FillURL(func(p template.Piece) (string, bool) {
		if value, ok := params[p.Name]; ok {
			return value, false
		}
		return p.String(), true
	})
	text, _, _ = strings.Cut(text, "?")
	return text
}

func (c *compiler) members(place string, from map[string]string) []member {
	var members []member
	for _, key := range slices.Sorted(maps.Keys(from)) {
		members = append(members, member{key, c.template(place+"."+key, from[key])})
	}
	return members
}

func (c *compiler) headers(from map[string]string, auth AuthMethod) []member {
	members := c.members("headers", from)
	seen := map[string]bool{}
	for i := range members {
		key := http.CanonicalHeaderKey(members[i].key)
		switch place := "headers." + members[i].key; {
		case !httpsyntax.IsToken(key):
			c.fault(place, "this is no name of a header")
		case seen[key]:
			c.fault(place, "this header is given twice")
		case slices.Contains([]string{"Content-Length", "Transfer-Encoding", "Trailer", "Connection"}, key):
			c.fault(place, "this header follows from the body and the connection; leave it out")
		case key == auth.Header:
			c.fault(place, "give either this header or auth, not both")
		}
		members[i].key, seen[key] = key, true
	}
	return members
}

// json brings any value into the form that encoding/json decodes to, and
// compiles the strings in it.
func (c *compiler) json(from any) any {
	if from == nil {
		return nil
	}
	text, err := json.Marshal(from)
	if err != nil {
		c.fault("json", "this cannot be written as JSON: %v", err)
		return nil
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	var node any
	if err := dec.Decode(&node); err != nil {
		c.fault("json", "this cannot be written as JSON: %v", err)
	}
	return c.jsonNode("json", node)
}

func (c *compiler) jsonNode(place string, node any) any {
	switch node := node.(type) {
	case string:
		t := c.template(place, node)
		if len(t) == 1 && c.made[t[0].Name].isNumber() {
			return numeral(t)
		}
		return t
	case []any:
		for i := range node {
			node[i] = c.jsonNode(fmt.Sprintf("%s[%d]", place, i), node[i])
		}
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(node)) {
			node[key] = c.jsonNode(place+"."+key, node[key])
		}
	}
	return node
}

func (c *compiler) body(r *request, from Request) {
	switch {
	case r.json != nil && len(from.Form) > 0:
		c.fault("form", "give either form or json, not both")
	case r.json != nil:
		r.content = "application/json"
	case len(from.Form) > 0:
		r.content = "application/x-www-form-urlencoded"
	}
	switch {
	case r.method == "" && r.content != "":
		r.method = http.MethodPost
	case r.method == "":
		r.method = http.MethodGet
	case !httpsyntax.IsToken(r.method):
		c.fault("method", "%q is no HTTP method", r.method)
		r.method = http.MethodGet
	}
}

func (c *compiler) auth(name string) AuthMethod {
	m, ok := authMethod(name)
	if !ok {
		var names []string
		for _, m := range AuthMethods() {
			names = append(names, m.Name)
		}
		c.fault("auth", "%q is none of %s", name, strings.Join(names, ", "))
	}
	for _, need := range m.Needs {
		if !c.known[need] {
			c.fault("auth", "%s needs %s, which is none of the secrets", m.Name, need)
		}
		c.uses[need] = true
	}
	return m
}

// rehearse builds the request once with made-up values, which shows faults of
// the literal parts and of the parameters.
func (c *compiler) rehearse(r *request, params map[string]string) {
	v := values{}
	for name := range c.uses {
		v[name] = "x"
		if c.made[name].isNumber() {
			v[name] = "0"
		}
	}
	maps.Copy(v, params)
	if _, err := r.build(context.Background(), v); err != nil {
		c.faults = append(c.faults, fmt.Errorf("%s: %w", c.where, err))
	}
}
