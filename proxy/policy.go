package proxy

import (
	"net/http"
	"slices"
	"strings"

	"authproxy/internal/httpsyntax"
	"authproxy/internal/template"
	"authproxy/proxy/internal/target"
)

// Headers says which of the client's headers go upstream, and which of the
// upstream's come back. Names compare without case, and with '_' equal to '-',
// because CGI-style servers cannot tell these apart (CVE-2025-64484).
type Headers struct {
	// Allow, when not empty, lists the only headers that pass.
	Allow []string
	// Drop lists headers that do not pass.
	Drop []string
	// Set replaces headers. A value may hold {header.NAME}: the client's header
	// of that name, which is then not forwarded; without it nothing is set.
	Set map[string]string
	// DropResponse lists headers of the answer that do not pass.
	DropResponse []string
}

// Access is one rule of what passes: a request that is in all of its lists.
type Access = target.Access

// policy is Headers and Query, made ready.
type policy struct {
	allow        *names // nil: all
	drop         names
	set          []setting
	dropResponse []string // canonical
	dropQuery    []string
	setQuery     []setting
	upgrades     []string
}

// names is a set of names of header fields. Most of those that a request has are
// told from the set's by their length alone.
type names struct {
	folded  map[string]bool
	lengths uint64 // bit n is set for a name of n bytes, the last for all longer ones
}

func (s *names) add(all ...string) {
	for _, name := range all {
		if s.folded == nil {
			s.folded = map[string]bool{}
		}
		s.folded[httpsyntax.FoldName(name)] = true
		s.lengths |= lengthBit(name)
	}
}

func lengthBit(name string) uint64 { return 1 << min(len(name), 63) }

// has tells whether name, in any spelling, is in the set.
func (s *names) has(name string) bool {
	return s.lengths&lengthBit(name) != 0 && s.folded[httpsyntax.FoldName(name)]
}

// setting is one header or parameter to set.
type setting struct {
	name string
	text template.Template
}

// isHeader tells whether a piece of a setting is {header.NAME}.
func isHeader(p template.Piece) bool { return p.Name == "header" && p.Member != "" }

// unsafe are headers of the answer that would lead the client round the proxy
// or bind localhost: RFC 7838 section 3, RFC 6797 section 7.2.
// What says that authproxy itself has answered, only authproxy says.
var unsafe = []string{"Alt-Svc", "Strict-Transport-Security", errorField}

func newPolicy(o Options) *policy {
	p := &policy{
		set: settings(o.Headers.Set), setQuery: settings(o.Query.Set),
		dropQuery: slices.Clone(o.Query.Drop), upgrades: o.Upgrades,
	}
	for _, name := range slices.Concat(unsafe, o.Headers.DropResponse) {
		p.dropResponse = append(p.dropResponse, http.CanonicalHeaderKey(name))
	}
	if len(o.Headers.Allow) > 0 {
		p.allow = new(names)
		p.allow.add(o.Headers.Allow...)
	}
	p.drop.add(o.Headers.Drop...)
	for _, s := range p.set {
		p.drop.add(s.name)
	}
	for _, s := range slices.Concat(p.set, p.setQuery) {
		for _, piece := range s.text {
			if isHeader(piece) {
				p.drop.add(piece.Member)
			}
		}
	}
	for _, s := range p.setQuery {
		p.dropQuery = append(p.dropQuery, s.name)
	}
	return p
}

func settings(set map[string]string) []setting {
	all := make([]setting, 0, len(set))
	for name, value := range set {
		all = append(all, setting{name, template.ParseMembers(value)})
	}
	slices.SortFunc(all, func(a, b setting) int { return strings.Compare(a.name, b.name) })
	return all
}

// value fills s from the client's headers; false when one of them is missing
// or empty.
func (s setting) value(client http.Header) (string, bool) {
	var b strings.Builder
	for _, piece := range s.text {
		if !isHeader(piece) {
			b.WriteString(piece.String())
			continue
		}
		values := client.Values(piece.Member)
		if len(values) == 0 || values[0] == "" {
			return "", false
		}
		b.WriteString(values[0])
	}
	return b.String(), true
}

// headers makes out, which ReverseProxy has rid of hop-by-hop headers, what
// the upstream shall get of the client's.
func (p *policy) headers(out, client http.Header) {
	p.upgrade(out)
	p.filter(out)
	for _, s := range p.set {
		if v, ok := s.value(client); ok {
			out.Set(s.name, v)
		}
	}
}

// filter takes out of fields what does not pass; trailers are fields as well.
func (p *policy) filter(fields http.Header) {
	if p.allow == nil && len(p.drop.folded) == 0 {
		return
	}
	for name := range fields {
		if !p.passes(name) {
			delete(fields, name)
		}
	}
}

// passes tells whether the client's field of that name goes upstream.
func (p *policy) passes(name string) bool {
	return !p.drop.has(name) && (p.allow == nil || p.allow.has(name))
}

// restoreForwarded gives back what ReverseProxy takes away before Rewrite: to
// a program beside its client these are headers like any other.
func restoreForwarded(out, client http.Header) {
	for _, name := range [...]string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto"} {
		if v, ok := client[name]; ok && !hasToken(client["Connection"], name) {
			out[name] = v
		}
	}
}
