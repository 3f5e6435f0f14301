package proxy

import (
	"net/http"
	"net/url"
	"strings"

	"authproxy/proxy/internal/target"
)

// location rewrites addresses inside the upstream's base URL to the address
// that the client used, so that the client comes back through here.
type location struct {
	off    bool
	target *url.URL
	strip  string // prefix of the client's paths that the upstream does not see
}

func newLocation(o Options) *location {
	return &location{off: o.KeepLocation, target: o.Target, strip: target.TrimSlash(o.StripPrefix)}
}

func (l *location) rewrite(h http.Header, client *http.Request) {
	if l.off {
		return
	}
	for _, name := range []string{"Location", "Content-Location"} {
		if v := h[name]; len(v) == 1 {
			v[0] = l.local(v[0], client)
		}
	}
}

// local returns where the client finds address; address itself when that is
// not inside the base URL. What follows the base URL stays byte for byte.
func (l *location) local(address string, client *http.Request) string {
	u, err := url.Parse(address)
	if err != nil || u.User != nil {
		return address
	}
	origin, rest := splitOrigin(address)
	if origin == "" && !strings.HasPrefix(rest, "/") {
		return address // relative to the client's own URL
	}
	if origin != "" && (u.Scheme != "" && !strings.EqualFold(u.Scheme, l.target.Scheme) || !sameHost(u, l.target)) {
		return address
	}
	path, tail := rest, ""
	if i := strings.IndexAny(rest, "?#"); i >= 0 {
		path, tail = rest[:i], rest[i:]
	}
	if !target.Under(path, l.target.EscapedPath()) {
		return address
	}
	path = l.strip + path[len(target.TrimSlash(l.target.EscapedPath())):]
	if client.Host == "" || origin == "" && !strings.HasPrefix(path, "//") {
		return path + tail // "//x" would name another host
	}
	scheme := "http"
	if client.TLS != nil {
		scheme = "https"
	}
	return scheme + "://" + client.Host + path + tail
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

// sameHost compares host and port; a port left out is that of the scheme of b.
func sameHost(a, b *url.URL) bool {
	return strings.EqualFold(a.Hostname(), b.Hostname()) && port(a, b.Scheme) == port(b, b.Scheme)
}

func port(u *url.URL, scheme string) string {
	switch {
	case u.Port() != "":
		return u.Port()
	case scheme == "https":
		return "443"
	default:
		return "80"
	}
}
