package proxy

import (
	"cmp"
	"net/http"
	"net/url"
	"strings"

	"authproxy/internal/httpsyntax"
	"authproxy/proxy/internal/target"
)

// addresses puts what an answer says of the upstream's own address in terms of
// the one that the client used, so that the client comes back through here.
type addresses struct {
	fields   []string // canonical names of those that hold one address
	links    bool     // Link is rewritten
	cookies  bool     // Set-Cookie is rewritten
	own      authority
	preserve bool // the upstream takes the client's Host for its own
	paths    paths

	comesBack func(client *http.Request, path string) bool
}

func newAddresses(o Options) *addresses {
	a := &addresses{
		links: !o.KeepLocation, cookies: !o.KeepCookies,
		own: authorityOf(o.Target.Scheme, o.Target.Host), preserve: o.PreserveHost, paths: newPaths(o),
		comesBack: o.ComesBack,
	}
	names := map[string]bool{} // what is rewritten twice may not be the same address
	if !o.KeepLocation {
		a.fields = append(a.fields, "Location", "Content-Location")
		names["Location"], names["Content-Location"], names["Link"] = true, true, true
	}
	for _, name := range o.AddressHeaders {
		if name = http.CanonicalHeaderKey(name); !names[name] {
			names[name] = true
			a.fields = append(a.fields, name)
		}
	}
	return a
}

// rewrite rewrites the header of an answer to client, be it final or 1xx, or its
// trailer.
func (a *addresses) rewrite(header http.Header, client *http.Request) {
	for _, name := range a.fields {
		for i, address := range header[name] {
			header[name][i] = a.local(address, client)
		}
	}
	if values, ok := header["Link"]; ok && a.links {
		for i, links := range values {
			values[i] = rewriteLinks(links, func(address string) string { return a.local(address, client) })
		}
	}
	if values, ok := header["Set-Cookie"]; ok && a.cookies {
		header["Set-Cookie"] = a.localCookies(values, client)
	}
}

// local returns where client finds address; address itself when that is not inside
// the base URL, or leads elsewhere than here. What follows the base URL stays byte for
// byte, whatever it is.
func (a *addresses) local(address string, client *http.Request) string {
	origin, rest := splitOrigin(address)
	path, tail := rest, ""
	if i := strings.IndexAny(rest, "?#"); i >= 0 {
		path, tail = rest[:i], rest[i:]
	}
	if origin != "" {
		if path, ok := a.paths.local(path); ok && a.isOwn(origin, client) && a.claims(client, path) {
			return placed(path, client, true) + tail
		}
		return address
	}
	if hasScheme(address) || path == "" || a.paths.same() {
		return address
	}
	sent := target.SentPath(client)
	local, ok := a.paths.local(merge(a.paths.upstream(sent), path))
	if !ok || local == target.Resolve(merge(sent, path)) || !a.claims(client, local) {
		return address // the client finds the way from where it is, or not at all
	}
	return placed(local, client, false) + tail
}

// claims tells whether what client sends to path, percent-encoded, comes here.
func (a *addresses) claims(client *http.Request, path string) bool {
	return a.comesBack == nil || a.comesBack(client, target.Resolve(cmp.Or(path, "/")))
}

// hasScheme tells whether address begins with one (RFC 3986 section 3.1).
func hasScheme(address string) bool {
	i := strings.IndexAny(address, ":/?#")
	return i >= 0 && address[i] == ':'
}

// isOwn tells whether origin, by http or https, names the upstream. Platforms that do
// not know of the TLS before them write http for https.
func (a *addresses) isOwn(origin string, client *http.Request) bool {
	u, err := url.Parse(origin)
	if err != nil || u.User != nil || u.Path != "" {
		return false
	}
	switch u.Scheme {
	case "", "http", "https":
	default:
		return false
	}
	return a.own.is(u) || a.preserve && client.Host != "" && authorityOf(a.own.scheme, client.Host).is(u)
}

// merge returns the path that ref, a path, means at path (RFC 3986 section 5.2.3).
func merge(path, ref string) string {
	if ref[0] == '/' {
		return ref
	}
	return path[:strings.LastIndexByte(path, '/')+1] + ref
}

// placed returns the address of path as client writes it: whole, or by its path
// alone where that does. Two slashes, or what browsers take for these, would be
// followed by the name of a host.
func placed(path string, client *http.Request, whole bool) string {
	isHost := len(path) > 1 && path[0] == '/' && (path[1] == '/' || path[1] == '\\')
	switch {
	case client.Host != "" && (whole || isHost):
		return schemeOf(client) + "://" + client.Host + path
	case isHost:
		return "/." + path // RFC 3986 section 3.3
	case path == "":
		return "/"
	default:
		return path
	}
}

// schemeOf returns the scheme by which a client called.
func schemeOf(client *http.Request) string {
	if client.TLS != nil {
		return "https"
	}
	return "http"
}

// splitOrigin cuts "scheme://host" or "//host" off an address.
func splitOrigin(address string) (origin, rest string) {
	i := strings.Index(address, "//")
	if i < 0 || i > 0 && address[i-1] != ':' || strings.ContainsAny(address[:i], "/?#") {
		return "", address
	}
	end := strings.IndexAny(address[i+2:], "/?#")
	if end < 0 {
		return address, ""
	}
	return address[:i+2+end], address[i+2+end:]
}

// authority is who answers at an address.
type authority struct {
	scheme string // http or https
	host   string // as [httpsyntax.Hostname] returns it
	port   string // never empty
}

func authorityOf(scheme, host string) authority {
	return authority{scheme, httpsyntax.Hostname(host), cmp.Or((&url.URL{Host: host}).Port(), defaultPort(scheme))}
}

// is tells whether u, by http or https or without a scheme, has the same host, and
// the same port, or as a its scheme's own.
func (a authority) is(u *url.URL) bool {
	other := authorityOf(cmp.Or(u.Scheme, a.scheme), u.Host)
	return other.host == a.host &&
		(other.port == a.port || other.port == defaultPort(other.scheme) && a.port == defaultPort(a.scheme))
}

func defaultPort(scheme string) string {
	if scheme == "https" {
		return "443"
	}
	return "80"
}
