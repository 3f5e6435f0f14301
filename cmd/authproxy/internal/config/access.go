package config

import "authproxy/cmd/authproxy/internal/config/tree"

// Access allows the requests that are in all three of its lists.
type Access struct {
	Methods []string `yaml:"methods" rule:"method"` // none: any
	// Paths are patterns for the path that the upstream will see, decoded: "*" is one segment, "**" at
	// the end any rest, also none. None: any.
	Paths []string `yaml:"paths" rule:"pattern"`
	Hosts Hosts    `yaml:"hosts"` // none: any
}

// access judges the rules in the upstream n. An empty list of rules, or of paths, looks
// as if nothing were allowed, and a rule without lists allows everything: neither is guessed at.
func (p *parser) access(n *tree.Node) {
	at := n.Get("access")
	if at == nil {
		return
	}
	if at.Empty() && (at.Kind == tree.List || at.Kind == tree.Null) {
		p.fault(at, "is empty", "list what may pass, such as { methods: [GET], paths: [/api/**] }, or remove it to let everything pass")
	}
	for _, item := range at.Items {
		paths := item.Get("paths")
		switch {
		case item.Empty() && (item.Kind == tree.Mapping || item.Kind == tree.Null):
			p.fault(item, "is a rule that lists nothing", "write { paths: [/**] } for everything")
		case paths != nil && paths.Empty() && (paths.Kind == tree.List || paths.Kind == tree.Null):
			p.fault(paths, "is empty", "write [/**], or remove it, for every path")
		}
	}
}
