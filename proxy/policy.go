package proxy

import (
	"net/http"
	"net/textproto"
	"net/url"
	"regexp"
	"slices"
	"strings"
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

// Query says which of the client's query parameters go upstream. Names compare
// after decoding; everything else of the query passes byte for byte.
type Query struct {
	// Set replaces parameters, with values as in [Headers]. The client's own
	// parameter of that name never passes, even when nothing is set.
	Set map[string]string
	// Drop lists parameters that do not pass.
	Drop []string
}

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
			p.drop[fold(part.header)] = true
		}
	}
	for _, s := range p.set {
		p.drop[fold(s.name)] = true
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
		p.drop[fold(o.Inject.Header)] = true
	}
	delete(p.drop, "")
	return p
}

// fold returns the form in which header names compare.
func fold(name string) string {
	if strings.IndexByte(name, '_') >= 0 {
		name = strings.ReplaceAll(name, "_", "-")
	}
	return textproto.CanonicalMIMEHeaderKey(name)
}

func foldAll(names []string) map[string]bool {
	folded := make(map[string]bool, len(names))
	for _, name := range names {
		folded[fold(name)] = true
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

// value fills s from the client's headers; false when one of them is missing.
func (s setting) value(client http.Header) (string, bool) {
	var b strings.Builder
	for _, part := range s.parts {
		b.WriteString(part.text)
		if part.header == "" {
			continue
		}
		values := client.Values(part.header)
		if len(values) == 0 {
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
	for name := range out {
		folded := fold(name)
		if p.drop[folded] || p.allow != nil && !p.allow[folded] {
			delete(out, name)
		}
	}
	for _, s := range p.set {
		if v, ok := s.value(client); ok {
			out.Set(s.name, v)
		}
	}
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

// hasToken tells whether one of the comma-separated values is token.
func hasToken(values []string, token string) bool {
	for _, v := range values {
		for one := range strings.SplitSeq(v, ",") {
			if strings.EqualFold(strings.TrimSpace(one), token) {
				return true
			}
		}
	}
	return false
}

// upgrade takes away an Upgrade that is not configured; the request itself
// goes on. Passing h2c on would open a second, unseen way to the upstream
// (golang/go#80416), and Java's HttpClient asks for it by default.
func (p *policy) upgrade(out http.Header) {
	asked, ok := out["Upgrade"]
	if !ok {
		return
	}
	for _, name := range p.upgrades {
		if len(asked) == 1 && strings.EqualFold(asked[0], name) {
			return
		}
	}
	delete(out, "Upgrade")
	delete(out, "Connection")
}

// query returns the raw query that the upstream shall get: the client's with
// parameters taken out and set, and everything else byte for byte.
func (p *policy) query(raw string, client http.Header) string {
	if len(p.dropQuery) > 0 {
		raw = dropParams(raw, p.dropQuery)
	}
	for _, s := range p.setQuery {
		if v, ok := s.value(client); ok {
			raw = addParam(raw, s.name, v)
		}
	}
	return raw
}

// dropParams takes the named parameters out of raw. Servers differ in whether
// ';' separates parameters (CVE-2022-2880 is such a difference), so a name
// counts behind either separator.
func dropParams(raw string, names map[string]bool) string {
	var b strings.Builder
	for rest := raw; rest != ""; {
		end := strings.IndexAny(rest, "&;")
		piece, separator := rest, ""
		if end >= 0 {
			piece, separator = rest[:end], rest[end:end+1]
		}
		rest = rest[len(piece)+len(separator):]
		if names[paramName(piece)] {
			continue
		}
		b.WriteString(piece)
		b.WriteString(separator)
	}
	if b.Len() == len(raw) {
		return raw
	}
	return strings.TrimRight(b.String(), "&;")
}

func paramName(piece string) string {
	name, _, _ := strings.Cut(piece, "=")
	if strings.IndexByte(name, '%') < 0 && strings.IndexByte(name, '+') < 0 {
		return name
	}
	if decoded, err := url.QueryUnescape(name); err == nil {
		return decoded
	}
	return name
}

// addParam appends a parameter to raw. A colon is left as it is: platforms
// show it so in their samples, and RFC 3986 section 3.4 allows it.
func addParam(raw, name, value string) string {
	p := url.QueryEscape(name) + "=" + strings.ReplaceAll(url.QueryEscape(value), "%3A", ":")
	if raw == "" {
		return p
	}
	return raw + "&" + p
}
