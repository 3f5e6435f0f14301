// Package logs writes what happens: the program's own log, and a line for each
// request and for each token request, made from what the pillars record.
package logs

import (
	"io"
	"log/slog"

	"authproxy/internal/printable"
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

// New returns the program's log, which goes to w, and what its level can be changed with.
func New(o Options, w io.Writer) (*slog.Logger, *slog.LevelVar) {
	level := new(slog.LevelVar)
	level.Set(Level(o.Level))
	opts := &slog.HandlerOptions{Level: level, ReplaceAttr: fit}
	if o.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, opts)), level
	}
	return slog.New(slog.NewTextHandler(w, opts)), level
}

// Level is the level of that name; info for any other.
func Level(name string) slog.Level {
	var level slog.Level
	if level.UnmarshalText([]byte(name)) != nil {
		return slog.LevelInfo
	}
	return level
}

// maxText is how many bytes of one text of others are logged.
const maxText = 1 << 10

// fit has what others write, paths and errors among it, cut and escaped. What we write
// ourselves, under msg, may be longer.
func fit(_ []string, a slog.Attr) slog.Attr {
	switch value := a.Value.Any().(type) {
	case string:
		limit := maxText
		if a.Key == slog.MessageKey {
			limit = 8 * maxText
		}
		a.Value = slog.StringValue(printable.Text(value, limit))
	case error:
		a.Value = slog.StringValue(printable.Text(value.Error(), maxText))
	}
	return a
}

// Fetches returns an observer that writes a line about each flight of the token of
// that name; the cache bounds their number. What of an answer could not be read is
// told when it is another thing than at the last one.
func Fetches(log *slog.Logger, name string) tokencache.Observer {
	unread := "" // observers are told of one flight after the other
	done := func(f tokencache.Fetch) {
		if f.Unread != "" && f.Unread != unread {
			log.Warn("the lifetime of a token could not be read, so default_ttl counts", "token", name, "problem", f.Unread,
				"hint", "look at response.expires_in and response.expires_unit of this token")
		}
		if f.Err == nil {
			unread = f.Unread
		}
		fetched(log, name, f)
	}
	return tokencache.ObserverFunc(func(tokencache.Start) func(tokencache.Fetch) { return done })
}

func fetched(log *slog.Logger, name string, f tokencache.Fetch) {
	attrs := []any{"token", name, "duration_ms", f.Duration.Milliseconds(), "cause", string(f.Cause), "waiting", f.Waiters}
	if f.Old != "" {
		attrs = append(attrs, "old", f.Old, "old_age_ms", f.OldAge.Milliseconds())
	}
	if f.Rival {
		log.Warn("several tokens in a row died soon after they had been accepted: another program is likely to use the same credential, and its new tokens kill these",
			"token", name, "hint", "let one program alone use the credential, or give each its own")
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

// TokenRequests returns an observer that writes, at level debug, what went on
// with the token endpoint of the token of that name.
func TokenRequests(log *slog.Logger, name string) endpoint.Observer {
	done := func(r endpoint.Record) {
		attrs := []any{"token", name, "request", r.Request, "method", r.Method, "url", r.URL, "duration_ms", r.Duration.Milliseconds()}
		if r.Err != nil {
			log.Debug("no answer of the token endpoint", append(attrs, "error", r.Err)...)
			return
		}
		log.Debug("answer of the token endpoint", append(attrs, "status", r.Status, "body", r.Body, "expires", r.Expires)...)
	}
	return endpoint.ObserverFunc(func(endpoint.Start) func(endpoint.Record) { return done })
}
