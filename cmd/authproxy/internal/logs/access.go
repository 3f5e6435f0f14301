package logs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"authproxy/internal/printable"
	"authproxy/proxy"
)

const (
	// repeatAfter is how long equal errors are counted and not logged, so that
	// an outage does not fill the disk.
	repeatAfter = 10 * time.Second
	// maxRequests is of how many different requests errors are told apart in
	// that time.
	maxRequests = 20
	// maxPath is how many bytes of a path are logged.
	maxPath = 512
)

// Access writes a line per request: of all, or of those that failed. It is a
// [proxy.Observer].
type Access struct {
	log  *slog.Logger
	peer func(*http.Request) string
	mode atomic.Value        // string: none, errors, all
	done func(*proxy.Record) // finished, made once for all requests

	mu       sync.Mutex
	seen     map[kind]*repetition
	begun    time.Time // of the time in which requests are counted
	requests int
}

// kind is what makes two errors equal.
type kind struct {
	upstream string
	status   int
	rejected proxy.Code
	reason   proxy.Reason
	outcome  proxy.Outcome
	request  string // what was asked for, where that was wrong
}

// repetition is an error that was logged, and its equals that were not.
type repetition struct {
	logged time.Time
	count  int
	last   proxy.Record
	from   origin
}

// NewAccess returns an access log that writes to log. mode is none, errors or
// all; a defect of authproxy is always written. peer says who sent a request.
func NewAccess(log *slog.Logger, mode string, peer func(*http.Request) string) *Access {
	l := &Access{log: log, peer: peer, seen: map[kind]*repetition{}}
	l.mode.Store(mode)
	l.done = l.finished
	return l
}

// SetMode changes the mode.
func (l *Access) SetMode(mode string) { l.mode.Store(mode) }

// Observe implements [proxy.Observer].
func (l *Access) Observe(*http.Request) func(*proxy.Record) { return l.done }

func (l *Access) finished(r *proxy.Record) {
	failed := r.Failed()
	switch mode := l.mode.Load().(string); {
	case errors.Is(r.Err, proxy.ErrDefect):
		l.write(r, l.origin(r), slog.LevelError)
	case mode == "all" && strange(r):
		if l.due(r) {
			l.write(r, l.origin(r), slog.LevelWarn)
		}
	case mode == "all" && failed:
		l.write(r, l.origin(r), slog.LevelWarn)
	case mode == "all":
		l.write(r, l.origin(r), slog.LevelInfo)
	case r.Outcome != "" && !failed:
		l.write(r, l.origin(r), slog.LevelDebug)
	case mode == "errors" && failed && l.due(r):
		l.write(r, l.origin(r), slog.LevelWarn)
	}
}

// strange tells whether r is nobody's whose requests are asked after: a page of
// strangers could fill the disk with them.
func strange(r *proxy.Record) bool {
	switch r.Rejected {
	case proxy.CodeHostNotAllowed, proxy.CodeCrossSite, proxy.CodeCallerUnknown:
		return true
	}
	return false
}

// due tells whether an error is to be logged now. If not it is counted, and
// told of when its time has come.
func (l *Access) due(r *proxy.Record) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	l.forget(now)
	key := l.key(r)
	before := l.seen[key]
	if before == nil || before.count == 0 && now.Sub(before.logged) >= repeatAfter {
		if before == nil && key.request != "" {
			l.requests++
		}
		l.seen[key] = &repetition{logged: now}
		return true
	}
	if before.count++; before.count == 1 {
		time.AfterFunc(before.logged.Add(repeatAfter).Sub(now), func() { l.tell(key, before) })
	}
	before.last, before.from = *r, l.origin(r)
	before.last.Request = nil // it must not be kept
	return false
}

// forget begins a new time when the last is over. l.mu is held.
func (l *Access) forget(now time.Time) {
	if now.Sub(l.begun) < repeatAfter {
		return
	}
	l.begun, l.requests = now, 0
	maps.DeleteFunc(l.seen, func(_ kind, r *repetition) bool { return r.count == 0 && now.Sub(r.logged) >= repeatAfter })
}

// key is what r has in common with its equals. l.mu is held.
func (l *Access) key(r *proxy.Record) kind {
	key := kind{upstream: r.Upstream, status: r.Status, rejected: r.Rejected, reason: r.UpstreamError, outcome: r.Outcome}
	switch r.Rejected {
	case proxy.CodeNotAllowed, proxy.CodeAmbiguousPath, proxy.CodeNoRoute, proxy.CodeHostNotAllowed, proxy.CodeCrossSite:
		one := key
		one.request = fmt.Sprint(r.Method, " ", r.Path, " ", r.Err) // the error names the Host or the page
		if l.seen[one] != nil || l.requests < maxRequests {
			return one
		}
	}
	return key
}

// tell logs the latest of the errors that were counted in rep, and how many
// there were besides.
func (l *Access) tell(key kind, rep *repetition) {
	l.mu.Lock()
	if l.seen[key] != rep || rep.count == 0 {
		l.mu.Unlock()
		return
	}
	l.seen[key] = &repetition{logged: time.Now()}
	l.mu.Unlock()
	l.write(&rep.last, rep.from, slog.LevelWarn, slog.Int("repeated", rep.count-1), slog.Time("latest", rep.last.Start))
}

// Close logs what was counted so far.
func (l *Access) Close() {
	l.mu.Lock()
	all := maps.Clone(l.seen)
	l.mu.Unlock()
	for key, rep := range all {
		l.tell(key, rep)
	}
}

func (l *Access) write(r *proxy.Record, from origin, level slog.Level, more ...slog.Attr) {
	attrs := []slog.Attr{
		slog.String("upstream", r.Upstream), slog.String("method", r.Method), slog.String("path", printable.Text(r.Path, maxPath)),
		slog.Int("status", r.Status), slog.Int("attempts", r.Attempts),
		slog.Float64("duration_ms", float64(r.Duration.Microseconds())/1000),
		slog.Int64("bytes_out", r.BytesOut), slog.String("token", r.Token),
	}
	if r.Rejected != "" {
		attrs = append(attrs, slog.String("code", string(r.Rejected)))
	}
	if r.Trigger != "" {
		attrs = append(attrs, slog.String("refused_by", string(r.Trigger)), slog.String("outcome", string(r.Outcome)),
			slog.String("refused", r.Refused), slog.Int64("refused_age_ms", r.RefusedAge.Milliseconds()))
	}
	if r.Err != nil {
		attrs = append(attrs, slog.String("error", r.Err.Error()))
	}
	attrs = append(from.attrs(attrs), more...)
	l.log.LogAttrs(context.Background(), level, "request", attrs...)
}
