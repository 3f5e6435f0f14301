package proxy

import (
	"net/http"
	"sync/atomic"
)

// Gate stands before all upstreams of a listener and can be shut.
type Gate struct {
	next     http.Handler
	observer Observer
	shut     atomic.Bool
}

// NewGate returns an open gate before next. Only of the requests that it turns
// away is observer told; it may be nil.
func NewGate(next http.Handler, observer Observer) *Gate {
	if observer == nil {
		observer = nobody{}
	}
	return &Gate{next: next, observer: observer}
}

// Shut has the gate answer 503 shutting_down to all requests from now on;
// those that have passed go on.
func (g *Gate) Shut() { g.shut.Store(true) }

// ServeHTTP implements [http.Handler].
func (g *Gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !g.shut.Load() {
		g.next.ServeHTTP(w, r)
		return
	}
	g.observer.Started()
	c := newCall(w, r, "")
	defer c.finish(g.observer)
	w.Header().Set("Connection", "close")
	c.reject(CodeShuttingDown, "authproxy is shutting down: try again when it is back", 0)
}
