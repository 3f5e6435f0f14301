package config

import (
	"maps"
	"slices"
	"strings"
)

// param is a name of one token that templates can hold.
type param struct {
	value    *node // given in the file; literal
	def      *node // the default; may hold the names of other params
	required bool
	at       *node // where it would be given
}

// params are the names of one token, with their values as far as they are needed.
type params struct {
	p      *parser
	byName map[string]param
	done   map[string]string
	busy   map[string]bool
	bad    map[string]bool // what has no value, which is a fault, and what needs it
	open   bool            // the preset is not known: any name may stand for something, and nothing is missing
}

// params reads the definitions of a preset and what the file says over them. token is the merged
// token; open says that its preset is not known.
func (p *parser) params(base, over, token *node, open bool) *params {
	s := &params{p: p, byName: map[string]param{}, done: map[string]string{}, busy: map[string]bool{}, bad: map[string]bool{}, open: open}
	at := over.missing("params", mapping)
	for _, e := range base.child("params").entries {
		s.define(e, at)
	}
	given := over.child("params")
	p.isMapping(given)
	for _, e := range given.entries {
		if e.value.kind == mapping {
			s.define(e, at)
		}
	}
	for _, e := range given.entries {
		if e.value.kind != mapping {
			s.give(e)
		}
	}
	scope := token.missing("scopes", scalar).scalar("")
	var scopes []string
	token.child("scopes").leaves(func(n *node) { scopes = append(scopes, n.text) })
	scope.text = strings.Join(scopes, " ")
	s.byName["scope"] = param{value: scope, at: scope}
	s.ownURL(token)
	return s
}

// ownURL makes token_url a param.
func (s *params) ownURL(token *node) {
	d := param{value: token.get("token_url"), required: true, at: token.missing("token_url", scalar)}
	switch {
	case d.value.blank():
		d.value = nil
	case d.value.kind != scalar:
		s.bad["token_url"], d.required = true, false
	}
	s.byName["token_url"] = d
}

func (s *params) define(e entry, at *node) {
	var d struct {
		Required bool   `yaml:"required"`
		Default  string `yaml:"default"`
	}
	if e.value.empty() {
		s.bad[e.name] = true
		s.p.fault(e.value, "has no value", "write one, or a definition: { required: true } or { default: ... }")
		return
	}
	s.p.fill(e.value, &d)
	reserved := append(dynamicNames(), "token_url", "scope")
	if m := placeholders("{" + e.name + "}"); len(m) != 1 || m[0] != e.name || contains(reserved, e.name) {
		s.p.fault(e.value, "is not a name for a param", "use lower-case letters, digits and '_'; "+
			strings.Join(reserved, ", ")+" have a meaning of their own")
		return
	}
	s.byName[e.name] = param{def: e.value.get("default"), required: d.Required, at: at.missing(e.name, scalar)}
}

func (s *params) give(e entry) {
	d, known := s.byName[e.name]
	at := &node{file: e.value.file, line: e.line, path: e.value.path}
	switch {
	case !known && !s.open:
		s.p.fault(at, "unknown param", suggest(e.name, "params", slices.Collect(maps.Keys(s.byName))))
	case e.value.kind == list:
		s.bad[e.name] = true
		s.p.fault(e.value, "must be a single value, not a list", "write one value")
	default:
		d.value = e.value
		s.byName[e.name] = d
	}
}

// names are all that a template of the token may hold.
func (s *params) names() []string {
	return slices.Concat(slices.Collect(maps.Keys(s.byName)), credentialNames(), dynamicNames())
}

// value returns what name stands for, and records a fault when it is needed and not there. via is the
// param whose default needs it, or "". A slash at the end of a URL is cut off, so that templates can
// go on with one.
func (s *params) value(name, via string) string {
	if v, ok := s.done[name]; ok {
		return v
	}
	d := s.byName[name]
	var v string
	switch {
	case d.value != nil:
		v = d.value.text
		if isURL(v) {
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
			fix += ", or give " + via + " in its stead"
		}
		s.p.fault(d.at, "missing", fix)
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
	return substitute(d.def.text, func(other string) string {
		if _, known := s.byName[other]; !known { // a fault already
			s.bad[name] = true
			return ""
		}
		v := s.value(other, name)
		if given := s.byName[other].value; given != nil && isURL(d.def.text) && strings.ContainsFunc(v, changesURL) {
			s.p.fault(given, "holds a character that would change the URL it stands in", "write the bare name, or give "+name)
			s.bad[other] = true
		}
		s.bad[name] = s.bad[name] || s.bad[other]
		return v
	})
}

// blame returns where the beginning of the template n comes from: what the file gives, when it gives it.
func (s *params) blame(n *node) *node {
	for range len(s.byName) + 1 {
		names := placeholders(n.text)
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
