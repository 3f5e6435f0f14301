package tree

// Kind is what a value is.
type Kind int

// The kinds of values. What is written without a value is Null.
const (
	Null Kind = iota
	Scalar
	List
	Mapping
)

// String returns the kind with its article, for a message.
func (k Kind) String() string {
	return [...]string{"nothing", "a single value", "a list", "a mapping"}[k]
}

// Single says whether n is a single value, and records a fault with fix when it is not.
func (f *Faults) Single(n *Node, fix string) bool {
	switch n.Kind {
	case Scalar:
		return true
	case Null:
		f.Add(n, "has no value", fix)
	default:
		f.Add(n, "must be a single value, not "+n.Kind.String(), fix)
	}
	return false
}

const keysFix = "write its keys below it, each with its value"

// IsMapping says whether n is a mapping or null, and records a fault when it is not.
func (f *Faults) IsMapping(n *Node) bool {
	if n.Kind == Mapping || n.Kind == Null {
		return true
	}
	f.Add(n, "must be a mapping, not "+n.Kind.String(), keysFix)
	return false
}

// HasKeys says whether n is a mapping, and records a fault when it is not.
func (f *Faults) HasKeys(n *Node) bool {
	if n.Kind == Null {
		f.Add(n, "has no value", keysFix)
	}
	return f.IsMapping(n) && n.Kind == Mapping
}

// IsList says whether n is a list or null, and records a fault with fix when it is not.
func (f *Faults) IsList(n *Node, fix string) bool {
	if n.Kind == List || n.Kind == Null {
		return true
	}
	f.Add(n, "must be a list, not "+n.Kind.String(), fix)
	return false
}

// Items returns what stands in the list n; a single value stands for a list of it alone. It records a fault
// with fix where n is neither a list, a single value nor null.
func (f *Faults) Items(n *Node, fix string) []*Node {
	if n.Kind == Scalar {
		return []*Node{n}
	}
	if !f.IsList(n, fix) {
		return nil
	}
	return n.Items
}
