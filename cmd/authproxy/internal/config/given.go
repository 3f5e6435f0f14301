package config

import (
	"authproxy/cmd/authproxy/internal/config/tree"
	"authproxy/internal/template"
)

// givenName is the secret that a token is which is written out, or stands in a file; it is none of the names that
// a file can give.
const givenName = "given_token"

// isGiven says whether the token over of a file is given, so that no platform is asked for it.
func isGiven(over *tree.Node) bool { return over.Get("token") != nil || over.Get("token_file") != nil }

// withoutRequests is a preset for a token that is given.
func withoutRequests(base *tree.Node) *tree.Node {
	return base.Without("request", "refresh", "force", "response")
}

// given reads the token of n that is given: a template, or a secret.
func (s *params) given(n *tree.Node, t *Token) {
	if n.Get("provider") == nil {
		t.Provider = "" // nobody provides it
	}
	for _, key := range []string{"request", "refresh", "response"} {
		if at := n.Get(key); at != nil {
			s.p.fault(at, "has no effect: the token is given, and nobody is asked for it", "remove it, or token")
		}
	}
	at := n.Get("token")
	if at != nil && at.Kind == tree.Scalar && len(template.Parse(at.Text).Names()) > 0 && n.Get("token_file") == nil {
		t.Given = at.Text
		return
	}
	secret, _ := s.p.secret(n, "token")
	t.Credentials[givenName], t.Given = secret, "{"+givenName+"}"
}
