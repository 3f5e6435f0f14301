package config

import (
	"regexp"
	"strings"
	"unicode/utf8"

	"authproxy/cmd/authproxy/internal/config/tree"
)

// Access allows the requests that are in all three of its lists.
type Access struct {
	Methods []string `yaml:"methods" rule:"method"` // none: any
	// Paths are patterns for the path that the upstream will see, decoded: "*" is one segment, "**" at
	// the end any rest, also none. None: any.
	Paths []string `yaml:"paths" rule:"pattern"`
	Hosts []string `yaml:"hosts" manual:""` // lower case, without port; none: any
}

// access finishes the rules of u, which were read from n. An empty list of rules, or of paths, looks
// as if nothing were allowed, and a rule without lists allows everything: neither is guessed at.
func (p *parser) access(n *tree.Node, u *Upstream) {
	at := n.Get("access")
	if at == nil {
		return
	}
	if at.Empty() && (at.Kind == tree.List || at.Kind == tree.Null) {
		p.fault(at, "is empty", "list what may pass, such as { methods: [GET], paths: [/api/**] }, or remove it to let everything pass")
	}
	for i, item := range at.Items {
		paths := item.Get("paths")
		switch {
		case item.Kind == tree.Mapping && item.Empty():
			p.fault(item, "is a rule that lists nothing", "write { paths: [/**] } for everything")
		case paths != nil && paths.Empty() && (paths.Kind == tree.List || paths.Kind == tree.Null):
			p.fault(paths, "is empty", "write [/**], or remove it, for every path")
		}
		if i < len(u.Access) {
			u.Access[i].Hosts = p.hosts(item.Get("hosts"))
		}
	}
}

var escape = regexp.MustCompile(`%[0-9a-fA-F]{2}`)

// isPattern says whether some path that is not ambiguous can match s.
func isPattern(s string) bool {
	all := strings.Split(s, "/")
	for i, segment := range all {
		last := i == len(all)-1
		switch {
		case i == 0 && segment != "", i > 0 && segment == "" && !last, segment == "**" && !last:
			return false
		case segment != "" && strings.Trim(segment, ". ") == "":
			return false
		case segment != "*" && segment != "**" && strings.Contains(segment, "*"):
			return false
		}
	}
	return len(all) > 1 && isLine(s) && utf8.ValidString(s) && !strings.ContainsAny(s, "\\;?#\t") && !escape.MatchString(s)
}
