// Package door decides who may come in, and to which upstream: a [Guard] against
// web pages, [Callers] that have to show who they are, a [Gate] that can be shut,
// and a router to the upstreams. What does not pass is answered by [proxy.Reject].
package door

import (
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"authproxy/internal/httpsyntax"
	"authproxy/proxy"
	"authproxy/proxy/internal/target"
)

// Guard turns web pages away. A browser on this machine runs the code of
// strangers, and what it sends to localhost would leave with a token.
type Guard struct {
	// Hosts lists the Host names, without port, that are accepted besides
	// localhost, 127.0.0.1, [::1] and the loopback address of the listener itself.
	// A page that has its own name resolve to this machine (DNS rebinding) can send
	// any request but not another Host.
	Hosts []string
	// OwnAddress accepts the address, too, at which a request has arrived: no name that leads
	// elsewhere first is one.
	OwnAddress bool
	// Links lets every page lead here, though not by another Host: for what shows and changes
	// nothing by itself.
	Links bool
	// AnyHost accepts every Host: for a unix socket, which no name leads to.
	AnyHost bool
	// Origins lists the web pages that may call, as "scheme://host[:port]".
	Origins []string
}

type guard struct {
	Guard
	hosts     map[string]bool
	next      http.Handler
	observers []proxy.Observer
}

// NewGuard returns a handler that passes to next only what is not of a web
// page, or of one that may call. The others are answered 421 host_not_allowed
// or 403 cross_site; only of these observers are told.
func NewGuard(g Guard, next http.Handler, observers ...proxy.Observer) http.Handler {
	hosts := map[string]bool{"localhost": true, "127.0.0.1": true, "::1": true}
	for _, host := range g.Hosts {
		hosts[httpsyntax.Hostname(host)] = true
	}
	return &guard{Guard: g, hosts: hosts, next: next, observers: observers}
}

// ServeHTTP implements [http.Handler].
func (g *guard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if code, why := g.refusal(r); code != "" {
		proxy.Reject(w, r, g.observers, code, why)
		return
	}
	g.next.ServeHTTP(w, r)
}

// refusal says why r is turned away; "" when it is not.
func (g *guard) refusal(r *http.Request) (code proxy.Code, message string) {
	name := httpsyntax.Hostname(r.Host)
	ours := g.AnyHost || g.hosts[name] || isOwnAddress(r, name, g.OwnAddress)
	switch {
	case !httpsyntax.IsToken(r.Method):
		return proxy.CodeMethodNotSupported, fmt.Sprintf("%.100q is no method of HTTP: send one such as GET or POST", r.Method)
	case r.ProtoMajor > 1 && r.Method != http.MethodConnect && r.RequestURI != "*" && !strings.HasPrefix(r.RequestURI, "/"):
		return proxy.CodeAmbiguousPath, "the pseudo-header :path is no path (RFC 9113 section 8.3.1): begin it with a slash"
	case !ours && isForForwardProxy(r):
		return proxy.CodeHostNotAllowed, "this is no forward proxy: call this address instead of the platform's, without a proxy setting"
	case !ours:
		return proxy.CodeHostNotAllowed, notServed(r, name)
	case g.Links:
		return "", ""
	case !fromHere(r, g.Origins):
		return proxy.CodeCrossSite, stranger(r)
	case !g.AnyHost && isBrowser(r) && target.SentPath(r) == "/favicon.ico":
		return proxy.CodeCrossSite, "browsers ask for /favicon.ico by themselves, also for a page of strangers that has led them here and was refused"
	case !g.AnyHost && silentBrowser(r, name, g.Origins):
		return proxy.CodeCrossSite, fmt.Sprintf("a web browser called, and by the name %.100q it does not say for which page: call localhost, 127.0.0.1 or a name that ends in .localhost; a program sends another User-Agent than Mozilla/", name)
	default:
		return "", ""
	}
}

// isOwnAddress tells whether r, to a Host of that name, names no other place than
// where it arrived: a loopback address (any one where anywhere is set) on which it was accepted, to which no name
// of a page leads by itself, or none at all, as HTTP/1.0 allows and browsers never do.
func isOwnAddress(r *http.Request, name string, anywhere bool) bool {
	if r.Host == "" {
		return r.ProtoMajor == 1 && r.ProtoMinor == 0
	}
	local, ok := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr)
	return ok && (anywhere || local.IP.IsLoopback()) && local.IP.Equal(net.ParseIP(name))
}

// notServed says why the Host of r, of that name, is not ours, and what to do.
func notServed(r *http.Request, name string) string {
	switch {
	case r.Host == "":
		return "the request names no Host: send localhost, 127.0.0.1 or a name in allowed_hosts"
	case net.ParseIP(name) == nil && strings.ContainsAny(name, ":[]"):
		return fmt.Sprintf("the Host %.100q is malformed: send a name or an address, and behind it at most a colon and the number of a port", r.Host)
	default:
		return fmt.Sprintf("the Host %.100q is not served here: add it to allowed_hosts if it is yours", name)
	}
}

// isForForwardProxy tells whether r is meant for a forward proxy: CONNECT, or the whole
// URL in the request line (RFC 9112 sections 3.2.2 and 3.2.3).
func isForForwardProxy(r *http.Request) bool {
	return r.Method == http.MethodConnect || r.ProtoMajor == 1 && strings.Contains(r.RequestURI, "://") && !strings.HasPrefix(r.RequestURI, "/")
}

// fromHere tells whether r comes from no web page, from one that may call, or
// from one that was itself served through here. A browser names the page in
// Origin where it sends that field, and says in Sec-Fetch-Site how the page
// stands to the address where it does not (Fetch Metadata, W3C).
func fromHere(r *http.Request, origins []string) bool {
	if origin := r.Header["Origin"]; len(origin) > 0 {
		return len(origin) == 1 && (slices.Contains(origins, origin[0]) || sameOrigin(origin[0], r))
	}
	for _, site := range r.Header["Sec-Fetch-Site"] {
		if site != "none" && site != "same-origin" {
			return false
		}
	}
	return true
}

// stranger says who called, and what to do if it may.
func stranger(r *http.Request) string {
	if origin := r.Header.Get("Origin"); origin != "" {
		return fmt.Sprintf("a web page of another origin called (Origin %.100q): add it to allowed_origins if it may", origin)
	}
	return fmt.Sprintf("a web page of another origin called (Sec-Fetch-Site %.100q): it may, if allowed_origins lists it, by requests that carry its Origin", r.Header.Get("Sec-Fetch-Site"))
}

// silentBrowser tells whether r, to a Host of that name, comes from a browser
// that keeps to itself for which page it calls. Fetch Metadata go to potentially
// trustworthy addresses only (W3C Secure Contexts, section 3.1), which without
// TLS are those of this machine, and Origin does not go with every GET. A page
// can take the Referer from its requests, but not write another page's.
func silentBrowser(r *http.Request, name string, origins []string) bool {
	h := r.Header
	if !isBrowser(r) || len(h["Origin"])+len(h["Sec-Fetch-Site"]) > 0 || isOfThisMachine(name) {
		return false
	}
	page, err := url.Parse(h.Get("Referer"))
	if err != nil || page.Host == "" {
		return true
	}
	origin := page.Scheme + "://" + page.Host
	return !sameOrigin(origin, r) && !slices.Contains(origins, origin)
}

// isBrowser tells whether r has what no page can keep a browser from sending,
// and not what none can have it send without an Origin: programs, too, go by
// that name.
func isBrowser(r *http.Request) bool {
	return strings.HasPrefix(r.Header.Get("User-Agent"), "Mozilla/") && len(r.Header["Accept-Language"]) > 0 &&
		!strings.HasPrefix(r.Header.Get("Authorization"), "Bearer ")
}

// isOfThisMachine tells whether name is one that browsers trust without TLS.
func isOfThisMachine(name string) bool {
	if ip := net.ParseIP(name); ip != nil {
		return ip.IsLoopback()
	}
	return name == "localhost" || strings.HasSuffix(name, ".localhost")
}

// sameOrigin tells whether origin, as a browser serializes it (RFC 6454 section
// 6.2: scheme, host and port, and nothing else), is the address to which r came.
func sameOrigin(origin string, r *http.Request) bool {
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	return r.Host != "" && strings.EqualFold(origin, scheme+"://"+r.Host)
}
