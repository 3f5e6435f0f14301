package proxy

import (
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
)

// Route says which requests an upstream claims.
type Route struct {
	// Hosts lists Host names; empty for any.
	Hosts []string
	// Path is a prefix that ends at a slash or at the path's end; empty for any.
	Path string
	// Handler is the upstream's.
	Handler http.Handler
}

type router struct {
	byHost   map[string][]Route // longest path first
	anyHost  []Route
	observer Observer
}

// NewRouter returns a handler that gives each request to the most specific
// route: one that names its Host before one that names none, then the longest
// path. A request that no route claims is answered 404 no_route, and only of
// these observer is told.
func NewRouter(routes []Route, observer Observer) http.Handler {
	rt := &router{byHost: map[string][]Route{}, observer: observer}
	if observer == nil {
		rt.observer = nobody{}
	}
	longest := slices.SortedStableFunc(slices.Values(routes), func(a, b Route) int { return len(b.Path) - len(a.Path) })
	for _, r := range longest {
		if len(r.Hosts) == 0 {
			rt.anyHost = append(rt.anyHost, r)
		}
		for _, host := range r.Hosts {
			host = strings.ToLower(host)
			rt.byHost[host] = append(rt.byHost[host], r)
		}
	}
	return rt
}

// ServeHTTP implements [http.Handler].
func (rt *router) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if h := rt.find(r); h != nil {
		h.ServeHTTP(w, r)
		return
	}
	rt.observer.Started()
	c := newCall(w, r, "")
	defer c.finish(rt.observer)
	c.reject(CodeNoRoute, fmt.Sprintf("no upstream claims Host %q with this path: check hosts and path of the upstreams", r.Host), 0)
}

func (rt *router) find(r *http.Request) http.Handler {
	path := rawPath(r)
	if len(rt.byHost) > 0 {
		if h := claim(rt.byHost[hostname(r.Host)], path); h != nil {
			return h
		}
	}
	return claim(rt.anyHost, path)
}

func claim(routes []Route, path string) http.Handler {
	for _, r := range routes {
		if trimmed(r.Path) == "" || under(path, r.Path) { // the whole server has OPTIONS * as well
			return r.Handler
		}
	}
	return nil
}

// hostname returns the name in a Host field, in lower case and without port.
func hostname(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return strings.ToLower(strings.Trim(host, "[]"))
}
