package config

import (
	"net/textproto"
	"strings"

	"authproxy/cmd/authproxy/internal/config/tree"
	"authproxy/internal/httpsyntax"
	"authproxy/internal/jsonpath"
)

// Selector says where in an answer a value stands: under a JSON path, in a header, or that it is the
// whole body. The zero Selector says that it stands nowhere.
type Selector struct {
	Path   jsonpath.Path
	Header string // canonical; set instead of Path
	Body   bool   // set instead of Path
}

// IsZero says whether there is nothing to look for.
func (s Selector) IsZero() bool { return s.Header == "" && !s.Body && s.Path.IsZero() }

// String returns the selector as it is written in the configuration.
func (s Selector) String() string {
	switch {
	case s.Body:
		return wholeBody
	case s.Header != "":
		return headerPrefix + s.Header
	default:
		return s.Path.String()
	}
}

// Matches are written as a mapping of paths to values.
type Matches []jsonpath.Match

// Alternatives are lists of matches, of which one has to hold, and of it all. They are written as a
// mapping, of which each entry is an alternative, or as a list of mappings, of which each is one.
type Alternatives [][]jsonpath.Match

func (a *Alternatives) read(p *parser, n *tree.Node) {
	if n.Kind != tree.List {
		for _, m := range p.matches(n) {
			*a = append(*a, []jsonpath.Match{m})
		}
		return
	}
	for _, item := range n.Items {
		all := p.matches(item)
		if len(all) == 0 && item.Kind == tree.Mapping {
			p.fault(item, "is empty", "write JSON paths and the values that count, such as { code: [INVALID], requestId: [\"*\"] }")
		}
		if len(all) > 0 {
			*a = append(*a, all)
		}
	}
}

func (m *Matches) read(p *parser, n *tree.Node) { *m = p.matches(n) }

// Selectors are several places, of which none is empty.
type Selectors []Selector

func (s *Selectors) read(p *parser, n *tree.Node) {
	for _, item := range p.faults.Items(n, "write JSON paths in a list, such as [code, error]") {
		place := p.selector(item)
		if item.Empty() {
			p.fault(item, "is empty", pathFix)
		}
		*s = append(*s, place)
	}
}

func (s *Selector) read(p *parser, n *tree.Node) { *s = p.selector(n) }

const (
	headerPrefix = "header:"
	wholeBody    = "body" // a member of that name is written ['body']
)

func (p *parser) selector(n *tree.Node) Selector {
	if n.Kind == tree.Null || n.Kind == tree.Scalar && n.Text == "" {
		return Selector{}
	}
	if n.Text == wholeBody {
		return Selector{Body: true}
	}
	name, isHeader := strings.CutPrefix(n.Text, headerPrefix)
	if !isHeader {
		return Selector{Path: p.jsonPath(n)}
	}
	if !httpsyntax.IsToken(name) {
		p.fault(n, n.Quote()+" does not name a header", "write header:X-Subject-Token")
		return Selector{}
	}
	return Selector{Header: textproto.CanonicalMIMEHeaderKey(name)}
}

const pathFix = "write a path such as code or a.b[0].c; a key with other characters in it is written ['a-b']"

func (p *parser) jsonPath(n *tree.Node) jsonpath.Path {
	if !p.faults.Single(n, pathFix) {
		return jsonpath.Path{}
	}
	path, err := jsonpath.Parse(n.Text)
	if err != nil {
		p.fault(n, n.Quote()+" is not a JSON path", pathFix)
	}
	return path
}

// matches reads a mapping of JSON paths to a value or a list of values. A path with an empty list
// matches nothing and is left out.
func (p *parser) matches(n *tree.Node) []jsonpath.Match {
	if n.Kind == tree.Scalar || n.Kind == tree.List {
		p.fault(n, "must be a mapping, not "+n.Kind.String(), "write a JSON path and the values that count, such as { code: [INVALID] }")
		return nil
	}
	var out []jsonpath.Match
	for _, e := range n.Entries {
		path, err := jsonpath.Parse(e.Name)
		if err != nil {
			p.fault(&tree.Node{File: e.Value.File, Line: e.Line, Path: e.Value.Path}, "the key is not a JSON path", pathFix)
			continue
		}
		if values := p.texts(e.Value); len(values) > 0 {
			out = append(out, jsonpath.Match{Path: path, Values: values})
		}
	}
	return out
}

// texts reads a list of single values, or one value without the brackets.
func (p *parser) texts(n *tree.Node) []string {
	items := n.Items
	if n.Kind != tree.List {
		items = []*tree.Node{n}
	}
	var out []string
	for _, item := range items {
		if p.faults.Single(item, "write [] for no value, and quote text that stands for nothing") {
			out = append(out, item.Text)
		}
	}
	return out
}
