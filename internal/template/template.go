// Package template reads texts with placeholders: "{name}", and where a text
// may hold them "{name.member}". Any other braces stand for themselves.
//
// A name begins with a lower-case letter or '_' and goes on with those and
// digits; a member is anything without braces.
package template

import (
	"net/url"
	"regexp"
	"strings"
)

var (
	names   = regexp.MustCompile(`\{([a-z_][a-z0-9_]*)\}`)
	members = regexp.MustCompile(`\{([a-z_][a-z0-9_]*)(?:\.([^{}]*))?\}`)
)

// Piece is a literal text, or a placeholder.
type Piece struct {
	// Literal is the text as it stands; empty in a placeholder.
	Literal string
	// Name is the placeholder's; empty in a literal.
	Name string
	// Member is what stands behind the dot in "{name.member}".
	Member string
	// Dotted tells that there is a dot; only [ParseMembers] sets it.
	Dotted bool
}

// String returns the piece as it is written.
func (p Piece) String() string {
	switch {
	case p.Name == "":
		return p.Literal
	case p.Dotted:
		return "{" + p.Name + "." + p.Member + "}"
	default:
		return "{" + p.Name + "}"
	}
}

// Template is a text in pieces; no two literals follow each other.
type Template []Piece

// Parse takes text apart; "{name.member}" stands for itself.
func Parse(text string) Template { return parse(text, names) }

// ParseMembers takes text apart, in which "{name.member}" is a placeholder too.
func ParseMembers(text string) Template { return parse(text, members) }

func parse(text string, placeholder *regexp.Regexp) Template {
	var t Template
	at := 0
	for _, m := range placeholder.FindAllStringSubmatchIndex(text, -1) {
		if m[0] > at {
			t = append(t, Piece{Literal: text[at:m[0]]})
		}
		p := Piece{Name: text[m[2]:m[3]]}
		if len(m) > 4 && m[4] >= 0 {
			p.Member, p.Dotted = text[m[4]:m[5]], true
		}
		t = append(t, p)
		at = m[1]
	}
	if at < len(text) {
		t = append(t, Piece{Literal: text[at:]})
	}
	return t
}

// IsName tells whether "{name}" is a placeholder.
func IsName(name string) bool {
	m := names.FindStringSubmatch("{" + name + "}")
	return m != nil && m[1] == name
}

// String returns the text that was parsed.
func (t Template) String() string {
	var b strings.Builder
	for _, p := range t {
		b.WriteString(p.String())
	}
	return b.String()
}

// Names returns the names of the placeholders, in their order.
func (t Template) Names() []string {
	var all []string
	for _, p := range t {
		if p.Name != "" {
			all = append(all, p.Name)
		}
	}
	return all
}

// Fill returns the text with each placeholder replaced by what value returns
// for it. What is filled in is not looked at again.
func (t Template) Fill(value func(Piece) string) string {
	var b strings.Builder
	for _, p := range t {
		if p.Name == "" {
			b.WriteString(p.Literal)
		} else {
			b.WriteString(value(p))
		}
	}
	return b.String()
}

// Absent tells that there are only placeholders, at least one, and that value
// is empty for all of them.
func (t Template) Absent(value func(Piece) string) bool {
	for _, p := range t {
		if p.Name == "" || value(p) != "" {
			return false
		}
	}
	return len(t) > 0
}

// FillURL is Fill for a template of a URL. What value returns is encoded for
// where it stands, unless it says that this is done: for a query behind the
// first question mark, else for a path. A placeholder at the very start is a
// base URL and put in as it is, without the slashes at its end where the
// template goes on with one.
func (t Template) FillURL(value func(Piece) (text string, encoded bool)) string {
	var b strings.Builder
	query := false
	for i, p := range t {
		text := p.Literal
		if p.Name != "" {
			var encoded bool
			text, encoded = value(p)
			switch {
			case i == 0 && len(t) > 1 && strings.HasPrefix(t[1].Literal, "/"):
				text = strings.TrimRight(text, "/")
			case i == 0 || encoded:
			case query:
				text = url.QueryEscape(text)
			default:
				text = url.PathEscape(text)
			}
		}
		query = query || strings.Contains(text, "?")
		b.WriteString(text)
	}
	return b.String()
}
