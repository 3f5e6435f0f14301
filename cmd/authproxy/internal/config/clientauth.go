package config

import (
	"strings"

	"authproxy/cmd/authproxy/internal/config/tree"
)

// authMethods are the values of auth_method: the names of RFC 7591 section 2 and RFC 8705 section 2.1.
func authMethods() []string {
	return append([]string{"client_secret_basic", "client_secret_post", "tls_client_auth", "none"}, assertions()...)
}

// assertions are the methods in which the client signs (RFC 7523 section 2.2). auth of a request may name them too.
func assertions() []string { return []string{"private_key_jwt", "client_secret_jwt"} }

// expandKeys writes auth_method and endpoint_params into the request of the token n, and assertions into each of
// its requests.
func (p *parser) expandKeys(n *tree.Node) *tree.Node {
	if isGiven(n) {
		return n
	}
	request := n.Child("request")
	if request.Kind != tree.Mapping {
		return n
	}
	if at := n.Get("auth_method"); at != nil && p.faults.Single(at, methodFix()) {
		request = p.clientAuth(n, request, at)
	}
	if at := n.Get("endpoint_params"); !at.Empty() && at.Kind == tree.Mapping {
		p.needForm(at, request)
		form := request.Child("form")
		for _, e := range at.Entries {
			form = form.With(e.Name, e.Value)
		}
		request = request.With("form", form)
	}
	n = n.With("request", request)
	for _, key := range requestKeys() {
		r := n.Get(key)
		auth := r.Get("auth")
		if auth == nil || !contains(assertions(), auth.Text) {
			continue
		}
		p.needForm(auth, r)
		n = n.With(jwtName, assertion(n, r, auth)).With(key, asserted(r, auth))
	}
	return n
}

func methodFix() string { return "write " + strings.Join(authMethods(), " or ") }

// clientAuth writes the method at into the request of n.
func (p *parser) clientAuth(n, request, at *tree.Node) *tree.Node {
	form := request.Child("form")
	switch at.Text {
	case "client_secret_basic":
		return request.With("auth", at.Literal("basic"))
	case "private_key_jwt", "client_secret_jwt":
		return request.With("auth", at)
	case "client_secret_post":
		form = form.With("client_secret", at.Literal("{client_secret}"))
	case "tls_client_auth":
		if !n.Child("tls").Has("cert_file") {
			p.fault(n.Child("tls").Missing("cert_file", tree.Scalar), missing, "with auth_method: tls_client_auth the client is known by its certificate: give cert_file and key_file")
		}
	case "none":
	default:
		p.fault(at, at.Quote()+" is not possible here", methodFix())
		return request
	}
	p.needForm(at, request)
	return request.With("auth", at.Literal("none")).With("form", form.With("client_id", at.Literal("{client_id}")))
}

// asserted is the request r that holds an assertion instead of credentials (RFC 7523 section 2.2).
func asserted(r, auth *tree.Node) *tree.Node {
	form := r.Child("form").
		With("client_id", auth.Literal("{client_id}")).
		With("client_assertion_type", auth.Literal("urn:ietf:params:oauth:client-assertion-type:jwt-bearer")).
		With("client_assertion", auth.Literal("{"+jwtName+"}"))
	return r.With("auth", auth.Literal("none")).With("form", form)
}

// assertion is the jwt of n, with what RFC 7523 section 3 wants where it says nothing else.
func assertion(n, r, auth *tree.Node) *tree.Node {
	claims := auth.Missing("claims", tree.Mapping)
	for _, claim := range [][2]string{{"iss", "{client_id}"}, {"sub", "{client_id}"}, {"aud", r.Child("url").Text}, {"jti", "{uuid}"}} {
		claims = claims.With(claim[0], auth.Literal(claim[1]))
	}
	all := n.Missing(jwtName, tree.Mapping).With("alg", auth.Literal("RS256"))
	if auth.Text == "client_secret_jwt" {
		all = all.With("alg", auth.Literal("HS256")).With("key", auth.Literal("client_secret"))
	}
	given := n.Get(jwtName)
	if given == nil || given.Kind != tree.Mapping {
		return all.With("claims", claims)
	}
	own := given.Get("claims")
	if own != nil {
		claims = tree.Layer(claims, own, tree.Deep)
	}
	return tree.Layer(all, given.With("claims", claims), func(_ string, _, o *tree.Node) *tree.Node { return o })
}
