package shared

import (
	"context"
	"fmt"
	"time"

	"authproxy/tokencache"
)

// alone asks the platform without the store, which failed with err.
func (s *Source) alone(ctx context.Context, v vault, last tokencache.Token, err error) (tokencache.Token, error) {
	if s.opts.Required {
		return tokencache.Token{}, s.failed(err)
	}
	if ctx.Err() != nil {
		return tokencache.Token{}, &tokencache.FetchError{Reason: tokencache.ReasonTimeout, Err: fmt.Errorf("token %q: no turn came in time: another process asks for it: %w", s.opts.Name, ctx.Err())}
	}
	t, err := s.opts.Source.Fetch(ctx, last)
	if err == nil {
		go s.shareLater(v, t)
	}
	return t, err
}

// shareEvery is how often a token is saved again that could not be.
const shareEvery = 500 * time.Millisecond

// shareLater saves t, which was had without the store, as soon as that works, unless
// another process has saved a later one, or t is no more than the one before the last.
func (s *Source) shareLater(v vault, t tokencache.Token) {
	mine := s.alones.Add(1)
	for wait := time.Duration(0); s.alones.Load() == mine && alive(t, s.opts.DefaultTTL); wait = shareEvery {
		select {
		case <-s.base.Done():
			return
		case <-time.After(wait):
		}
		held, err := s.load(s.base, v)
		if err != nil {
			continue
		}
		if held.Value == "" || held.Issued.Before(t.Issued) {
			s.share(s.base, v, t)
		}
		return
	}
}

// alive tells whether t is good for longer, by what is known of it.
func alive(t tokencache.Token, life time.Duration) bool {
	expiry := t.Expiry
	if expiry.IsZero() {
		expiry = t.Issued.Add(life)
	}
	return time.Now().Before(expiry)
}

// Close ends what goes on without a caller.
func (s *Source) Close() { s.stop() }

// failed is the error of a fetch for which the store was needed.
func (s *Source) failed(err error) error {
	return &tokencache.FetchError{Reason: tokencache.ReasonStore, Unsent: true,
		Err: fmt.Errorf("token %q: the store cannot be used, and store.required is set: %w", s.opts.Name, err)}
}
