package proxy

import (
	"net/http"
	"regexp"
	"slices"
	"strings"

	"authproxy/internal/httpsyntax"
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

// policy is Headers, Query and the place of injection, made ready.
type policy struct {
	allow        map[string]bool
	drop         map[string]bool
	set          []setting
	dropResponse []string
	dropQuery    map[string]bool
	setQuery     []setting
	upgrades     []string
}

// setting is one header or parameter to set.
type setting struct {
	name  string
	parts []part
}

// part is a literal text, or the client's header of a name.
type part struct{ text, header string }

// unsafe are headers of the answer that would lead the client round the proxy
// or bind localhost: RFC 7838 section 3, RFC 6797 section 7.2.
var unsafe = []string{"Alt-Svc", "Strict-Transport-Security"}

func newPolicy(o Options) *policy {
	p := &policy{
		drop:         foldAll(o.Headers.Drop),
		dropQuery:    map[string]bool{},
		upgrades:     o.Upgrades,
		dropResponse: slices.Concat(unsafe, o.Headers.DropResponse),
	}
	if len(o.Headers.Allow) > 0 {
		p.allow = foldAll(o.Headers.Allow)
	}
	p.set = settings(o.Headers.Set)
	p.setQuery = settings(o.Query.Set)
	for _, s := range slices.Concat(p.set, p.setQuery) {
		for _, part := range s.parts {
			p.drop[httpsyntax.FoldName(part.header)] = true
		}
	}
	for _, s := range p.set {
		p.drop[httpsyntax.FoldName(s.name)] = true
	}
	for _, s := range p.setQuery {
		p.dropQuery[s.name] = true
	}
	for _, name := range o.Query.Drop {
		p.dropQuery[name] = true
	}
	if o.Inject.Query != "" {
		p.dropQuery[o.Inject.Query] = true
	} else {
		p.drop[httpsyntax.FoldName(o.Inject.Header)] = true
	}
	delete(p.drop, "")
	return p
}

func foldAll(names []string) map[string]bool {
	folded := make(map[string]bool, len(names))
	for _, name := range names {
		folded[httpsyntax.FoldName(name)] = true
	}
	return folded
}

var clientHeader = regexp.MustCompile(`\{header\.([^{}]+)\}`)

func settings(set map[string]string) []setting {
	all := make([]setting, 0, len(set))
	for name, value := range set {
		all = append(all, setting{name, parts(value)})
	}
	slices.SortFunc(all, func(a, b setting) int { return strings.Compare(a.name, b.name) })
	return all
}

func parts(value string) []part {
	var all []part
	from := 0
	for _, m := range clientHeader.FindAllStringSubmatchIndex(value, -1) {
		all = append(all, part{text: value[from:m[0]]}, part{header: value[m[2]:m[3]]})
		from = m[1]
	}
	return append(all, part{text: value[from:]})
}

// value fills s from the client's headers; false when one of them is missing
// or empty.
func (s setting) value(client http.Header) (string, bool) {
	var b strings.Builder
	for _, part := range s.parts {
		b.WriteString(part.text)
		if part.header == "" {
			continue
		}
		values := client.Values(part.header)
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
	restoreForwarded(out, client)
	p.upgrade(out)
	p.sieve(out)
	for _, s := range p.set {
		if v, ok := s.value(client); ok {
			out.Set(s.name, v)
		}
	}
}

// sieve takes out of fields what does not pass; trailers are fields as well.
func (p *policy) sieve(fields http.Header) {
	for name := range fields {
		if !p.passes(httpsyntax.FoldName(name)) {
			delete(fields, name)
		}
	}
}

func (p *policy) passes(folded string) bool {
	return !p.drop[folded] && (p.allow == nil || p.allow[folded])
}

// restoreForwarded gives back what ReverseProxy takes away before Rewrite: to
// a program beside its client these are headers like any other.
func restoreForwarded(out, client http.Header) {
	for _, name := range []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto"} {
		if v, ok := client[name]; ok && !hasToken(client["Connection"], name) {
			out[name] = slices.Clone(v)
		}
	}
}
