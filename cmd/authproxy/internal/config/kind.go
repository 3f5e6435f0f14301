package config

type kind int

const (
	null kind = iota
	scalar
	list
	mapping
)

func (k kind) String() string {
	return [...]string{"nothing", "a single value", "a list", "a mapping"}[k]
}

// single says whether n is a single value, and records a fault with fix when it is not.
func (p *parser) single(n *node, fix string) bool {
	switch n.kind {
	case scalar:
		return true
	case null:
		p.fault(n, "has no value", fix)
	default:
		p.fault(n, "must be a single value, not "+n.kind.String(), fix)
	}
	return false
}

const keysFix = "write its keys below it, each with its value"

// isMapping says whether n is a mapping or null, and records a fault when it is not.
func (p *parser) isMapping(n *node) bool {
	if n.kind == mapping || n.kind == null {
		return true
	}
	p.fault(n, "must be a mapping, not "+n.kind.String(), keysFix)
	return false
}

// hasKeys says whether n is a mapping, and records a fault when it is not.
func (p *parser) hasKeys(n *node) bool {
	if n.kind == null {
		p.fault(n, "has no value", keysFix)
	}
	return p.isMapping(n) && n.kind == mapping
}

// isList says whether n is a list or null, and records a fault with fix when it is not.
func (p *parser) isList(n *node, fix string) bool {
	if n.kind == list || n.kind == null {
		return true
	}
	p.fault(n, "must be a list, not "+n.kind.String(), fix)
	return false
}
