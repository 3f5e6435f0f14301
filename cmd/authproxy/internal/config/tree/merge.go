package tree

// Merge lays over on base: mappings member by member, anything else whole. What is given but empty
// counts, too: it replaces what is below. rule says how the members of one name are combined.
func Merge(base, over *Node, rule func(name string, base, over *Node) *Node) *Node {
	if base.Kind != Mapping || over.Kind != Mapping || len(over.Entries) == 0 {
		return over
	}
	return Layer(base, over, rule)
}

// Layer is merge for two mappings of which over may well be empty.
func Layer(base, over *Node, rule func(name string, base, over *Node) *Node) *Node {
	out := *over
	out.Entries = nil
	for _, e := range base.Entries {
		if over.Get(e.Name) == nil {
			out.Entries = append(out.Entries, e)
		}
	}
	for _, e := range over.Entries {
		if b := base.Get(e.Name); b != nil {
			e.Value = rule(e.Name, b, e.Value)
		}
		out.Entries = append(out.Entries, e)
	}
	return &out
}

// Deep is the rule that merges mappings at every depth.
func Deep(_ string, base, over *Node) *Node { return Merge(base, over, Deep) }
