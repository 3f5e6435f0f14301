// Package logs writes what happens: the program's own log, and a line for each
// request and for each token request, made from what the pillars record.
package logs

import (
	"io"
	"log/slog"

	"authproxy/tokencache"
	"authproxy/tokencache/endpoint"
)

// Options say what is logged, and how.
type Options struct {
	// Level is debug, info, warn or error; anything else means info.
	Level string
	// Format is json, or text for anything else.
	Format string
	// Access is the mode of [NewAccess].
	Access string
}

// New returns the program's log, which goes to w.
func New(o Options, w io.Writer) *slog.Logger {
	var level slog.Level
	if level.UnmarshalText([]byte(o.Level)) != nil {
		level = slog.LevelInfo
	}
	opts := &slog.HandlerOptions{Level: level}
	if o.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, opts))
	}
	return slog.New(slog.NewTextHandler(w, opts))
}

// Fetch writes a line about a flight of the token of that name; the cache
// bounds their number.
func Fetch(log *slog.Logger, name string, f tokencache.Fetch) {
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

// TokenRequest writes, at level debug, what went on with the token endpoint of
// the token of that name.
func TokenRequest(log *slog.Logger, name string, x endpoint.Exchange) {
	attrs := []any{"token", name, "request", x.Request, "method", x.Method, "url", x.URL, "duration_ms", x.Duration.Milliseconds()}
	if x.Err != nil {
		log.Debug("no answer of the token endpoint", append(attrs, "error", x.Err)...)
		return
	}
	log.Debug("answer of the token endpoint", append(attrs, "status", x.Status, "body", x.Came, "expires", x.Expires)...)
}
