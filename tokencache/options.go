package tokencache

import (
	"context"
	"time"
)

// Options configure a [Cache]. Only Source is needed; the zero value of every
// other field means its default.
type Options struct {
	// Source is asked for tokens.
	Source Source
	// Timeout bounds one flight, however many callers wait for it; 10 s.
	Timeout time.Duration
	// ExpiryBuffer is how long before its expiry a token is renewed; 60 s,
	// and never more than a tenth of the token's life.
	ExpiryBuffer time.Duration
	// DefaultTTL is the life of a token whose answer names none; 1 h.
	DefaultTTL time.Duration
	// MinRefreshInterval is the least time between two replacements of refused
	// tokens, the first of which did not help; 1 s. It doubles with each of them
	// up to 5 min, or to itself where it is longer, and falls back when one cures.
	MinRefreshInterval time.Duration
	// Repeats: the platform repeats its token until that expires, so there is
	// no use in asking ahead.
	Repeats bool
	// Kills: a new token kills the old one at once, so while one is on its
	// way the old one is not handed out.
	Kills bool
	// Look returns a token other than last that somebody else has had made, without
	// asking the platform; it is asked when a refused token may not be replaced yet.
	// nil: there is nobody else.
	Look func(ctx context.Context, last Token) (Token, bool)
	// Observers are told of every flight, each in turn; none of them may be nil.
	Observers []Observer
}

func (o Options) withDefaults() Options {
	o.Timeout = orDefault(o.Timeout, 10*time.Second)
	o.ExpiryBuffer = orDefault(o.ExpiryBuffer, time.Minute)
	o.DefaultTTL = orDefault(o.DefaultTTL, time.Hour)
	o.MinRefreshInterval = orDefault(o.MinRefreshInterval, time.Second)
	return o
}

func orDefault(d, fallback time.Duration) time.Duration {
	if d <= 0 {
		return fallback
	}
	return d
}
