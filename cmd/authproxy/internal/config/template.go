package config

import (
	"regexp"
	"strings"

	"authproxy/cmd/authproxy/internal/config/tree"
)

// A placeholder in the requests of a token. Other braces mean themselves.
var placeholder = regexp.MustCompile(`\{([a-z_][a-z0-9_]*)\}`)

// A placeholder in what an upstream sets.
var headerPlaceholder = regexp.MustCompile(`\{([a-z_][a-z0-9_]*)(?:\.([^{}]*))?\}`)

// Names that can stand in a template, besides the params.
func credentialNames() []string {
	return []string{"client_id", "client_secret", "username", "password"}
}

func dynamicNames() []string {
	return []string{"refresh_token", "token", "device_id", "now_s", "now_ms", "uuid"}
}

// placeholders returns the names in s, in order.
func placeholders(s string) []string {
	var out []string
	for _, m := range placeholder.FindAllStringSubmatch(s, -1) {
		out = append(out, m[1])
	}
	return out
}

// substitute replaces each {name} in s by value(name).
func substitute(s string, value func(name string) string) string {
	return placeholder.ReplaceAllStringFunc(s, func(m string) string { return value(m[1 : len(m)-1]) })
}

// headerTemplate checks a value that may hold {header.NAME} and nothing else in braces.
func (p *parser) headerTemplate(n *tree.Node) {
	for _, m := range headerPlaceholder.FindAllStringSubmatch(n.Text, -1) {
		if m[1] == "header" && isToken(m[2]) {
			continue
		}
		what := "unknown placeholder"
		if strings.Contains(n.Raw, m[0]) { // written here, not filled in from the environment
			what += " " + m[0]
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
