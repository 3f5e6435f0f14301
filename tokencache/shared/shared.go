// Package shared has many processes use one token: a [Source] asks a [Store] before it
// asks the platform, asks the platform under the store's lock, and tells the store what
// came of it. What stands in a store is sealed: who reads it alone gains nothing.
//
// Whatever a store does, tokens are had: where it fails, each process asks for itself,
// unless Options.Required is set.
package shared

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"authproxy/tokencache"
)

// ErrNotFound is what [Store.Load] returns for a key without a value.
var ErrNotFound = errors.New("nothing is stored there")

// Store keeps opaque bytes under a key, for all processes that use it. It is safe for
// concurrent use; package storetest has the test that each must pass.
type Store interface {
	// Load returns what was saved last under key and has not expired; else
	// [ErrNotFound].
	Load(ctx context.Context, key string) ([]byte, error)
	// Save puts value under key, for ttl.
	Save(ctx context.Context, key string, value []byte, ttl time.Duration) error
	// Lock waits until nobody else holds the lock of key, or ctx ends, and holds it
	// until unlock is called, or its process has died. It fails at once when the store
	// cannot be used.
	Lock(ctx context.Context, key string) (unlock func(), err error)
}

// Herald is a [Store] by which processes tell each other that something new was saved.
type Herald interface {
	// Announce tells all who watch key. Nothing of the value is told.
	Announce(ctx context.Context, key string) error
	// Watch calls heard after each announcement of key, until ctx ends, and whenever it
	// has begun to hear them: what was announced before that it has not heard.
	Watch(ctx context.Context, key string, heard func())
}

// Credential is what a token is asked for with.
type Credential struct {
	// Key names it, and gives nothing of it away: the same for every process that asks
	// in the same way with the same secrets, and for no other.
	Key string
	// Secret seals what is stored.
	Secret []byte
}

// Options describe a [Source]. Source, Store and Credential are needed.
type Options struct {
	// Name is the token's name, for the texts of errors.
	Name string
	// Source asks the platform.
	Source tokencache.Source
	// Store is shared with other processes.
	Store Store
	// Credential is asked for at each fetch, since secrets may change.
	Credential func() (Credential, error)
	// Timeout bounds each operation of the store but the waiting for a lock; 250 ms.
	Timeout time.Duration
	// DefaultTTL is the life of a token that names none; 1 h.
	DefaultTTL time.Duration
	// Required: no token without the store.
	Required bool
	// Observer is told of every operation; nil: nobody.
	Observer func(Operation)
}

// Source is a [tokencache.Source] that shares its tokens.
type Source struct {
	opts   Options
	spent  spent
	alones atomic.Int64 // tokens that were had without the store
	base   context.Context
	stop   context.CancelFunc
}

var _ tokencache.Source = (*Source)(nil)

// New returns a Source, which is to be closed.
func New(o Options) *Source {
	if o.Timeout <= 0 {
		o.Timeout = 250 * time.Millisecond
	}
	if o.DefaultTTL <= 0 {
		o.DefaultTTL = time.Hour
	}
	if o.Observer == nil {
		o.Observer = func(Operation) {}
	}
	s := &Source{opts: o}
	s.base, s.stop = context.WithCancel(context.Background())
	return s
}

// Fetch implements [tokencache.Source]. A token that the store holds is returned, with
// Adopted set, when it is another than last and this process has not held it before.
// Else the platform is asked under the store's lock, and with the refresh token and the
// device that the store holds. A refusal of the credentials is shared for a while.
func (s *Source) Fetch(ctx context.Context, last tokencache.Token) (tokencache.Token, error) {
	cred, err := s.opts.Credential()
	if err != nil {
		return s.opts.Source.Fetch(ctx, last) // whose error says more
	}
	s.spent.add(last.Value)
	vault, err := open(cred)
	if err != nil {
		return tokencache.Token{}, s.failed(err)
	}
	held, err := s.load(ctx, vault)
	if err != nil {
		return s.alone(ctx, vault, last, err)
	}
	if t, ok := s.fresh(held, last); ok {
		return t, nil
	}
	unlock, err := s.lock(ctx, vault)
	if err != nil {
		return s.alone(ctx, vault, last, err)
	}
	defer unlock()
	return s.underLock(ctx, vault, last)
}

// underLock looks again, asks the platform, and tells the others.
func (s *Source) underLock(ctx context.Context, v vault, last tokencache.Token) (tokencache.Token, error) {
	held, err := s.load(ctx, v)
	if err != nil {
		return s.alone(ctx, v, last, err)
	}
	if t, ok := s.fresh(held, last); ok {
		return t, nil
	}
	if err := s.refused(ctx, v); err != nil {
		return tokencache.Token{}, err
	}
	t, err := s.opts.Source.Fetch(ctx, with(last, held))
	if err != nil {
		s.shareRefusal(ctx, v, err, last.Value != "" || held.Value != "")
		return tokencache.Token{}, err
	}
	s.share(ctx, v, t)
	return t, nil
}

// with is last with the refresh token and the device of what the store holds, which are
// not older: a refresh token that was used is good for nothing.
func with(last, held tokencache.Token) tokencache.Token {
	if held.Refresh != "" {
		last.Refresh = held.Refresh
	}
	if held.DeviceID != "" {
		last.DeviceID = held.DeviceID
	}
	return last
}

// fresh tells whether held may take the place of last, and returns it ready for that.
func (s *Source) fresh(held, last tokencache.Token) (tokencache.Token, bool) {
	if held.Value == "" || held.Value == last.Value || s.spent.has(held.Value) || !alive(held, s.opts.DefaultTTL) {
		return tokencache.Token{}, false
	}
	held.Adopted = true
	return held, true
}
