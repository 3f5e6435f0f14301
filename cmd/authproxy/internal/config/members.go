package config

import (
	"fmt"

	"gopkg.in/yaml.v3"
)

// members adds the members of the mapping y to n; those that come by merge keys stand behind.
func (r *reader) members(y *yaml.Node, n *node) {
	first := map[string]int{}
	var merged []*yaml.Node
	for i := 0; i+1 < len(y.Content); i += 2 {
		key, value := y.Content[i], y.Content[i+1]
		if key.Kind == yaml.AliasNode {
			key = key.Alias
		}
		switch {
		case key.Kind != yaml.ScalarNode:
			r.fault(y.Content[i].Line, n.path, "a key must be a single word", "quote a key or a value that begins with { or [")
		case key.Tag == "!!merge":
			merged = append(merged, value)
		case first[key.Value] > 0:
			r.fault(y.Content[i].Line, join(n.path, key.Value), "duplicate key",
				fmt.Sprintf("the first one is on line %d", first[key.Value]))
		default:
			first[key.Value] = y.Content[i].Line
			n.entries = append(n.entries, entry{
				name:  key.Value,
				line:  y.Content[i].Line,
				value: r.node(value, join(n.path, key.Value)),
				bare:  y.Style&yaml.FlowStyle != 0 && value.Tag == "!!null" && value.Value == "",
			})
		}
	}
	for _, m := range merged {
		r.merge(m, n)
	}
}

// merge adds to n what it does not have yet from the value of a merge key.
func (r *reader) merge(y *yaml.Node, n *node) {
	if y.Kind == yaml.SequenceNode {
		for _, item := range y.Content {
			if item.Kind == yaml.SequenceNode {
				r.fault(item.Line, n.path, "a merge key takes a mapping or a list of mappings", "write <<: *name")
				continue
			}
			r.merge(item, n)
		}
		return
	}
	from := r.node(y, n.path)
	if from.kind != mapping {
		r.fault(y.Line, n.path, "a merge key takes a mapping or a list of mappings", "write <<: *name")
		return
	}
	for _, e := range from.entries {
		if n.get(e.name) == nil {
			n.entries = append(n.entries, e)
		}
	}
}
