package config

import (
	"cmp"
	"net/textproto"
	"strings"
	"time"

	"authproxy/cmd/authproxy/internal/config/tree"
	"authproxy/internal/httpsyntax"
	"authproxy/internal/jsonpath"
)

// Selector says where in an answer a value stands: under a JSON path, in a header, in a cookie that is
// set, or that it is the whole body. The zero Selector says that it stands nowhere.
type Selector struct {
	Path   jsonpath.Path
	Header string // canonical; set instead of Path
	Body   bool   // set instead of Path
	Cookie string // set instead of Path
}

// IsZero says whether there is nothing to look for.
func (s Selector) IsZero() bool {
	return s.Header == "" && s.Cookie == "" && !s.Body && s.Path.IsZero()
}

// String returns the selector as it is written in the configuration.
func (s Selector) String() string {
	switch {
	case s.Body:
		return wholeBody
	case s.Header != "":
		return headerPrefix + s.Header
	case s.Cookie != "":
		return cookiePrefix + s.Cookie
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
	cookiePrefix = "cookie:"
	wholeBody    = "body" // a member of that name is written ['body']
)

// Ending says where in an answer stands how long the token lives: at a place, or, as jwt, in the token itself,
// which is a JWT with an exp (RFC 7519 section 4.1.4).
type Ending struct {
	Place Selector
	JWT   bool
}

func (e *Ending) read(p *parser, n *tree.Node) {
	if n.Kind == tree.Scalar && n.Text == "jwt" {
		e.JWT = true
		return
	}
	e.Place = p.selector(n)
}

// Unit says what is written at an Ending: one of a few words, or a layout of package time, told in Zone where it
// names none.
type Unit struct {
	Word   string
	Layout string
	Zone   string
}

// unitKeys are the keys of a Unit that is no single value.
type unitKeys struct {
	Time string `yaml:"time" rule:"required" fix:"write how 15:04:05 on the 2nd of January 2006 would be written there"`
	Zone string `yaml:"zone"`
}

const unitFix = "write s, ms, min, epoch_s, epoch_ms, rfc3339, a layout such as \"2006-01-02 15:04:05\", or one with its zone: { time: ..., zone: Asia/Shanghai }"

func (u *Unit) read(p *parser, n *tree.Node) {
	switch {
	case n.Kind == tree.Mapping:
		var keys unitKeys
		p.fill(n, &keys)
		u.Layout, u.Zone = keys.Time, keys.Zone
		if at := n.Get("zone"); zoneOf(u.Zone).String() != cmp.Or(u.Zone, "UTC") {
			p.fault(at, at.Quote()+" is not a time zone", zoneFix)
		}
	case !p.faults.Single(n, unitFix):
	case contains(p.words.Units, n.Text):
		u.Word = n.Text
	case layoutOf(n.Text) == n.Text:
		p.fault(n, n.Quote()+" is not possible here", unitFix)
	default:
		u.Layout = n.Text
	}
}

// Location is where a moment without a zone is told.
func (u Unit) Location() *time.Location { return zoneOf(u.Zone) }

func (p *parser) selector(n *tree.Node) Selector {
	if n.Kind == tree.Null || n.Kind == tree.Scalar && n.Text == "" {
		return Selector{}
	}
	if n.Text == wholeBody {
		return Selector{Body: true}
	}
	if name, isCookie := strings.CutPrefix(n.Text, cookiePrefix); isCookie {
		if !httpsyntax.IsToken(name) {
			p.fault(n, n.Quote()+" does not name a cookie", "write cookie:JSESSIONID")
		}
		return Selector{Cookie: name}
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
