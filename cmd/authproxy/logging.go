package main

import (
	"io"
	"log/slog"

	"authproxy/cmd/authproxy/internal/config"
	"authproxy/tokencache"
	"authproxy/tokencache/endpoint"
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
	attrs := []any{"token", name, "duration_ms", f.Duration.Milliseconds(), "cause", string(f.Cause), "waiting", f.Waiters}
	if f.Old != "" {
		attrs = append(attrs, "old", f.Old, "old_age_ms", f.OldAge.Milliseconds())
	}
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

// certificateWarning writes that the certificate to show has become unreadable.
func certificateWarning(log *slog.Logger) func(error) {
	return func(err error) {
		log.Warn("the files of the certificate to show are no pair now; the one of before is shown until it expires", "error", err, "hint", hint(err))
	}
}

// logTokenRequest writes what went on with a token endpoint.
func logTokenRequest(log *slog.Logger, name string, r endpoint.Record) {
	attrs := []any{"token", name, "request", r.Request, "method", r.Method, "url", r.URL, "duration_ms", r.Duration.Milliseconds()}
	if r.Err != nil {
		log.Debug("no answer of the token endpoint", append(attrs, "error", r.Err)...)
		return
	}
	log.Debug("answer of the token endpoint", append(attrs, "status", r.Status, "body", r.Body, "expires", r.Expires)...)
}
