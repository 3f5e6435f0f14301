package config

import (
	"strconv"
	"strings"
)

// node is a YAML value that knows where it was written. Aliases and merge keys are resolved and
// environment variables are filled in. Merging keeps each node's own place. Nodes are never changed
// once they are read.
type node struct {
	kind    kind
	file    string
	line    int
	path    string
	text    string // of a scalar, after environment variables
	raw     string // of a scalar, as written
	tag     string // of a scalar, what YAML takes it for: !!str, !!int, ...
	bad     bool   // has its fault already; what follows from it is not reported
	entries []entry
	items   []*node
}

// entry is one member of a mapping.
type entry struct {
	name  string
	line  int
	value *node
	bare  bool // a word in { } that has neither colon nor value
}

// get returns the member of that name, or nil.
func (n *node) get(name string) *node {
	if n == nil {
		return nil
	}
	for _, e := range n.entries {
		if e.name == name {
			return e.value
		}
	}
	return nil
}

// has says whether there is a member of that name which is not empty.
func (n *node) has(name string) bool { return !n.get(name).empty() }

// empty says whether n is missing, null, or a value without content.
func (n *node) empty() bool {
	return n == nil || n.text == "" && len(n.entries) == 0 && len(n.items) == 0
}

// blank says whether n is missing, null or "": what turns a key off. A list or mapping does not.
func (n *node) blank() bool {
	return n == nil || n.kind == null || n.kind == scalar && n.text == ""
}

// child returns the member of that name, or an empty mapping in its place.
func (n *node) child(name string) *node {
	if c := n.get(name); c != nil {
		return c
	}
	return n.missing(name, mapping)
}

// missing is an empty node that stands where the member name of n would be.
func (n *node) missing(name string, k kind) *node {
	return &node{kind: k, file: n.file, line: n.line, path: join(n.path, name), bad: n.bad}
}

// with returns n with the member name set to v.
func (n *node) with(name string, v *node) *node {
	out := n.without(name)
	out.kind = mapping
	out.entries = append(out.entries, entry{name: name, line: v.line, value: v})
	return out
}

// without returns n less the members of these names.
func (n *node) without(names ...string) *node {
	out := *n
	out.entries = nil
next:
	for _, e := range n.entries {
		for _, name := range names {
			if e.name == name {
				continue next
			}
		}
		out.entries = append(out.entries, e)
	}
	return &out
}

// only returns n less the members that have none of these names; nil for nil.
func (n *node) only(names []string) *node {
	if n == nil {
		return nil
	}
	var others []string
	for _, e := range n.entries {
		if !contains(names, e.name) {
			others = append(others, e.name)
		}
	}
	return n.without(others...)
}

// scalar returns a single value that reads s and stands at n.
func (n *node) scalar(s string) *node {
	return &node{kind: scalar, file: n.file, line: n.line, path: n.path, text: s, raw: s, tag: "!!str"}
}

// quote returns what was written, for a message. What came from the environment does not show.
func (n *node) quote() string {
	if len(n.raw) > 60 {
		return strconv.Quote(n.raw[:60]) + "..."
	}
	return strconv.Quote(n.raw)
}

// leaves calls visit with each scalar of n.
func (n *node) leaves(visit func(*node)) {
	switch {
	case n == nil:
	case n.kind == scalar:
		visit(n)
	default:
		for _, e := range n.entries {
			e.value.leaves(visit)
		}
		for _, i := range n.items {
			i.leaves(visit)
		}
	}
}

// join appends a key to a path. Keys that would make the message unreadable are quoted.
func join(path, key string) string {
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
