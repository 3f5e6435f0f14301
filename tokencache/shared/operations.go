package shared

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"
	"time"

	"authproxy/tokencache"
)

// Operation is one use of the store.
type Operation struct {
	// Name is load, save, lock or announce.
	Name string
	// Result is ok, absent or error.
	Result string
	// Err is the error; nil without one. It holds no secret.
	Err error
}

// Operations lists every Name, and Results every Result, of an [Operation].
func Operations() []string { return []string{"load", "save", "lock", "announce"} }

// Results lists every Result of an [Operation].
func Results() []string { return []string{"ok", "absent", "error"} }

// told tells of an operation.
func (s *Source) told(name string, err error) {
	result := "ok"
	switch {
	case errors.Is(err, ErrNotFound), errors.Is(err, errSealed):
		result, err = "absent", nil
	case err != nil:
		result = "error"
	}
	s.opts.Observer(Operation{name, result, err})
}

// What stands under the key of a credential, and beside it.
const (
	placeToken   = ""
	placeRefused = ":refused"
)

// load returns the token that the store holds; the zero Token for none.
func (s *Source) load(ctx context.Context, v vault) (tokencache.Token, error) {
	var r record
	err := s.get(ctx, v, placeToken, &r)
	if errors.Is(err, ErrNotFound) || errors.Is(err, errSealed) {
		return tokencache.Token{}, nil
	}
	return r.token(), err
}

func (s *Source) get(ctx context.Context, v vault, place string, value any) error {
	limited, cancel := context.WithTimeout(ctx, s.opts.Timeout)
	defer cancel()
	stored, err := s.opts.Store.Load(limited, v.key+place)
	if err == nil {
		err = v.unseal(place, stored, value)
	}
	s.told("load", err)
	return err
}

func (s *Source) put(ctx context.Context, v vault, place string, value any, ttl time.Duration) error {
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.opts.Timeout)
	defer cancel()
	sealed, err := v.seal(place, value)
	if err == nil {
		err = s.opts.Store.Save(limited, v.key+place, sealed, ttl)
	}
	s.told("save", err)
	return err
}

func (s *Source) lock(ctx context.Context, v vault) (unlock func(), err error) {
	unlock, err = s.opts.Store.Lock(ctx, v.key)
	s.told("lock", err)
	return unlock, err
}

// refreshLife is how long a refresh token is kept whose life nobody names.
const refreshLife = 30 * 24 * time.Hour

// share saves t and tells the others. That it fails is told, and no more: t is good.
func (s *Source) share(ctx context.Context, v vault, t tokencache.Token) {
	life := s.opts.DefaultTTL
	if !t.Expiry.IsZero() {
		life = time.Until(t.Expiry)
	}
	if t.Refresh != "" || t.DeviceID != "" {
		life = max(life, refreshLife)
	}
	if life <= 0 {
		return
	}
	if s.put(ctx, v, placeToken, recordOf(t), life) != nil {
		return
	}
	herald, ok := s.opts.Store.(Herald)
	if !ok {
		return
	}
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.opts.Timeout)
	defer cancel()
	s.told("announce", herald.Announce(limited, v.key))
}

// How long a refusal of the credentials holds for all: as long as the first pause of each
// that gets it, or a moment where they worked before, since that is doubted.
const (
	refusedFor  = 25 * time.Second
	doubtedFor  = time.Second
	maxRefusals = 1 << 10 // bytes of its text
)

// shareRefusal saves err where it is a refusal of the credentials.
func (s *Source) shareRefusal(ctx context.Context, v vault, err error, worked bool) {
	fetch, ok := errors.AsType[*tokencache.FetchError](err)
	if !ok || fetch.Reason != tokencache.ReasonCredentials || fetch.Unsent {
		return
	}
	hold := refusedFor
	if worked {
		hold = doubtedFor
	}
	text := err.Error()
	_ = s.put(ctx, v, placeRefused, refusal{text[:min(len(text), maxRefusals)], time.Now().Add(hold).UnixMilli()}, hold) // it was told
}

// refused is the refusal of the credentials that another process got a short time ago.
func (s *Source) refused(ctx context.Context, v vault) error {
	var r refusal
	if s.get(ctx, v, placeRefused, &r) != nil {
		return nil
	}
	left := time.Until(time.UnixMilli(r.Until))
	if left <= 0 {
		return nil
	}
	return &tokencache.FetchError{Reason: tokencache.ReasonCredentials, Err: fmt.Errorf("%s (another process asked)", r.Text)}
}

// spent are the latest tokens that this process has held: none of them comes back.
type spent struct {
	mu     sync.Mutex
	latest [16][sha256.Size]byte
	next   int
}

func (s *spent) add(value string) {
	if value == "" || s.has(value) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.latest[s.next%len(s.latest)] = sha256.Sum256([]byte(value))
	s.next++
}

func (s *spent) has(value string) bool {
	sum := sha256.Sum256([]byte(value))
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, one := range s.latest {
		if one == sum {
			return true
		}
	}
	return false
}
