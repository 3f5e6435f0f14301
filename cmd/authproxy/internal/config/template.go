package config

import (
	"slices"
	"strings"

	"authproxy/cmd/authproxy/internal/config/tree"
	"authproxy/internal/httpsyntax"
	"authproxy/internal/template"
)

// fill replaces each {name} in text by value(name).
func fill(text string, value func(name string) string) string {
	return template.Parse(text).Fill(func(p template.Piece) string { return value(p.Name) })
}

// fillURL is fill for the URL of a request, as it is filled when the request is made.
func fillURL(text string, value func(name string) string) string {
	return template.Parse(text).FillURL(func(p template.Piece) (string, bool) { return value(p.Name), false })
}

// fillSets fills {client_id} and the params of its token into the values that the upstream n sets, as they are
// when the configuration is read. Other placeholders are left.
func (p *parser) fillSets(n *tree.Node, t builtToken) *tree.Node {
	if t.params == nil {
		return n
	}
	for _, key := range []string{"headers", "query"} {
		block := n.Get(key)
		set := block.Get("set")
		if set == nil || set.Kind != tree.Mapping {
			continue
		}
		filled := *set
		filled.Entries = slices.Clone(set.Entries)
		for i, e := range filled.Entries {
			if e.Value.Kind == tree.Scalar {
				own := *e.Value
				own.Text = fillKnown(own.Text, t)
				filled.Entries[i].Value = &own
			}
		}
		n = n.With(key, block.With("set", &filled))
	}
	return n
}

// fillKnown fills what is known of t into text.
func fillKnown(text string, t builtToken) string {
	return template.Parse(text).Fill(func(piece template.Piece) string {
		if _, isParam := t.params.byName[piece.Name]; isParam && !contains(CredentialNames(), piece.Name) {
			return t.params.value(piece.Name, "")
		}
		if id, err := t.clientID.Read(); piece.Name == "client_id" && err == nil && id != "" {
			return id
		}
		return piece.String()
	})
}

// headerTemplate checks a value that may hold {header.NAME} and nothing else in braces.
func (p *parser) headerTemplate(n *tree.Node) {
	for _, piece := range template.ParseMembers(n.Text) {
		if piece.Name == "" || piece.Name == "header" && httpsyntax.IsToken(piece.Member) {
			continue
		}
		what := "unknown placeholder"
		if strings.Contains(n.Raw, piece.String()) { // written here, not filled in from the environment
			what += " " + piece.String()
		}
		p.fault(n, what, "{header.NAME} has a meaning here, such as {header.X-User}, and {client_id} and the params of the token")
	}
}

// unknownName records a placeholder that stands for nothing.
func (p *parser) unknownName(n *tree.Node, name string, known []string) {
	what, fix := "unknown {"+name+"}", tree.Suggest(name, "names", known)
	if !strings.Contains(n.Raw, "{"+name+"}") {
		what, fix = "an unknown placeholder came from the environment", ""
	}
	p.fault(n, what, fix)
}
