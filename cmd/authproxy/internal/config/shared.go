package config

import (
	"fmt"
	"maps"

	"authproxy/cmd/authproxy/internal/config/tree"
)

// sharedCredential warns of each token that has the credential of one before it, on a platform where a
// new token kills the old one: the two would refuse each other's tokens for ever.
func (p *parser) sharedCredential(n *tree.Node, tokens Tokens) {
	for i, t := range tokens {
		for _, before := range tokens[:i] {
			if t.OldToken == OldTokenDies && sameCredential(before, t) {
				p.warn(n.Child(t.Name), fmt.Sprintf("has the same credential as the token %q, and on this platform a new token kills the old one", before.Name),
					"write one token, and let the upstreams of both name it")
				break
			}
		}
	}
}

// sameCredential says whether a and b are asked for in one place by one client or user. Of two in
// files, the files count.
func sameCredential(a, b Token) bool {
	if a.Request == nil || b.Request == nil || len(a.Credentials) == 0 || a.Request.URL != b.Request.URL || !maps.Equal(places(a.Params), places(b.Params)) {
		return false
	}
	for _, name := range []string{"client_id", "username"} {
		if a.Credentials[name] != b.Credentials[name] {
			return false
		}
	}
	return true
}

// places are the params that say where a token is asked for.
func places(params Params) Params {
	all := maps.Clone(params)
	delete(all, "scope")
	return all
}
