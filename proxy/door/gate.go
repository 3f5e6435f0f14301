package door

import (
	"context"
	"net/http"
	"sync/atomic"

	"authproxy/proxy"
)

// Gate stands before all upstreams of a listener. It counts who is inside, and
// can be shut.
type Gate struct {
	next      http.Handler
	fields    *Fields
	observers []proxy.Observer
	closing   atomic.Bool
	shut      atomic.Bool
	inside    atomic.Int64
	left      chan struct{} // somebody has left; cap 1
}

// NewGate returns an open gate before next; fields bounds those of the requests that pass,
// nil: nothing does. Only of the requests that it turns away are observers told.
func NewGate(next http.Handler, fields *Fields, observers ...proxy.Observer) *Gate {
	return &Gate{next: next, fields: fields, observers: observers, left: make(chan struct{}, 1)}
}

// Closing has HTTP/1 clients told to use another connection for their next
// request, so that none of them meets a connection that is being closed.
func (g *Gate) Closing() { g.closing.Store(true) }

// Shut has the gate answer 503 shutting_down to all requests from now on;
// those that have passed go on.
func (g *Gate) Shut() { g.shut.Store(true) }

// Wait waits until all who have passed have left, or ctx ends, and returns how
// many are still inside.
func (g *Gate) Wait(ctx context.Context) int {
	for g.inside.Load() > 0 {
		select {
		case <-g.left:
		case <-ctx.Done():
			return int(g.inside.Load())
		}
	}
	return 0
}

// ServeHTTP implements [http.Handler].
func (g *Gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.inside.Add(1)
	defer g.leave()
	if g.closing.Load() && r.ProtoMajor == 1 && r.Header.Get("Upgrade") == "" {
		w.Header().Set("Connection", "close")
	}
	if g.shut.Load() {
		proxy.Reject(w, r, g.observers, proxy.CodeShuttingDown, "authproxy is shutting down: try again when it is back")
		return
	}
	taken, ok := g.fields.take(r)
	if !ok {
		tooMany(w, r, g.observers)
		return
	}
	defer g.fields.give(r, taken)
	g.next.ServeHTTP(w, r)
}

func (g *Gate) leave() {
	if g.inside.Add(-1) > 0 {
		return
	}
	select {
	case g.left <- struct{}{}:
	default:
	}
}
