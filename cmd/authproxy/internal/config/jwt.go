package config

import (
	"strings"
	"time"

	"authproxy/cmd/authproxy/internal/config/tree"
	"authproxy/internal/signing"
)

// JWT says how {jwt} is made for each request (RFC 7519). The strings in Header and Claims are templates.
type JWT struct {
	Alg      string         `yaml:"alg" rule:"required" oneof:"{alg}"`
	Key      string         `yaml:"key" rule:"required" fix:"name the secret that signs, such as key, and write it under secrets: { key: { file: key.pem } }"`
	Header   map[string]any `yaml:"header"`
	Claims   map[string]any `yaml:"claims"`
	Lifetime time.Duration  `yaml:"lifetime" default:"5m" rule:"positive"`
	Backdate time.Duration  `yaml:"backdate" default:"30s"`
}

// jwtName is the placeholder of the JWT.
const jwtName = "jwt"

// signs is the name of the secret that signs the JWT of the merged token n; empty when there is none.
func signs(n *tree.Node) string {
	if key := n.Child(jwtName).Get("key"); key != nil && key.Kind == tree.Scalar {
		return key.Text
	}
	return ""
}

// checkJWT looks at what the JWT of the merged token n needs: its key, above all.
func (s *params) checkJWT(n *tree.Node, t *Token, used map[string]bool) {
	at := n.Child(jwtName)
	if t.JWT == nil {
		return
	}
	for _, claim := range []string{"exp", "iat"} {
		if c := at.Child("claims").Get(claim); c != nil {
			s.p.fault(c, "is written by authproxy", "remove it, and set lifetime or backdate of jwt")
		}
	}
	if !used[jwtName] && !s.open {
		s.p.fault(at, "has no effect: nothing of this token holds {jwt}", "write it where the platform wants it, such as request: { form: { assertion: \"{jwt}\" } }, or remove it")
	}
	key := at.Get("key")
	secret, given := t.Credentials[t.JWT.Key]
	switch {
	case t.JWT.Key == "":
	case !given && !contains(s.names(), t.JWT.Key):
		s.p.fault(key, key.Quote()+" is not the name of a secret", tree.Suggest(key.Text, "secrets", secretNames(n)))
	case !given && !contains(secretNames(n), t.JWT.Key):
		s.p.fault(key, key.Quote()+" is not a secret", tree.Suggest(key.Text, "secrets", secretNames(n)))
	case contains(signing.Algs(), t.JWT.Alg):
		s.p.checkKey(key, t.JWT.Alg, secret)
	}
}

// checkKey records a fault where the secret that n names does not sign by alg.
func (p *parser) checkKey(n *tree.Node, alg string, secret Secret) {
	text, err := secret.Read()
	if err != nil || text == "" {
		return // a fault already
	}
	if _, err := signing.NewKey(alg, text); err != nil {
		what, fix, _ := strings.Cut(err.Error(), "; ")
		p.fault(n, "the secret "+n.Text+" "+what, fix)
	}
}

// secretNames are those that may sign.
func secretNames(n *tree.Node) []string {
	names := []string{"client_secret"}
	for _, e := range n.Child("secrets").Entries {
		names = append(names, e.Name)
	}
	return names
}
