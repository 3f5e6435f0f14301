package config

import (
	"maps"
	"slices"
	"strings"

	"authproxy/cmd/authproxy/internal/config/tree"
	"authproxy/internal/template"
)

// useNames checks the templates of the merged token n, and fills in what they need.
func (p *parser) useNames(n *tree.Node, s *params, t *Token) {
	used := p.usedNames(n, s)
	p.defaults(s)
	unsure := s.open || p.faulty(t)
	for _, key := range requestKeys() {
		if auth := n.Child(key).Get("auth"); auth != nil {
			for _, name := range p.words.auth(auth.Text).Needs {
				used[name] = true
			}
		}
	}
	t.Params = map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(s.byName)) {
		if !contains(CredentialNames(), name) && (used[name] || s.byName[name].value != nil) {
			t.Params[name] = s.value(name, "")
		}
	}
	maps.Copy(t.Params, s.done) // and what those needed in turn
	t.Credentials = map[string]Secret{}
	for _, name := range CredentialNames() {
		delete(t.Params, name)
		p.credential(n, s, t, name, used[name], unsure)
	}
	for key, name := range map[string]string{"token_url": "token_url", "scopes": "scope"} {
		if n.Has(key) && !used[name] && !unsure {
			p.fault(n.Get(key), "has no effect: no request of this token holds {"+name+"}", "remove it")
		}
	}
	warned := len(p.warnings)
	for _, key := range requestKeys() {
		p.rehearse(n, key, s, t)
	}
	p.warnings = append(p.warnings[:warned], slices.Compact(p.warnings[warned:])...)
}

// usedNames returns the names in the requests of n, and records those that stand for nothing.
func (p *parser) usedNames(n *tree.Node, s *params) map[string]bool {
	used := map[string]bool{}
	known := s.names()
	visit := func(leaf *tree.Node) {
		for _, name := range template.Parse(leaf.Text).Names() {
			if !contains(known, name) && !s.open {
				p.unknownName(leaf, name, known)
			}
			used[name] = true
		}
	}
	for _, key := range requestKeys() {
		for _, part := range []string{"url", "headers", "query", "form", "json"} {
			n.Child(key).Get(part).Leaves(visit)
		}
	}
	return used
}

// defaults records the placeholders in the defaults of params that stand for nothing.
func (p *parser) defaults(s *params) {
	known := slices.Collect(maps.Keys(s.byName))
	for _, d := range s.byName {
		if d.def == nil || s.open {
			continue
		}
		for _, name := range template.Parse(d.def.Text).Names() {
			if !contains(known, name) {
				p.unknownName(d.def, name, known)
			}
		}
	}
}

// faulty says whether a request of t has a fault, so that it is not known what it needs.
func (p *parser) faulty(t *Token) bool {
	return slices.ContainsFunc(p.faults, func(f Fault) bool {
		rest, ok := strings.CutPrefix(f.Path, tree.Join("tokens", t.Name)+".")
		key, _, _ := strings.Cut(rest, ".")
		return ok && contains(requestKeys(), key)
	})
}

// credential reads one of the credentials of n. A param of the same name stands for it, too, and makes
// it optional when it has a default. unsure says that used may be wrong.
func (p *parser) credential(n *tree.Node, s *params, t *Token, name string, used, unsure bool) {
	secret, given := p.secret(n, name)
	d, isParam := s.byName[name]
	switch {
	case given && d.value != nil:
		p.fault(d.value, "stands beside "+name+" of the token", "give one of the two")
	case given && !used && unsure:
	case given && !used:
		at := n.Get(name)
		if at == nil {
			at = n.Get(name + "_file")
		}
		p.fault(at, "has no effect: no request of this token needs it", "remove it, or see that provider is right")
	case given:
		t.Credentials[name] = secret
	case isParam:
		if used {
			if v := s.value(name, ""); v != "" {
				t.Credentials[name] = inlineSecret(v)
			}
		}
	case used && !s.open:
		p.fault(n.Missing(name, tree.Scalar), "missing", "give "+name+" or "+name+"_file")
	}
}

// render fills the params into the template n by way of fill; ok is false when one of them has no
// value, which is a fault already recorded. What is known only when a request is made is a word.
func (p *parser) render(n *tree.Node, s *params, fill func(text string, value func(name string) string) string) (text string, ok bool) {
	ok = true
	text = fill(n.Text, func(name string) string {
		if contains(CredentialNames(), name) || contains(p.words.Reserved, name) {
			return "x"
		}
		_, known := s.byName[name]
		v := s.value(name, "")
		ok = ok && known && !s.bad[name]
		return v
	})
	return text, ok
}
