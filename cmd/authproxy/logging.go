package main

import (
	"context"
	"io"
	"log/slog"
	"sync"
	"time"

	"authproxy/cmd/authproxy/internal/config"
	"authproxy/proxy"
	"authproxy/tokencache"
)

// newLogger returns the program's log. The configuration has been checked, so
// an unknown level cannot come.
func newLogger(c config.Log, w io.Writer) *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(c.Level))
	opts := &slog.HandlerOptions{Level: level}
	if c.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, opts))
	}
	return slog.New(slog.NewTextHandler(w, opts))
}

// logFetch writes a line per token request: the cache bounds their number.
func logFetch(log *slog.Logger, name string, f tokencache.Fetch) {
	attrs := []any{"token", name, "duration_ms", f.Duration.Milliseconds()}
	if f.Err == nil {
		log.Info("new token", append(attrs, "fingerprint", f.Fingerprint, "expires", f.Expiry, "replaced", f.Replaced)...)
		return
	}
	attrs = append(attrs, "reason", string(f.Reason), "error", f.Err)
	if !f.NextTry.IsZero() {
		attrs = append(attrs, "next_try", f.NextTry)
	}
	log.Warn("no new token", attrs...)
}

// repeatAfter is how long equal errors are counted and not logged, so that an
// outage does not fill the disk.
const repeatAfter = 10 * time.Second

// accessLog writes a line per request: of all, or of those that failed.
type accessLog struct {
	log  *slog.Logger
	mode string // none, errors, all

	mu   sync.Mutex
	seen map[failure]*repetition
}

// failure is what makes two errors equal.
type failure struct {
	upstream string
	status   int
	rejected proxy.Code
	reason   proxy.Reason
	outcome  proxy.Outcome
	request  string // method and path, where these are what was wrong
}

// maxSeen bounds the errors that are held apart; beyond it all are forgotten.
const maxSeen = 1000

type repetition struct {
	since time.Time
	count int
}

func newAccessLog(log *slog.Logger, mode string) *accessLog {
	return &accessLog{log: log, mode: mode, seen: map[failure]*repetition{}}
}

// Started implements [proxy.Observer].
func (*accessLog) Started() {}

// Finished implements [proxy.Observer].
func (l *accessLog) Finished(r *proxy.Record) {
	failed := r.Rejected != "" || r.UpstreamError != "" || r.Status >= 500 || r.Outcome != "" && r.Outcome != proxy.OutcomeRecovered
	switch {
	case l.mode != "all" && r.Outcome == proxy.OutcomeRecovered:
		l.recovered(r)
	case l.mode == "none", l.mode == "errors" && !failed:
	case l.mode == "all":
		l.write(r, failed, 0)
	default:
		if repeated, ok := l.due(r); ok {
			l.write(r, failed, repeated)
		}
	}
}

// recovered says, to those who look closely, that a token was refused and its
// request sent again.
func (l *accessLog) recovered(r *proxy.Record) {
	l.log.Debug("token refused, request sent again", "upstream", r.Upstream, "method", r.Method, "path", r.Path,
		"refused_by", string(r.Trigger), "attempts", r.Attempts, "status", r.Status, "token", r.Token)
}

// due tells whether an error is to be logged now, and how many equal ones were
// not since the last.
func (l *accessLog) due(r *proxy.Record) (repeated int, ok bool) {
	key := failure{upstream: r.Upstream, status: r.Status, rejected: r.Rejected, reason: r.UpstreamError, outcome: r.Outcome}
	switch r.Rejected {
	case proxy.CodeNotAllowed, proxy.CodeAmbiguousPath, proxy.CodeNoRoute, proxy.CodeHostNotAllowed, proxy.CodeCrossSite:
		key.request = r.Method + " " + r.Path
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.seen) > maxSeen {
		clear(l.seen)
	}
	before := l.seen[key]
	if before != nil && time.Since(before.since) < repeatAfter {
		before.count++
		return 0, false
	}
	if before != nil {
		repeated = before.count
	}
	l.seen[key] = &repetition{since: time.Now()}
	return repeated, true
}

func (l *accessLog) write(r *proxy.Record, failed bool, repeated int) {
	level := slog.LevelInfo
	if failed {
		level = slog.LevelWarn
	}
	attrs := []slog.Attr{
		slog.String("upstream", r.Upstream), slog.String("method", r.Method), slog.String("path", r.Path),
		slog.Int("status", r.Status), slog.Int("attempts", r.Attempts),
		slog.Float64("duration_ms", float64(r.Duration.Microseconds())/1000),
		slog.Int64("bytes_out", r.BytesOut), slog.String("token", r.Token),
	}
	if r.Rejected != "" {
		attrs = append(attrs, slog.String("code", string(r.Rejected)))
	}
	if r.Outcome != "" {
		attrs = append(attrs, slog.String("refused_by", string(r.Trigger)), slog.String("outcome", string(r.Outcome)))
	}
	if r.Err != nil {
		attrs = append(attrs, slog.String("error", r.Err.Error()))
	}
	if repeated > 0 {
		attrs = append(attrs, slog.Int("repeated", repeated))
	}
	l.log.LogAttrs(context.Background(), level, "request", attrs...)
}
