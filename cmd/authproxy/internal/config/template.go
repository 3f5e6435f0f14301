package config

import (
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
		p.fault(n, what, "only {header.NAME} has a meaning here, such as {header.X-User}")
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
