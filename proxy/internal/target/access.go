package target

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"authproxy/internal/httpsyntax"
)

// Access is one rule of what passes: a request that is in all three lists.
type Access struct {
	// Methods lists methods as they stand in a request line; empty for any. GET
	// lets a WebSocket handshake pass, but not HEAD. A method named in
	// X-HTTP-Method-Override or its like has to be listed as well.
	Methods []string
	// Paths lists patterns for the path as the upstream sees it: the base path
	// of the target first, the stripped prefix gone, percent-encoding resolved,
	// the query left out. In a pattern, "*" stands for one segment that is not
	// empty, and "**" at the end for any rest or none: /a/** is /a and all
	// below. A slash at the end counts. Empty for any path.
	Paths []string
	// Hosts lists Host names without port, in any case; empty for any. Host is
	// what the caller says that it is.
	Hosts []string
}

// rules are Access, made ready; none allow everything.
type rules []rule

type rule struct {
	methods, hosts []string
	paths          []httpsyntax.Pattern
}

func newRules(list []Access) (rules, error) {
	rs := make(rules, len(list))
	for i, a := range list {
		rs[i].methods = a.Methods
		for _, host := range a.Hosts {
			rs[i].hosts = append(rs[i].hosts, httpsyntax.Hostname(host))
		}
		for _, text := range a.Paths {
			pattern, ok := httpsyntax.ParsePattern(text)
			if !ok {
				return nil, fmt.Errorf("proxy: %q is no pattern of a path", text)
			}
			rs[i].paths = append(rs[i].paths, pattern)
		}
	}
	return rs, nil
}

// allow tells whether a rule lists the method, the host, in lower case and
// without port, and the path, in decoded segments.
func (rs rules) allow(method, host string, path []string) bool {
	return slices.ContainsFunc(rs, func(r rule) bool {
		return (len(r.methods) == 0 || slices.Contains(r.methods, method)) &&
			(len(r.hosts) == 0 || slices.Contains(r.hosts, host)) &&
			(len(r.paths) == 0 || slices.ContainsFunc(r.paths, func(p httpsyntax.Pattern) bool { return p.Match(path) }))
	})
}

// segments splits an escaped path at its slashes and decodes what is between
// them. It reports false for a path that servers may read in different ways:
// what [mayDiffer] says, empty segments, and segments that are not plain.
func segments(escaped string) ([]string, bool) {
	if mayDiffer(escaped) || strings.Contains(escaped, "//") {
		return nil, false
	}
	all := strings.Split(escaped, "/")
	for i, s := range all {
		decoded, err := url.PathUnescape(s) // which is s itself where nothing is encoded
		if err != nil || !httpsyntax.IsSegment(decoded) {
			return nil, false
		}
		all[i] = decoded
	}
	return all, true
}

// judge says why the access rules turn r away, whose escaped path upstream is
// given; nil when they do not.
func (t *Target) judge(r *http.Request, escaped string) error {
	path, plain := segments(escaped)
	if !plain {
		return ErrAmbiguous
	}
	if name := cmp.Or(t.otherPath(r.Header), t.otherPath(r.Trailer), otherMethod(r.Trailer)); name != "" {
		return &HeaderError{name}
	}
	host := httpsyntax.Hostname(r.Host)
	for _, method := range methods(r) {
		if !t.rules.allow(method, host, path) {
			return &NotAllowedError{method, strings.Join(path, "/"), host}
		}
	}
	return nil
}

// otherPath returns the name of a header that passes and by which some servers
// go instead of the path; "" without one.
func (t *Target) otherPath(client http.Header) string {
	for name := range client {
		if slices.Contains(t.pathHeaders, httpsyntax.FoldName(name)) {
			return name
		}
	}
	return ""
}

// methods returns the method of r, and those that some servers go by instead.
func methods(r *http.Request) []string {
	all := []string{r.Method}
	for name, values := range r.Header {
		if overridesMethod(name) {
			for _, v := range values {
				all = append(all, strings.ToUpper(strings.TrimSpace(v)))
			}
		}
	}
	return all
}

// otherMethod returns the name of a trailer by which some servers go instead of the
// method, and whose value comes when nobody can judge it any more; "" without one.
func otherMethod(trailer http.Header) string {
	for name := range trailer {
		if overridesMethod(name) {
			return name
		}
	}
	return ""
}

func overridesMethod(name string) bool {
	switch httpsyntax.FoldName(name) {
	case "X-Http-Method", "X-Http-Method-Override", "X-Method-Override":
		return true
	}
	return false
}
