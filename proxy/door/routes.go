package door

import (
	"fmt"
	"net/http"
	"slices"

	"authproxy/internal/httpsyntax"
	"authproxy/proxy"
	"authproxy/proxy/internal/target"
)

// Route says which requests an upstream claims.
type Route struct {
	// Hosts lists Host names; empty for any.
	Hosts []string
	// Path is a prefix that ends at a slash or at the path's end; empty for any.
	Path string
	// Strict: no request may come to another route of the listener because it
	// spells this one's path in another way; such a request is answered 400
	// ambiguous_path. It is for upstreams with access rules.
	Strict bool
	// Handler is the upstream's.
	Handler http.Handler

	folded string // Path, as [target.Folded] has it
}

// Router gives each request to the most specific [Route].
type Router struct {
	byHost    map[string][]Route // longest path first
	anyHost   []Route
	strict    bool // one of the routes is
	observers []proxy.Observer
}

// NewRouter returns the router of routes. The most specific is one that names its Host before one that names none, then the longest
// path. A request that no route claims is answered 404 no_route. Only of
// requests that it answers itself are observers told.
func NewRouter(routes []Route, observers ...proxy.Observer) *Router {
	rt := &Router{byHost: map[string][]Route{}, observers: observers}
	longest := slices.SortedStableFunc(slices.Values(routes), func(a, b Route) int { return len(b.Path) - len(a.Path) })
	for _, r := range longest {
		r.folded = target.Folded(r.Path)
		rt.strict = rt.strict || r.Strict
		if len(r.Hosts) == 0 {
			rt.anyHost = append(rt.anyHost, r)
		}
		for _, host := range r.Hosts {
			host = httpsyntax.Hostname(host)
			rt.byHost[host] = append(rt.byHost[host], r)
		}
	}
	return rt
}

// ServeHTTP implements [http.Handler].
func (rt *Router) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	sent := target.SentPath(r)
	route := rt.find(r, sent)
	bypasses := rt.strict && rt.bypasses(r, sent, route)
	if route != nil && !bypasses {
		route.Handler.ServeHTTP(w, r)
		return
	}
	if bypasses {
		proxy.Reject(w, r, rt.observers, proxy.CodeAmbiguousPath, "servers may read this path as that of another upstream, which has access rules: "+
			"send it without dot segments, double slashes and needless percent-encoding, and with capital letters where that upstream's path has them")
		return
	}
	proxy.Reject(w, r, rt.observers, proxy.CodeNoRoute, fmt.Sprintf("no upstream claims Host %.100q with this path: check hosts and path of the upstreams", httpsyntax.Hostname(r.Host)))
}

// bypasses tells whether path, which leads to route, nil for none, may lead
// past a strict one.
func (rt *Router) bypasses(r *http.Request, path string, route *Route) bool {
	plain := route
	if target.Ambiguous(path) {
		plain = rt.find(r, target.Plain(path))
	}
	crossed := plain != route && (plain != nil && plain.Strict || route != nil && route.Strict)
	return crossed || route != nil && rt.readAsStrict(r, path, route)
}

// readAsStrict tells whether some server may take path, which leads to route,
// for that of a strict one.
func (rt *Router) readAsStrict(r *http.Request, path string, route *Route) bool {
	hidden := func(other *Route) bool {
		return other != nil && other.Strict && other != route && other.folded != route.folded
	}
	return slices.ContainsFunc(target.Readings(path), func(reading string) bool {
		return hidden(rt.find(r, reading)) || hidden(rt.findAnyCase(r, reading))
	})
}

// Handler returns the handler that a request like r, but to path, percent-encoded,
// comes to; nil for none.
func (rt *Router) Handler(r *http.Request, path string) http.Handler {
	if route := rt.find(r, path); route != nil {
		return route.Handler
	}
	return nil
}

func (rt *Router) find(r *http.Request, path string) *Route {
	if len(rt.byHost) > 0 {
		if route := claim(rt.byHost[httpsyntax.Hostname(r.Host)], path); route != nil {
			return route
		}
	}
	return claim(rt.anyHost, path)
}

// findAnyCase is find for a server that does not tell letters by their case, nor by how
// they are put together.
func (rt *Router) findAnyCase(r *http.Request, path string) *Route {
	folded := target.Folded(path)
	for _, routes := range [][]Route{rt.byHost[httpsyntax.Hostname(r.Host)], rt.anyHost} {
		for i := range routes {
			if target.FoldedUnder(folded, routes[i].folded) {
				return &routes[i]
			}
		}
	}
	return nil
}

func claim(routes []Route, path string) *Route {
	for i := range routes {
		if r := &routes[i]; target.TrimSlash(r.Path) == "" || target.Under(path, r.Path) { // the whole server has OPTIONS * as well
			return r
		}
	}
	return nil
}
