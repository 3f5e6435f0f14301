package proxy

import (
	"strings"

	"authproxy/proxy/internal/target"
)

// paths knows under which path the client has what the upstream has under
// another. All are percent-encoded, and without a slash at their ends.
type paths struct {
	base   string // of the target
	strip  string // prefix of the client's paths that the upstream does not see
	prefix string // of the client's paths that lead to the upstream
}

func newPaths(o Options) paths {
	return paths{
		base:   target.TrimSlash(o.Target.EscapedPath()),
		strip:  target.TrimSlash(o.StripPrefix),
		prefix: target.TrimSlash(o.PathPrefix),
	}
}

// same tells whether the client's paths are the upstream's.
func (p paths) same() bool { return p.base == "" && p.strip == "" }

// local returns the client's path for one of the upstream's; ok is false when
// that is not below the base path, or may be elsewhere for some client.
func (p paths) local(upstream string) (local string, ok bool) {
	if p.same() {
		return upstream, true
	}
	resolved := target.Resolve(upstream)
	if target.MayLeave(resolved) {
		return "", false
	}
	rest, ok := target.Cut(resolved, p.base)
	return p.strip + rest, ok
}

// upstream returns the upstream's path for one of the client's.
func (p paths) upstream(local string) string {
	rest, ok := target.Cut(local, p.strip)
	if !ok {
		rest = local
	}
	return p.base + rest
}

// cookie returns the path of a cookie of the upstream's as the client's jar is to
// have it. A cookie for more than the base path is one for all of the client's paths
// that lead to the upstream, and for no other upstream's; one that is not for the
// base path stays as it is.
func (p paths) cookie(upstream string) string {
	if !strings.HasPrefix(upstream, "/") {
		return upstream // the jar takes that of the request (RFC 6265 section 5.2.4)
	}
	rest, ok := target.Cut(upstream, p.base)
	switch {
	case target.Under(p.base, upstream):
		rest = ""
	case !ok:
		return upstream
	}
	local := p.strip + rest
	if len(p.prefix) > len(local) && target.Under(p.prefix, local) {
		local = p.prefix
	}
	if local == "" {
		return "/"
	}
	return local
}
