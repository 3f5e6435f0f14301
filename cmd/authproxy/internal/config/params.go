package config

import (
	"maps"
	"slices"
	"strings"

	"authproxy/cmd/authproxy/internal/config/tree"
	"authproxy/internal/template"
)

// param is a name of one token that templates can hold.
type param struct {
	value    *tree.Node // given in the file; literal
	def      *tree.Node // the default; may hold the names of other params
	required bool
	at       *tree.Node // where it would be given
}

// paramKeys are the keys of the definition of a param.
type paramKeys struct {
	Required bool   `yaml:"required"`
	Default  string `yaml:"default"` // may hold the names of other params
}

// params are the names of one token, with their values as far as they are needed.
type params struct {
	p      *parser
	byName map[string]param
	done   map[string]string
	busy   map[string]bool
	bad    map[string]bool // what has no value, which is a fault, and what needs it
	inURL  map[string]bool // what stands in a URL that is called
	made   []string        // the secrets and values of the token, in the order in which they stand
	open   bool            // the preset is not known: any name may stand for something, and nothing is missing
}

// params reads the definitions of a preset and what the file says over them. token is the merged
// token; open says that its preset is not known.
func (p *parser) params(base, over, token *tree.Node, open bool) *params {
	s := &params{p: p, byName: map[string]param{}, done: map[string]string{}, busy: map[string]bool{}, bad: map[string]bool{}, inURL: map[string]bool{}, open: open}
	at := over.Missing("params", tree.Mapping)
	for _, e := range base.Child("params").Entries {
		s.define(e, at)
	}
	given := over.Child("params")
	p.faults.IsMapping(given)
	for _, e := range given.Entries {
		if e.Value.Kind == tree.Mapping {
			s.define(e, at)
		}
	}
	for _, e := range given.Entries {
		if _, known := s.byName[e.Name]; !known && e.Value.Kind == tree.Scalar && over.Has("request") {
			s.define(e, at) // a dialect of the file's own: the value is what there is
		} else if e.Value.Kind != tree.Mapping {
			s.give(e)
		}
	}
	scope := token.Missing("scopes", tree.Scalar).Literal("")
	var scopes []string
	token.Child("scopes").Leaves(func(n *tree.Node) { scopes = append(scopes, n.Text) })
	scope.Text = strings.Join(scopes, " ")
	s.byName["scope"] = param{value: scope, at: scope}
	s.ownURL(token)
	s.noteURLs(token)
	return s
}

// noteURLs notes the params in the URLs of token, and in what those are made of.
func (s *params) noteURLs(token *tree.Node) {
	var note func(text string)
	note = func(text string) {
		for _, name := range template.Parse(text).Names() {
			if s.inURL[name] {
				continue
			}
			s.inURL[name] = true
			if def := s.byName[name].def; def != nil {
				note(def.Text)
			}
		}
	}
	for _, key := range append(requestKeys(), "upstream") {
		if url := token.Child(key).Get("url"); url != nil {
			note(url.Text)
		}
	}
}

// ownURL makes token_url a param.
func (s *params) ownURL(token *tree.Node) {
	d := param{value: token.Get("token_url"), required: true, at: token.Missing("token_url", tree.Scalar)}
	switch {
	case d.value.Blank():
		d.value = nil
	case d.value.Kind != tree.Scalar:
		s.bad["token_url"], d.required = true, false
	}
	s.byName["token_url"] = d
}

func (s *params) define(e tree.Entry, at *tree.Node) {
	var d paramKeys
	if e.Value.Empty() {
		s.bad[e.Name] = true
		s.p.fault(e.Value, "has no value", "write one, or a definition: { required: true } or { default: ... }")
		return
	}
	def := e.Value
	if def.Kind != tree.Scalar { // which is a default alone
		s.p.fill(e.Value, &d)
		def = e.Value.Get("default")
	}
	reserved := slices.Concat(s.p.words.Reserved, []string{"token_url", "scope"})
	if !template.IsName(e.Name) || contains(reserved, e.Name) {
		s.p.fault(e.Value, "is not a name for a param", "use lower-case letters, digits and '_'; "+
			strings.Join(reserved, ", ")+" have a meaning of their own")
		return
	}
	s.byName[e.Name] = param{def: def, required: d.Required, at: at.Missing(e.Name, tree.Scalar)}
}

func (s *params) give(e tree.Entry) {
	d, known := s.byName[e.Name]
	at := &tree.Node{File: e.Value.File, Line: e.Line, Path: e.Value.Path}
	switch {
	case !known && !s.open:
		s.p.fault(at, "unknown param", tree.Suggest(e.Name, "params", slices.Collect(maps.Keys(s.byName))))
	case e.Value.Kind == tree.List:
		s.bad[e.Name] = true
		s.p.fault(e.Value, "must be a single value, not a list", "write one value")
	default:
		d.value = e.Value
		s.byName[e.Name] = d
	}
}

// names are all that a template of the token may hold.
func (s *params) names() []string {
	return slices.Concat(slices.Collect(maps.Keys(s.byName)), CredentialNames(), s.made, s.p.words.Reserved)
}

// value returns what name stands for, and records a fault when it is needed and not there. via is the
// param whose default needs it, or "". A slash at the end of a URL that is the beginning of another is cut
// off, so that templates can go on with one; elsewhere it may be part of a name.
func (s *params) value(name, via string) string {
	if v, ok := s.done[name]; ok {
		return v
	}
	d := s.byName[name]
	var v string
	switch {
	case d.value != nil:
		v = d.value.Text
		if isURL(v) && s.inURL[name] {
			v = strings.TrimRight(v, "/")
		}
	case d.def != nil:
		v = s.expandDefault(name, d)
	}
	if v == "" && d.required && s.open {
		s.bad[name] = true
	} else if v == "" && d.required && !s.bad[name] {
		s.bad[name] = true
		fix := "give it"
		if via != "" {
			fix += ", or give " + via + " instead"
		}
		s.p.fault(d.at, missing, fix)
	}
	s.done[name] = v
	return v
}

// changesURL says whether r in a part of a host makes another URL of it.
func changesURL(r rune) bool { return r <= ' ' || r == 0x7f || strings.ContainsRune(`/\?#@:%`, r) }

func isURL(text string) bool {
	return strings.HasPrefix(text, "http://") || strings.HasPrefix(text, "https://")
}

func (s *params) expandDefault(name string, d param) string {
	if s.busy[name] {
		s.p.fault(d.def, "the default needs its own value", "take the param itself out of it")
		s.bad[name] = true
		return ""
	}
	s.busy[name] = true
	defer delete(s.busy, name)
	return fill(d.def.Text, func(other string) string {
		if _, known := s.byName[other]; !known { // a fault already
			s.bad[name] = true
			return ""
		}
		v := s.value(other, name)
		if given := s.byName[other].value; given != nil && isURL(d.def.Text) && strings.ContainsFunc(v, changesURL) {
			s.p.fault(given, "holds a character that would change the URL it stands in", "write the bare name, or give "+name)
			s.bad[other] = true
		}
		s.bad[name] = s.bad[name] || s.bad[other]
		return v
	})
}

// blame returns where the beginning of the template n comes from: what the file gives, when it gives it.
func (s *params) blame(n *tree.Node) *tree.Node {
	for range len(s.byName) + 1 {
		names := template.Parse(n.Text).Names()
		if len(names) == 0 {
			return n
		}
		d, ok := s.byName[names[0]]
		switch {
		case !ok:
			return n
		case d.value != nil:
			return d.value
		case d.def == nil:
			return d.at
		}
		n = d.def
	}
	return n
}
