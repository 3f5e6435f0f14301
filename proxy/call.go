package proxy

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"authproxy/proxy/internal/replay"
	"authproxy/proxy/internal/target"
)

// statusClientLeft is recorded when the client left before it got an answer;
// it is never sent.
const statusClientLeft = 499

// call is one request on its way. It is the context of the request, so that
// every room that the request passes finds it there.
type call struct {
	context.Context
	record  Record
	request *http.Request
	writer  writer
	handler *handler     // of its upstream; nil when none has it yet
	path    target.Path  // as it goes out
	tape    *replay.Tape // nil when the request has no body
	token   lastToken
	written atomic.Int32 // how often a request was written to a connection
	fate    fate         // of the token of the attempt in flight
	ending  ending
	done    []func(*Record)  // of observers
	room    [3]func(*Record) // for done, so that no request allocates it
	unsized bool             // the answer comes without a length
	empty   bool             // the answer has no body
	closing bool             // the client is to use another connection for its next request
}

// lastToken is the token of the attempt in flight. Answers 1xx to it pass in a
// goroutine of the transport's.
type lastToken struct {
	mu    sync.Mutex
	token Token
}

// wrote notes that the head of a request was written. It is called by goroutines of
// the transport's.
func (c *call) wrote() { c.written.Add(1) }

type callKey struct{}

// begin returns the call of r, to an upstream of that name, and tells observers
// of it.
func begin(w http.ResponseWriter, r *http.Request, upstream string, observers []Observer) *call {
	c := &call{Context: r.Context(), request: r}
	c.writer = writer{ResponseWriter: w, call: c}
	c.closing = w.Header().Get("Connection") == "close"
	c.record = Record{Upstream: upstream, Method: r.Method, Path: target.SentPath(r), Start: time.Now(), Request: r}
	c.done = c.room[:0]
	for _, o := range observers {
		if done := o.Observe(r); done != nil {
			c.done = append(c.done, done)
		}
	}
	return c
}

// Value implements [context.Context].
func (c *call) Value(key any) any {
	if _, ok := key.(callKey); ok {
		return c
	}
	return c.Context.Value(key)
}

func callOf(r *http.Request) *call { return r.Context().Value(callKey{}).(*call) }

// sending notes that an attempt is made with token.
func (c *call) sending(token Token) {
	c.record.Token = token.Fingerprint
	c.token.mu.Lock()
	defer c.token.mu.Unlock()
	c.token.token = token
}

// sent returns the token of the attempt in flight.
func (c *call) sent() Token {
	c.token.mu.Lock()
	defer c.token.mu.Unlock()
	return c.token.token
}

// hold tells whether the request can be sent from its beginning again, and
// keeps it so.
func (c *call) hold() bool {
	if c.tape == nil {
		return true
	}
	c.tape.Hold()
	return c.tape.Replayable()
}

// notKept is why hold fails.
func (c *call) notKept() error {
	if c.tape.Full() {
		return errMemoryFull
	}
	return errTooLarge
}

// bodyLeft tells whether the server would read on in an HTTP/1 request whose
// body has not been read to its end.
func (c *call) bodyLeft() bool {
	return c.request.ProtoMajor == 1 && c.request.ContentLength != 0 && (c.tape == nil || !c.tape.Ended())
}

// unreadLimit is how many bytes of a request body the server may be left to read
// behind an answer of ours; of a larger one the connection is closed.
const unreadLimit = 64 << 10

// Reject answers r for authproxy itself, before any upstream has it, and tells
// observers of it. The message says what to do; it goes to the client.
func Reject(w http.ResponseWriter, r *http.Request, observers []Observer, code Code, message string) {
	c := begin(w, r, "", observers)
	defer c.finish()
	c.reject(code, message, 0)
}

// reject answers for authproxy itself.
func (c *call) reject(code Code, message string, retryAfter time.Duration) {
	c.record.Rejected = code
	if c.record.Err == nil {
		c.record.Err = errors.New(message)
	}
	if c.bodyLeft() && (c.request.ContentLength < 0 || c.request.ContentLength > unreadLimit) {
		c.writer.Header().Set("Connection", "close") // else the server reads the body before it answers
	}
	answer(&c.writer, code, c.record.Upstream, message, retryAfter)
}

// lingering is how long a client may go on with a body that nobody reads any
// more, before its connection is closed.
const lingering = time.Second

// finish completes the record and hands it on. It runs deferred, so also after
// a panic: the client then gets what has come of its answer before its
// connection is cut.
func (c *call) finish() {
	control := http.NewResponseController(c.writer.ResponseWriter)
	if broken := recover(); broken != nil {
		if c.record.Status != 0 {
			_ = control.Flush()
		}
		c.giveUp(broken)
		defer panic(http.ErrAbortHandler) // the server would log any other value, and that may hold a secret
	}
	if c.bodyLeft() {
		_ = control.SetReadDeadline(time.Now().Add(lingering)) // else the server waits for the body's end
	}
	if c.record.Status == 0 {
		c.record.Status = statusClientLeft
	}
	c.record.Duration = time.Since(c.record.Start)
	c.record.Attempts = int(c.written.Load())
	for _, done := range c.done {
		done(&c.record)
	}
}

// giveUp records a panic: that of ReverseProxy, which so gives up in the middle
// of an answer, or a defect.
func (c *call) giveUp(broken any) {
	switch {
	case broken != http.ErrAbortHandler:
		c.record.Err = fmt.Errorf("%w: a panic with a %T at %s", ErrDefect, broken, panicked())
		if c.record.Status == 0 {
			c.record.Status = http.StatusInternalServerError
		}
	case c.record.UpstreamError == "" && c.record.Status != 0:
		c.record.UpstreamError = ReasonReset
		if c.Err() != nil {
			c.record.UpstreamError, c.record.Err = ReasonCanceled, left(c)
		}
	}
}

// panicked returns the function, file and line where the panic that is being
// recovered began, without the arguments, which a stack trace would show.
func panicked() string {
	var stack [64]uintptr
	frames := runtime.CallersFrames(stack[:runtime.Callers(1, stack[:])])
	for begun := false; ; {
		f, more := frames.Next()
		if begun && !strings.HasPrefix(f.Function, "runtime.") {
			return fmt.Sprintf("%s (%s:%d)", f.Function, filepath.Base(f.File), f.Line)
		}
		begun = begun || f.Function == "runtime.gopanic"
		if !more {
			return "an unknown place"
		}
	}
}
