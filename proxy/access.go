package proxy

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"
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
	paths          [][]string // in segments
}

func newRules(list []Access) (rules, error) {
	rs := make(rules, len(list))
	for i, a := range list {
		rs[i].methods = a.Methods
		for _, host := range a.Hosts {
			rs[i].hosts = append(rs[i].hosts, hostname(host))
		}
		for _, pattern := range a.Paths {
			if !isPattern(pattern) {
				return nil, fmt.Errorf("proxy: %q is no pattern of a path", pattern)
			}
			rs[i].paths = append(rs[i].paths, strings.Split(pattern, "/"))
		}
	}
	return rs, nil
}

// isPattern tells whether some path can match pattern and its stars stand
// where they have a meaning.
func isPattern(pattern string) bool {
	all := strings.Split(pattern, "/")
	for i, s := range all {
		last := i == len(all)-1
		switch {
		case i == 0 && s != "", i > 0 && s == "" && !last, s == "**" && !last:
			return false
		case s != "*" && s != "**" && (strings.ContainsAny(s, `*\`) || !isSegment(s)):
			return false
		}
	}
	return len(all) > 1
}

// allow tells whether a rule lists the method, the host, in lower case and
// without port, and the path, in decoded segments.
func (rs rules) allow(method, host string, path []string) bool {
	return slices.ContainsFunc(rs, func(r rule) bool {
		return (len(r.methods) == 0 || slices.Contains(r.methods, method)) &&
			(len(r.hosts) == 0 || slices.Contains(r.hosts, host)) &&
			(len(r.paths) == 0 || slices.ContainsFunc(r.paths, func(pattern []string) bool { return matchPath(pattern, path) }))
	})
}

func matchPath(pattern, path []string) bool {
	for i, want := range pattern {
		switch {
		case want == "**":
			return true
		case i == len(path):
			return false
		case want == "*" && path[i] != "":
		case want != path[i]:
			return false
		}
	}
	return len(pattern) == len(path)
}

// segments splits an escaped path at its slashes and decodes what is between
// them. It reports false for a path that servers read in different ways: what
// [ambiguous] says, empty segments, and segments that are not plain.
func segments(escaped string) ([]string, bool) {
	if ambiguous(escaped) || strings.Contains(escaped, "//") {
		return nil, false
	}
	all := strings.Split(escaped, "/")
	for i, s := range all {
		decoded, err := url.PathUnescape(s)
		if err != nil || !isSegment(decoded) {
			return nil, false
		}
		all[i] = decoded
	}
	return all, true
}

// isSegment tells whether servers agree on a decoded segment. They do not where
// it ends a path for some of them, is a dot segment for Windows, has dots and
// slashes in overlong UTF-8, or would change if it were decoded once more.
func isSegment(segment string) bool {
	if strings.ContainsAny(segment, ";?#") || !utf8.ValidString(segment) {
		return false
	}
	for i, c := range segment {
		if c < ' ' || c == 0x7f || c == '%' && isEscape(segment[i:]) {
			return false
		}
	}
	return segment == "" || strings.Trim(segment, ". ") != ""
}

// isEscape tells whether s begins with a percent sign and two digits.
func isEscape(s string) bool {
	const digits = "0123456789abcdefABCDEF"
	return len(s) > 2 && strings.IndexByte(digits, s[1]) >= 0 && strings.IndexByte(digits, s[2]) >= 0
}

// judge says why the access rules turn r away; "" when they do not.
func (h *handler) judge(r *http.Request) (code Code, message string) {
	if len(h.access) == 0 {
		return "", ""
	}
	var out url.URL
	aim(&out, r, h.opts.Target, h.opts.StripPrefix)
	path, plain := segments(out.RequestURI())
	if !plain {
		return CodeAmbiguousPath, "servers may read the path in different ways, so that the access rules cannot judge it: " +
			"send it in UTF-8, without dot segments, empty segments, encoded slashes, backslashes, ';', '?', '#', control characters and double encoding"
	}
	if name := h.policy.otherPath(r.Header); name != "" {
		return CodeAmbiguousPath, "some servers go by the path in " + name + ", which the access rules cannot judge: send the request without it"
	}
	for _, method := range methods(r) {
		if !h.access.allow(method, hostname(r.Host), path) {
			return CodeNotAllowed, fmt.Sprintf("access of upstream %q does not list %s %s for Host %s", h.opts.Name, method, strings.Join(path, "/"), hostname(r.Host))
		}
	}
	return "", ""
}

// otherPath returns the name of a header that passes and by which some servers
// (IIS, Symfony, Zend) go in the stead of the path; "" without one.
func (p *policy) otherPath(client http.Header) string {
	for name := range client {
		switch folded := fold(name); folded {
		case "X-Original-Url", "X-Rewrite-Url":
			if p.passes(folded) {
				return name
			}
		}
	}
	return ""
}

// methods returns the method of r, and those that some servers go by in its
// stead.
func methods(r *http.Request) []string {
	all := []string{r.Method}
	for name, values := range r.Header {
		switch fold(name) {
		case "X-Http-Method", "X-Http-Method-Override", "X-Method-Override":
			for _, v := range values {
				all = append(all, strings.ToUpper(strings.TrimSpace(v)))
			}
		}
	}
	return all
}
