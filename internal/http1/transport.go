// Package http1 is an [http.RoundTripper] for HTTP/1.1 that works on the goroutine of
// its caller: net/http's hands each request over to two others. Requests are written
// and answers are read by net/http all the same, so that the two agree on every rule
// of RFC 9112. Two things are better than there: a kept connection is looked at before
// it is used, and an answer that has come wins over an error of sending.
package http1

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"sync"
	"time"
)

// Options say how to speak to one other side.
type Options struct {
	// Dial connects, with TLS where that belongs to it.
	Dial func(context.Context) (net.Conn, error)
	// Header bounds the time from the end of a request to the header of its answer;
	// 0 for no limit.
	Header time.Duration
	// MaxHeader is how many bytes the header of an answer may have, with all 1xx
	// before it.
	MaxHeader int64
	// Idle is how many connections are kept while they are not used, and IdleTime for
	// how long.
	Idle     int
	IdleTime time.Duration
}

// Transport keeps connections to one other side. It is safe for concurrent use.
type Transport struct {
	opts Options

	mu      sync.Mutex
	idle    []*conn // the longest unused first
	sweeper *time.Timer
	closed  int // how often CloseIdleConnections was called
}

// New returns a transport without connections.
func New(o Options) *Transport { return &Transport{opts: o} }

// Takes tells whether RoundTrip may be called with req: not when it asks for an
// upgrade, or to be told to continue.
func Takes(req *http.Request) bool {
	return req.Method != http.MethodConnect && len(req.Header["Upgrade"]) == 0 && len(req.Header["Expect"]) == 0
}

// errNoAnswer wraps the error of a connection on which no byte of an answer came.
type errNoAnswer struct {
	error
	untaken bool // the other side cannot have had a byte of the request
}

func (e errNoAnswer) Unwrap() error { return e.error }

// RoundTrip implements [http.RoundTripper], for what [Takes] allows. When a kept
// connection dies without an answer, a request that may be repeated (RFC 9110 section
// 9.2.2) is, once and by a new connection, and any other when no byte of it has reached
// the other side. Errors of reading the answer may quote it.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	c, err := t.get(req.Context())
	if err != nil {
		return nil, err // Options.Dial may have another way, which needs the body
	}
	return t.by(c, req)
}

// by is RoundTrip by c to begin with.
func (t *Transport) by(c *conn, req *http.Request) (*http.Response, error) {
	for {
		resp, err := c.roundTrip(req)
		if err == nil {
			return resp, nil
		}
		if cause := context.Cause(req.Context()); cause != nil {
			return nil, cause
		}
		var none errNoAnswer
		if !c.used || !errors.As(err, &none) {
			return nil, err
		}
		if req, err = again(req, none); err != nil {
			return nil, err
		}
		if c, err = t.dial(req.Context()); err != nil {
			return nil, err
		}
	}
}

// again returns req to be sent once more, or why that is not done.
func again(req *http.Request, why errNoAnswer) (*http.Request, error) {
	if !why.untaken && !repeatable(req) {
		return nil, why.error
	}
	if req.Body == nil || req.Body == http.NoBody {
		return req, nil
	}
	if req.GetBody == nil {
		return nil, why.error
	}
	body, err := req.GetBody()
	if err != nil {
		return nil, err
	}
	next := *req
	next.Body = body
	return &next, nil
}

// repeatable tells whether the other side may carry req out twice.
func repeatable(req *http.Request) bool {
	switch req.Method {
	case "", http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace:
		return true
	}
	for _, name := range [...]string{"Idempotency-Key", "X-Idempotency-Key"} {
		if _, ok := req.Header[name]; ok {
			return true
		}
	}
	return false
}

// get returns a connection that the other side has not closed, as far as is known
// here: the latest used, or a new one.
func (t *Transport) get(ctx context.Context) (*conn, error) {
	for {
		t.mu.Lock()
		n := len(t.idle)
		if n == 0 {
			t.mu.Unlock()
			return t.dial(ctx)
		}
		c := t.idle[n-1]
		t.idle = t.idle[:n-1]
		t.mu.Unlock()
		if c.usable() {
			c.used = true
			return c, nil
		}
		_ = c.Close()
	}
}

func (t *Transport) dial(ctx context.Context) (*conn, error) {
	t.mu.Lock()
	closed := t.closed
	t.mu.Unlock()
	raw, err := t.opts.Dial(ctx)
	if err != nil {
		return nil, err
	}
	c := &conn{Conn: raw, transport: t, era: closed, out: sender{Conn: raw}}
	c.r, c.w = bufio.NewReader(c), bufio.NewWriter(&c.out)
	if secure, ok := raw.(*tls.Conn); ok {
		state := secure.ConnectionState()
		c.tls = &state
	}
	return c, nil
}

// put keeps c for the next request, or closes it.
func (t *Transport) put(c *conn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if c.era != t.closed || t.opts.Idle <= 0 || t.opts.IdleTime <= 0 {
		_ = c.Close()
		return
	}
	if len(t.idle) >= t.opts.Idle {
		_ = t.idle[0].Close()
		t.idle = append(t.idle[:0], t.idle[1:]...)
	}
	c.since = time.Now()
	t.idle = append(t.idle, c)
	if t.sweeper == nil {
		t.sweeper = time.AfterFunc(t.pace(), t.sweep)
	}
}

// sweepEvery is how often idle connections are looked at: those that the other side
// has closed keep a descriptor until then.
const sweepEvery = 2 * time.Second

func (t *Transport) pace() time.Duration { return min(sweepEvery, t.opts.IdleTime) }

// sweep closes the connections that have been idle for long, or are dead.
func (t *Transport) sweep() {
	t.mu.Lock()
	defer t.mu.Unlock()
	now, kept := time.Now(), t.idle[:0]
	for _, c := range t.idle {
		if now.Sub(c.since) < t.opts.IdleTime && c.usable() {
			kept = append(kept, c)
			continue
		}
		_ = c.Close()
	}
	clear(t.idle[len(kept):])
	t.idle = kept
	if t.sweeper = nil; len(kept) > 0 {
		t.sweeper = time.AfterFunc(t.pace(), t.sweep)
	}
}

// CloseIdleConnections closes the connections that are not in use; those that are
// close when their request has ended.
func (t *Transport) CloseIdleConnections() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed++
	for _, c := range t.idle {
		_ = c.Close()
	}
	t.idle = nil
	if t.sweeper != nil {
		t.sweeper.Stop()
		t.sweeper = nil
	}
}
