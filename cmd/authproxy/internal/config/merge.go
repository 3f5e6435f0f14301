package config

import (
	"slices"

	"authproxy/cmd/authproxy/internal/config/tree"
)

// requestKeys are the blocks of a token that hold a request.
func requestKeys() []string { return []string{"request", "refresh", "force", "check", "revoke"} }

// mergeToken is the rule for the members of a token.
func mergeToken(name string, base, over *tree.Node) *tree.Node {
	switch {
	case slices.Contains(requestKeys(), name):
		return mergeRequest(base, over)
	case name == jwtName, name == "values":
		return tree.Merge(base, over, func(_ string, _, o *tree.Node) *tree.Node { return o })
	case name == "upstream":
		return tree.Merge(base, over, mergeUpstream)
	}
	return tree.Deep(name, base, over)
}

// mergeRequest replaces headers, query and body whole; a body of one kind drops that of the other.
func mergeRequest(base, over *tree.Node) *tree.Node {
	if over.Get("json") != nil {
		base = base.Without("form")
	}
	if over.Get("form") != nil {
		base = base.Without("json")
	}
	return tree.Merge(base, over, func(_ string, _, o *tree.Node) *tree.Node { return o })
}

// mergeUpstream is the rule for the members of an upstream.
func mergeUpstream(name string, base, over *tree.Node) *tree.Node {
	switch name {
	case "inject":
		return mergeInject(base, over)
	case "headers", "query":
		return tree.Merge(base, over, mergePolicy)
	}
	return tree.Deep(name, base, over)
}

// mergePolicy joins the lists of names: what a preset drops for safety stays dropped when the file
// drops more, and what it allows stays allowed. An explicit [] begins anew.
func mergePolicy(name string, base, over *tree.Node) *tree.Node {
	more := itemsOf(over)
	if base.Kind == tree.Mapping || len(more) == 0 {
		return tree.Deep(name, base, over)
	}
	out := *over
	out.Kind, out.Items = tree.List, slices.Concat(itemsOf(base), more)
	return &out
}

// itemsOf are those of a list; a single value stands for a list of it.
func itemsOf(n *tree.Node) []*tree.Node {
	if n.Kind == tree.Scalar {
		return []*tree.Node{n}
	}
	return n.Items
}

// mergeInject gives the token one place: naming a header drops the parameter, and the reverse.
func mergeInject(base, over *tree.Node) *tree.Node {
	if over.Has("query") {
		base = base.Without("header", "scheme", "cookie")
	}
	if over.Has("cookie") {
		base = base.Without("header", "scheme", "query")
	}
	if over.Has("header") || over.Has("scheme") {
		base = base.Without("query", "cookie")
	}
	return tree.Merge(base, over, tree.Deep)
}
