package shared

import (
	"context"
	"time"

	"authproxy/tokencache"
)

// Look returns the token that the store holds, if it is one that this process has not held
// before. The platform is not asked.
func (s *Source) Look(ctx context.Context, last tokencache.Token) (tokencache.Token, bool) {
	cred, err := s.opts.Credential()
	if err != nil {
		return tokencache.Token{}, false
	}
	v, err := open(cred)
	if err != nil {
		return tokencache.Token{}, false
	}
	held, err := s.load(ctx, v)
	if err != nil {
		return tokencache.Token{}, false
	}
	return s.fresh(held, last)
}

// Watch offers each token that another process announces, until ctx ends; held returns the
// one that this process holds. Where the store tells nobody it does nothing.
func (s *Source) Watch(ctx context.Context, held func() tokencache.Token, offer func(tokencache.Token)) {
	herald, ok := s.opts.Store.(Herald)
	if !ok {
		return
	}
	for ctx.Err() == nil {
		cred, err := s.opts.Credential()
		if err != nil { // whoever asks for a token is told
			return
		}
		herald.Watch(ctx, cred.Key, func() {
			last := held()
			if last.Value == "" {
				return // the first fetch looks by itself
			}
			if t, ok := s.Look(ctx, last); ok {
				offer(t)
			}
		})
		select { // it ends before ctx only when something is wrong
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
}
