package proxy

import (
	"net/http"
	"net/url"
	"strings"

	"authproxy/proxy/internal/target"
)

// Query says which of the client's query parameters go upstream. A parameter is
// one of these if some server may read it so: sudo is also SUDO, sudo[] and
// %2573udo (see [target.IsParam]). Everything else of the query passes byte for
// byte.
type Query struct {
	// Set replaces parameters, with values as in [Headers]. The client's own
	// parameter of that name never passes, even when nothing is set.
	Set map[string]string
	// Drop lists parameters that do not pass.
	Drop []string
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
func dropParams(raw string, names []string) string {
	var kept strings.Builder
	dropped := false
	for rest := raw; rest != ""; {
		piece, separator := rest, ""
		if end := strings.IndexAny(rest, "&;"); end >= 0 {
			piece, separator = rest[:end], rest[end:end+1]
		}
		switch drop := isOneOf(piece, names); {
		case drop && !dropped:
			dropped = true
			kept.WriteString(raw[:len(raw)-len(rest)])
		case !drop && dropped:
			kept.WriteString(piece)
			kept.WriteString(separator)
		}
		rest = rest[len(piece)+len(separator):]
	}
	if !dropped {
		return raw
	}
	return strings.TrimRight(kept.String(), "&;")
}

// isOneOf tells whether some server may read piece as a parameter of names.
func isOneOf(piece string, names []string) bool {
	for _, name := range names {
		if target.IsParam(piece, name) {
			return true
		}
	}
	return false
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
