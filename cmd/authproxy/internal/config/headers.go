package config

import (
	"net/textproto"
	"strings"

	"authproxy/cmd/authproxy/internal/config/tree"
	"authproxy/internal/httpsyntax"
)

// Headers is the policy for the headers of an upstream.
type Headers struct {
	Allow        []string          `yaml:"allow" rule:"header"` // when not empty, nothing else of the client's passes
	Drop         []string          `yaml:"drop" rule:"header"`
	Set          map[string]string `yaml:"set" keys:"header" rule:"line"` // values may hold {header.NAME}
	DropResponse []string          `yaml:"drop_response" rule:"header"`
}

// Query is the policy for the query parameters of an upstream. Set wins over what the client sent.
type Query struct {
	Set  map[string]string `yaml:"set"` // values may hold {header.NAME}
	Drop []string          `yaml:"drop" rule:"nonempty"`
}

// Inject says where the token goes: into a header, a query parameter, or a cookie.
type Inject struct {
	Header string // empty when Query or Cookie is set
	Scheme string // before the token; TypeScheme: the type that came with the token; may be empty
	Query  string
	Cookie string
}

func (i *Inject) read(p *parser, n *tree.Node) { *i = p.inject(n) }

// TypeScheme as Inject.Scheme stands for the type that came with the token, in the spelling it came in.
const TypeScheme = "{token_type}"

// injectKeys are the keys of an [Inject].
type injectKeys struct {
	Header string `yaml:"header" default:"Authorization"`
	Scheme string `yaml:"scheme" default:"Bearer"`
	Query  string `yaml:"query"`
	Cookie string `yaml:"cookie"`
}

// inject reads n; see mergeInject for how it is combined.
func (p *parser) inject(n *tree.Node) Inject {
	var in injectKeys
	p.fill(n, &in)
	switch {
	case in.Cookie != "" && (n.Has("header") || n.Has("scheme") || n.Has("query")):
		p.fault(n.Get("cookie"), "stands beside another place", "give the token one place: a header, a query parameter or a cookie")
	case in.Cookie != "" && !httpsyntax.IsToken(in.Cookie):
		p.fault(n.Get("cookie"), "is not the name of a cookie", "write JSESSIONID")
	case in.Cookie != "":
		return Inject{Cookie: in.Cookie}
	case in.Query != "" && (n.Has("header") || n.Has("scheme")):
		p.fault(n.Get("query"), "stands beside header or scheme", "give the token one place: a header or a query parameter")
	case in.Query != "":
		return Inject{Query: in.Query}
	case in.Header == "":
		p.fault(n, "names neither a header, a query parameter nor a cookie", "write {header: Authorization}, {query: access_token} or {cookie: JSESSIONID}")
	case !httpsyntax.IsToken(in.Header) || isOwn(in.Header):
		p.fault(n.Child("header"), "is not a header that can hold a token", "write Authorization")
	case in.Scheme != "" && in.Scheme != TypeScheme && !httpsyntax.IsToken(in.Scheme):
		p.fault(n.Child("scheme"), "is not a scheme", `write Bearer, "" for none, or "`+TypeScheme+`" for the type that came with the token`)
	}
	return Inject{Header: textproto.CanonicalMIMEHeaderKey(in.Header), Scheme: in.Scheme}
}

// isOwn says whether the header is written by HTTP itself.
func isOwn(name string) bool { return contains(ownHeaders(), strings.ToLower(name)) }

// ownHeaders are those that are written by HTTP itself, in small letters.
func ownHeaders() []string {
	return []string{"host", "content-length", "connection", "transfer-encoding", "upgrade", "te", "trailer",
		"keep-alive", "proxy-connection", "expect"}
}

// headerNames checks the keys of a mapping that become headers.
func (p *parser) headerNames(n *tree.Node) {
	seen := map[string]string{}
	for _, e := range n.Entries {
		at := &tree.Node{File: e.Value.File, Line: e.Line, Path: e.Value.Path}
		lower := strings.ToLower(e.Name)
		switch {
		case !httpsyntax.IsToken(e.Name):
			p.fault(at, "the key is not the name of a header", headerFix)
		case isOwn(e.Name):
			p.fault(at, "this header is written by HTTP itself and cannot be set", "remove it")
		case seen[lower] != "":
			p.fault(at, "the same header as "+seen[lower], "give one of the two")
		}
		seen[lower] = e.Name
	}
}

// ownValues checks the values that headers and query of an upstream set, and that none of them
// replaces the token.
func (p *parser) ownValues(n *tree.Node, in Inject) {
	headers, query := n.Child("headers").Child("set"), n.Child("query").Child("set")
	for _, set := range []*tree.Node{headers, query} {
		set.Leaves(p.headerTemplate)
	}
	for _, e := range headers.Entries {
		if in.Header != "" && strings.EqualFold(e.Name, in.Header) {
			p.fault(e.Value, "the token goes into this header", "remove it here, or change inject")
		}
	}
	if at := query.Get(in.Query); in.Query != "" && at != nil {
		p.fault(at, "the token goes into this parameter", "remove it here, or change inject")
	}
}
