// Package tree knows YAML, and no key of any configuration: values with the place
// where they were written, faults that name it, merging, environment variables.
package tree

import (
	"slices"
	"strconv"
	"strings"
)

// Node is a YAML value that knows where it was written. Aliases and merge keys are resolved and
// environment variables are filled in. Merging keeps the place of each node. Nodes are never changed
// once they are read.
type Node struct {
	Kind    Kind
	File    string  // as it is named in faults
	Line    int     // counted from 1; 0 when nothing was written
	Path    string  // such as upstreams[0].retry.body_limit; empty at the top
	Text    string  // of a scalar, after environment variables
	Raw     string  // of a scalar, as written
	Tag     string  // of a scalar, what YAML takes it for: !!str, !!int, ...
	Comment bool    // of a scalar without quotes: a comment stands right behind it
	Bad     bool    // has its fault already; what follows from it is not reported
	Entries []Entry // of a mapping
	Items   []*Node // of a list
}

// Entry is one member of a mapping.
type Entry struct {
	Name  string
	Line  int // of the name
	Value *Node
	Bare  bool // a word in { } that has neither colon nor value
}

// Get returns the member of that name, or nil.
func (n *Node) Get(name string) *Node {
	if n == nil {
		return nil
	}
	for _, e := range n.Entries {
		if e.Name == name {
			return e.Value
		}
	}
	return nil
}

// Has says whether there is a member of that name which is not empty.
func (n *Node) Has(name string) bool { return !n.Get(name).Empty() }

// Empty says whether n is missing, null, or a value without content.
func (n *Node) Empty() bool {
	return n == nil || n.Text == "" && len(n.Entries) == 0 && len(n.Items) == 0
}

// Blank says whether n is missing, null or "": what turns a key off. A list or mapping does not.
func (n *Node) Blank() bool {
	return n == nil || n.Kind == Null || n.Kind == Scalar && n.Text == ""
}

// Child returns the member of that name, or an empty mapping in its place.
func (n *Node) Child(name string) *Node {
	if c := n.Get(name); c != nil {
		return c
	}
	return n.Missing(name, Mapping)
}

// Missing is an empty node that stands where the member name of n would be.
func (n *Node) Missing(name string, k Kind) *Node {
	return &Node{Kind: k, File: n.File, Line: n.Line, Path: Join(n.Path, name), Bad: n.Bad}
}

// With returns n with the member name set to v.
func (n *Node) With(name string, v *Node) *Node {
	out := n.Without(name)
	out.Kind = Mapping
	out.Entries = append(out.Entries, Entry{Name: name, Line: v.Line, Value: v})
	return out
}

// Without returns n less the members of these names.
func (n *Node) Without(names ...string) *Node {
	out := *n
	out.Entries = nil
next:
	for _, e := range n.Entries {
		for _, name := range names {
			if e.Name == name {
				continue next
			}
		}
		out.Entries = append(out.Entries, e)
	}
	return &out
}

// Only returns n less the members that have none of these names; nil for nil.
func (n *Node) Only(names []string) *Node {
	if n == nil {
		return nil
	}
	var others []string
	for _, e := range n.Entries {
		if !slices.Contains(names, e.Name) {
			others = append(others, e.Name)
		}
	}
	return n.Without(others...)
}

// Literal returns a single value that reads s and stands at n.
func (n *Node) Literal(s string) *Node {
	return &Node{Kind: Scalar, File: n.File, Line: n.Line, Path: n.Path, Text: s, Raw: s, Tag: "!!str"}
}

// Quote returns what was written, for a message. What came from the environment does not show.
func (n *Node) Quote() string {
	if len(n.Raw) > 60 {
		return strconv.Quote(n.Raw[:60]) + "..."
	}
	return strconv.Quote(n.Raw)
}

// Leaves calls visit with each scalar of n.
func (n *Node) Leaves(visit func(*Node)) {
	switch {
	case n == nil:
	case n.Kind == Scalar:
		visit(n)
	default:
		for _, e := range n.Entries {
			e.Value.Leaves(visit)
		}
		for _, i := range n.Items {
			i.Leaves(visit)
		}
	}
}

// Join appends a key to a path. Keys that would make the message unreadable are quoted.
func Join(path, key string) string {
	if len(key) > 60 {
		key = key[:60] + "..."
	}
	if q := strconv.Quote(key); key == "" || q != `"`+key+`"` || strings.ContainsAny(key, " :;") {
		key = q
	}
	if path == "" {
		return key
	}
	return path + "." + key
}
