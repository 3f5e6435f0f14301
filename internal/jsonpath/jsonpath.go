// Package jsonpath finds values in JSON documents by a path such as code or
// a.b[0].c. The language is that of ohler55/ojg/jp; a [Path] that exists is
// valid, and following it cannot panic.
package jsonpath

import (
	"errors"

	"github.com/ohler55/ojg/jp"
)

// ErrNoPath is what [Parse] says of a text that is no path.
var ErrNoPath = errors.New("not a JSON path: write one such as code or a.b[0].c; a key with other characters in it is written ['a-b']")

// Path is a parsed path. The zero Path finds nothing.
type Path struct {
	text string
	expr jp.Expr
}

// whole is the path of the whole document.
const whole = "$"

// Parse reads a path. $ is the whole document; other texts that only name that are
// no paths. The error is [ErrNoPath].
func Parse(text string) (path Path, err error) {
	defer func() {
		if recover() != nil { // jp panics within its parser
			path, err = Path{}, ErrNoPath
		}
	}()
	expr, err := jp.ParseString(text)
	if err != nil || len(expr) == 0 {
		return Path{}, ErrNoPath
	}
	if text == whole {
		return Path{text, expr}, nil
	}
	switch expr[len(expr)-1].(type) {
	case jp.Root, jp.At, jp.Bracket:
		return Path{}, ErrNoPath
	}
	return Path{text, expr}, nil
}

// MustParse is [Parse] for paths in the program's own text; it panics when text
// is no path.
func MustParse(text string) Path {
	path, err := Parse(text)
	if err != nil {
		panic(err)
	}
	return path
}

// IsZero tells whether p is the zero Path.
func (p Path) IsZero() bool { return len(p.expr) == 0 }

// String returns the path as it was written.
func (p Path) String() string { return p.text }

// MarshalText returns the path as it was written.
func (p Path) MarshalText() ([]byte, error) { return []byte(p.text), nil }

// First returns the first value at p in doc, which is what encoding/json has
// decoded; found is false without one.
func (p Path) First(doc any) (value any, found bool) {
	defer func() {
		if recover() != nil { // of a path that jp cannot follow
			value, found = nil, false
		}
	}()
	if doc == nil || p.IsZero() {
		return nil, false
	}
	return p.expr.FirstFound(doc)
}

// All returns every value at p in doc.
func (p Path) All(doc any) (values []any) {
	defer func() {
		if recover() != nil {
			values = nil
		}
	}()
	if doc == nil || p.IsZero() {
		return nil
	}
	return p.expr.Get(doc)
}

// Begins tells whether a JSON text that begins with c may hold something at p.
func (p Path) Begins(c byte) bool {
	object, array := c == '{', c == '['
	for _, frag := range p.expr {
		switch frag.(type) {
		case jp.Root, jp.At, jp.Bracket:
			continue
		case jp.Child:
			return object
		case jp.Nth, jp.Slice:
			return array
		default:
			return object || array
		}
	}
	return !p.IsZero() // the whole document
}
