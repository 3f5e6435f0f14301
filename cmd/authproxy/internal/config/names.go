package config

import (
	"maps"
	"slices"
	"strings"

	"authproxy/cmd/authproxy/internal/config/tree"
	"authproxy/internal/template"
)

// use checks the templates of the merged token n, and fills in what they need.
func (s *params) use(n *tree.Node, t *Token) {
	used := s.used(n)
	s.checkDefaults()
	unsure := s.open || s.p.faulty(t)
	s.fillParams(t, used)
	s.fillCredentials(n, t, used, unsure)
	for key, name := range map[string]string{"token_url": "token_url", "scopes": "scope"} {
		if n.Has(key) && !used[name] && !unsure {
			s.p.fault(n.Get(key), "has no effect: no request of this token holds {"+name+"}", "remove it")
		}
	}
	warned := len(s.p.warnings)
	for _, key := range requestKeys() {
		s.rehearse(n, key, t)
	}
	s.p.warnings = append(s.p.warnings[:warned], slices.Compact(s.p.warnings[warned:])...)
}

// fillParams gives t the params that are used or given, and what those need in turn.
func (s *params) fillParams(t *Token, used map[string]bool) {
	t.Params = map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(s.byName)) {
		if !contains(CredentialNames(), name) && (used[name] || s.byName[name].value != nil) {
			t.Params[name] = s.value(name, "")
		}
	}
	maps.Copy(t.Params, s.done)
	for _, name := range CredentialNames() {
		delete(t.Params, name)
	}
}

// fillCredentials gives t its credentials, its own secrets, and itself where it is given.
func (s *params) fillCredentials(n *tree.Node, t *Token, used map[string]bool, unsure bool) {
	t.Credentials = map[string]Secret{}
	for _, name := range CredentialNames() {
		s.credential(n, t, name, used[name] || name == signs(n), unsure)
	}
	s.moreSecrets(n, t, used)
	s.checkJWT(n, t, used)
	if isGiven(n) {
		s.given(n, t)
	}
}

// used returns the names in the requests of n, and records those that stand for nothing.
func (s *params) used(n *tree.Node) map[string]bool {
	used := map[string]bool{}
	for _, e := range n.Child("secrets").Entries {
		s.newName(e)
		s.made = append(s.made, e.Name)
	}
	s.valueNames(n, used)
	if n.Has(jwtName) { // which may hold values, and stands in none
		s.made = append(s.made, jwtName)
	}
	s.authNeeds(n, used)
	known := s.names()
	visit := func(leaf *tree.Node) {
		s.p.almostPlaceholders(leaf, known)
		for _, name := range template.Parse(leaf.Text).Names() {
			if !contains(known, name) && !s.open {
				s.p.unknownName(leaf, name, known)
			}
			used[name] = true
		}
	}
	for _, key := range requestKeys() {
		for _, part := range []string{"url", "headers", "query", "form", "json"} {
			n.Child(key).Get(part).Leaves(visit)
		}
	}
	if isGiven(n) {
		n.Get("token").Leaves(visit)
	}
	known = slices.DeleteFunc(known, func(name string) bool { return name == jwtName })
	n.Child(jwtName).Get("header").Leaves(visit)
	n.Child(jwtName).Get("claims").Leaves(visit)
	return used
}

// authNeeds adds what the ways of client authentication in the requests of n use.
func (s *params) authNeeds(n *tree.Node, used map[string]bool) {
	for _, key := range requestKeys() {
		if auth := n.Child(key).Get("auth"); auth != nil {
			for _, name := range s.p.words.auth(auth.Text).Needs {
				used[name] = true
			}
		}
	}
}

// checkDefaults records the placeholders in the defaults of params that stand for nothing.
func (s *params) checkDefaults() {
	known := slices.Collect(maps.Keys(s.byName))
	for _, d := range s.byName {
		if d.def == nil || s.open {
			continue
		}
		for _, name := range template.Parse(d.def.Text).Names() {
			if !contains(known, name) {
				s.p.unknownName(d.def, name, known)
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
func (s *params) credential(n *tree.Node, t *Token, name string, used, unsure bool) {
	secret, given := s.p.secret(n, name)
	d, isParam := s.byName[name]
	switch {
	case given && d.value != nil:
		s.p.fault(d.value, "stands beside "+name+" of the token", "give one of the two")
	case given && !used && unsure:
	case given && !used:
		at := n.Get(name)
		if at == nil {
			at = n.Get(name + "_file")
		}
		s.p.fault(at, "has no effect: no request of this token needs it", "remove it, or see that provider is right")
	case given:
		t.Credentials[name] = secret
		s.basicName(n, name, secret)
	case isParam:
		if used {
			if v := s.value(name, ""); v != "" {
				t.Credentials[name] = inlineSecret(v)
			}
		}
	case used && !s.open:
		s.p.fault(n.Missing(name, tree.Scalar), missing, "give "+name+" or "+name+"_file")
	}
}

// basicName judges the user that a request of the token n shows in HTTP's Basic authentication.
func (s *params) basicName(n *tree.Node, name string, secret Secret) {
	for _, key := range requestKeys() {
		auth := n.Child(key).Get("auth")
		if auth == nil || auth.Text != "basic_raw" || s.p.words.auth(auth.Text).Needs[0] != name {
			continue
		}
		at := n.Get(name)
		if at == nil {
			at = n.Get(name + "_file")
		}
		if value, err := secret.Read(); err == nil {
			s.p.basicName(at, name, value)
		}
		return
	}
}

// render fills the params into the template n by way of fill; ok is false when one of them has no
// value, which is a fault already recorded. What is known only when a request is made is a word.
func (s *params) render(n *tree.Node, fill func(text string, value func(name string) string) string) (text string, ok bool) {
	ok = true
	text = fill(n.Text, func(name string) string {
		if contains(CredentialNames(), name) || contains(s.made, name) || contains(s.p.words.Reserved, name) {
			return "x"
		}
		_, known := s.byName[name]
		v := s.value(name, "")
		ok = ok && known && !s.bad[name]
		return v
	})
	return text, ok
}
