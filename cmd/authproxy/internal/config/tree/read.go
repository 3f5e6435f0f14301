package tree

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"gopkg.in/yaml.v3"
)

// maxNodes bounds what aliases can blow a small file up to.
const maxNodes = 50_000

// reader turns the text of one file into nodes.
type reader struct {
	file   string
	env    func(string) (string, bool) // nil: ${NAME} has no meaning in this file
	faults *Faults
	nodes  int
	open   map[*yaml.Node]bool // the anchors that are being read
}

// Read returns the only document of data, or nil after a fault that leaves nothing to look at.
func Read(file string, data []byte, env func(string) (string, bool), faults *Faults) *Node {
	r := &reader{file: file, env: env, faults: faults, open: map[*yaml.Node]bool{}}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var doc, second yaml.Node
	if err := dec.Decode(&doc); err != nil {
		r.syntax(err, data)
		return nil
	}
	switch err := dec.Decode(&second); {
	case err == nil:
		r.fault(second.Line, "", "a second YAML document", "write one document, without a line of three dashes in it")
	case !errors.Is(err, io.EOF):
		r.syntax(err, data)
		return nil
	}
	root := r.node(doc.Content[0], "")
	if root.Kind == Null {
		r.syntax(io.EOF, data)
		return nil
	}
	return root
}

func (r *reader) fault(line int, path, what, fix string) {
	*r.faults = append(*r.faults, Fault{File: r.file, Line: max(line, 1), Path: path, What: what, Fix: fix})
}

// node converts y, which stands at path.
func (r *reader) node(y *yaml.Node, path string) *Node {
	n := &Node{Kind: Null, File: r.file, Line: y.Line, Path: path}
	r.nodes++
	if r.nodes > maxNodes {
		if r.nodes == maxNodes+1 {
			r.fault(y.Line, "", fmt.Sprintf("more than %d values", maxNodes), "use fewer aliases")
		}
		return n
	}
	switch y.Kind {
	case yaml.AliasNode:
		return r.alias(y, path)
	case yaml.MappingNode:
		n.Kind = Mapping
		r.members(y, n)
	case yaml.SequenceNode:
		n.Kind = List
		for i, item := range y.Content {
			n.Items = append(n.Items, r.node(item, fmt.Sprintf("%s[%d]", path, i)))
		}
	case yaml.ScalarNode:
		r.scalar(y, n)
	}
	r.checkTag(y, path)
	return n
}

func (r *reader) alias(y *yaml.Node, path string) *Node {
	if r.open[y.Alias] {
		r.fault(y.Line, path, "an alias inside its own anchor", "write the value itself")
		return &Node{Kind: Null, File: r.file, Line: y.Line, Path: path}
	}
	r.open[y.Alias] = true
	defer delete(r.open, y.Alias)
	return r.node(y.Alias, path)
}

func (r *reader) scalar(y *yaml.Node, n *Node) {
	if y.Tag == "!!null" {
		return
	}
	n.Kind, n.Tag, n.Raw, n.Text = Scalar, y.Tag, y.Value, y.Value
	n.Comment = y.LineComment != "" && y.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) == 0
	if r.env != nil && strings.Contains(y.Value, "${") {
		n.Tag = "!!str"
		n.Text = r.expand(y.Value, n)
	}
}

// checkTag refuses tags of the user's own. Its message does not show the tag, which may be the
// beginning of an unquoted password.
func (r *reader) checkTag(y *yaml.Node, path string) {
	switch y.Tag {
	case "", "!", "!!str", "!!int", "!!float", "!!bool", "!!null", "!!map", "!!seq", "!!timestamp", "!!merge":
	default:
		r.fault(y.Line, path, "YAML tags have no meaning here", "quote a value that begins with !")
	}
}
