package config

import "slices"

// requestKeys are the blocks of a token that hold a request.
func requestKeys() []string { return []string{"request", "refresh", "check", "revoke"} }

// merge lays over on base: mappings member by member, anything else whole. What is given but empty
// counts, too: it replaces what is below. rule says how the members of one name are combined.
func merge(base, over *node, rule func(name string, base, over *node) *node) *node {
	if base.kind != mapping || over.kind != mapping || len(over.entries) == 0 {
		return over
	}
	return layer(base, over, rule)
}

// layer is merge for two mappings of which over may well be empty.
func layer(base, over *node, rule func(name string, base, over *node) *node) *node {
	out := *over
	out.entries = nil
	for _, e := range base.entries {
		if over.get(e.name) == nil {
			out.entries = append(out.entries, e)
		}
	}
	for _, e := range over.entries {
		if b := base.get(e.name); b != nil {
			e.value = rule(e.name, b, e.value)
		}
		out.entries = append(out.entries, e)
	}
	return &out
}

func mergeDeep(_ string, base, over *node) *node { return merge(base, over, mergeDeep) }

// mergeToken is the rule for the members of a token.
func mergeToken(name string, base, over *node) *node {
	switch {
	case slices.Contains(requestKeys(), name):
		return mergeRequest(base, over)
	case name == "upstream":
		return merge(base, over, mergeUpstream)
	}
	return mergeDeep(name, base, over)
}

// mergeRequest replaces headers, query and body whole; a body of one kind drops that of the other.
func mergeRequest(base, over *node) *node {
	if over.get("json") != nil {
		base = base.without("form")
	}
	if over.get("form") != nil {
		base = base.without("json")
	}
	return merge(base, over, func(_ string, _, o *node) *node { return o })
}

// mergeUpstream is the rule for the members of an upstream.
func mergeUpstream(name string, base, over *node) *node {
	switch name {
	case "inject":
		return mergeInject(base, over)
	case "headers", "query":
		return merge(base, over, mergePolicy)
	}
	return mergeDeep(name, base, over)
}

// mergePolicy joins the lists of names: what a preset drops for safety stays dropped when the file
// drops more, and what it allows stays allowed. An explicit [] begins anew.
func mergePolicy(name string, base, over *node) *node {
	if base.kind != list || over.kind != list || len(over.items) == 0 {
		return mergeDeep(name, base, over)
	}
	out := *over
	out.items = slices.Concat(base.items, over.items)
	return &out
}

// mergeInject gives the token one place: naming a header drops the parameter, and the reverse.
func mergeInject(base, over *node) *node {
	if over.has("query") {
		base = base.without("header", "scheme")
	}
	if over.has("header") || over.has("scheme") {
		base = base.without("query")
	}
	return merge(base, over, mergeDeep)
}
