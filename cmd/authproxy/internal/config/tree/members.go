package tree

import (
	"fmt"

	"gopkg.in/yaml.v3"
)

// members adds the members of the mapping y to n; those that come by merge keys stand behind.
func (r *reader) members(y *yaml.Node, n *Node) {
	first := map[string]int{}
	var merged []*yaml.Node
	for i := 0; i+1 < len(y.Content); i += 2 {
		key, value := y.Content[i], y.Content[i+1]
		if key.Kind == yaml.AliasNode {
			key = key.Alias
		}
		switch {
		case key.Kind != yaml.ScalarNode:
			r.fault(y.Content[i].Line, n.Path, "a key must be a single word", "quote a key or a value that begins with { or [")
		case key.Tag == "!!merge":
			merged = append(merged, value)
		case first[key.Value] > 0:
			r.fault(y.Content[i].Line, Join(n.Path, key.Value), "duplicate key",
				fmt.Sprintf("the first one is on line %d", first[key.Value]))
		default:
			first[key.Value] = y.Content[i].Line
			n.Entries = append(n.Entries, Entry{
				Name:  key.Value,
				Line:  y.Content[i].Line,
				Value: r.node(value, Join(n.Path, key.Value)),
				Bare:  y.Style&yaml.FlowStyle != 0 && value.Tag == "!!null" && value.Value == "",
			})
		}
	}
	for _, m := range merged {
		r.merge(m, n)
	}
}

// merge adds to n what it does not have yet from the value of a merge key.
func (r *reader) merge(y *yaml.Node, n *Node) {
	if y.Kind == yaml.SequenceNode {
		for _, item := range y.Content {
			if item.Kind == yaml.SequenceNode {
				r.fault(item.Line, n.Path, "a merge key takes a mapping or a list of mappings", "write <<: *name")
				continue
			}
			r.merge(item, n)
		}
		return
	}
	from := r.node(y, n.Path)
	if from.Kind != Mapping {
		r.fault(y.Line, n.Path, "a merge key takes a mapping or a list of mappings", "write <<: *name")
		return
	}
	for _, e := range from.Entries {
		if n.Get(e.Name) == nil {
			n.Entries = append(n.Entries, e)
		}
	}
}
