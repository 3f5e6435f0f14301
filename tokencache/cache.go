// Package tokencache keeps one access token good.
//
// A [Cache] asks its [Source] for a token when it has none, hands it out from
// memory, renews it before it expires while it is in use, and replaces it when
// the platform refuses it. Any number of callers cause at most one request to
// the platform at a time, and a platform that is down or that refuses
// everything is asked less and less often.
package tokencache

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"

	"authproxy/tokencache/internal/notify"
)

// Cache keeps one token good. It is safe for concurrent use; no lock is held
// while the Source is asked, and none is taken to hand out a warm token.
type Cache struct {
	opts      Options
	base      context.Context // of all flights; ends with Close
	stop      context.CancelFunc
	current   atomic.Pointer[entry]
	waiters   atomic.Int64
	flights   singleflight.Group
	asking    chan struct{} // holds one while the Source is asked
	observers *notify.Queue[Start, Fetch]

	mu       sync.Mutex
	flight   string // key of the flight under way, "" without one
	launched int    // how many flights there were: makes each key unique
	failure  failure
	brake    brake
	proven   bool // the credentials have brought a token, and were not refused since
	rotation int  // how often the credentials have changed
	timer    *time.Timer
	reunited time.Time // when rivals were forgotten
	looked   time.Time // for a token of somebody else, while none may be asked for
}

// New returns an empty Cache. It panics when opts.Source or an observer is nil.
func New(opts Options) *Cache {
	if opts.Source == nil || slices.Contains(opts.Observers, nil) {
		panic("tokencache: Options.Source or one of Options.Observers is nil")
	}
	base, stop := context.WithCancel(context.Background())
	return &Cache{
		opts: opts.withDefaults(), base: base, stop: stop,
		asking: make(chan struct{}, 1), observers: notify.New(opts.Observers),
	}
}

// farewell is how long Close waits for observers: long enough to tell also of a
// flight whose Source does not notice that it is over.
const farewell = grace + time.Second

// Close ends the renewal of the token and the flight under way. The token held
// is still handed out until it expires. Close returns when the observers have
// been told of all flights, and after two seconds at the latest.
func (c *Cache) Close() {
	c.stop()
	c.mu.Lock()
	if c.timer != nil {
		c.timer.Stop()
	}
	c.mu.Unlock()
	c.observers.Wait(farewell)
}

// Token returns a token that is good now, or waits for one.
//
// Its errors: one that wraps [ErrWaited] when ctx or the flight's time limit
// ran out, [*UnavailableError] while an earlier failure is remembered, else
// the Source's.
func (c *Cache) Token(ctx context.Context) (Token, error) {
	now := time.Now()
	if e := c.current.Load(); e != nil && !e.renewal.reached(now) && !e.refused.Load() {
		return e.take(), nil
	}
	c.mu.Lock()
	e := c.current.Load()
	switch c.decide(e, now) {
	case serve:
		c.mu.Unlock()
		return e.take(), nil
	case serveAndRenew:
		c.join()
		c.mu.Unlock()
		return e.take(), nil
	case fail:
		defer c.mu.Unlock()
		return Token{}, c.failure.remembered()
	default:
		result := c.join()
		c.mu.Unlock()
		t, err := c.wait(ctx, result)
		if err != nil && ctx.Err() == nil && c.current.Load().alive(time.Now()) {
			return c.current.Load().take(), nil
		}
		return t, err
	}
}

// Prefetch has a token asked for when there is none, and does not wait for it. It does not
// count as use: the token is left to lapse when nobody takes it.
func (c *Cache) Prefetch() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.base.Err() == nil && c.flight == "" && c.current.Load() == nil && !time.Now().Before(c.failure.until) {
		c.join()
	}
}

// Offer hands over a token that another process had made, which takes the place of the
// one held. The one held already, and one whose life is over, change nothing.
func (c *Cache) Offer(t Token) {
	now := time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	old := c.current.Load()
	over := !t.Expiry.IsZero() && !now.Before(t.Expiry)
	if c.base.Err() != nil || t.Value == "" || over || old != nil && old.token.Value == t.Value {
		return
	}
	e := c.admit(t, nil, now, now)
	e.used.Store(old != nil && old.used.Load())
	c.failure, c.proven = failure{}, true
	c.current.Store(e)
	c.arm(e, now)
}

// reunitedEvery is the least time between two times that rivals are forgotten.
const reunitedEvery = time.Minute

// Reunited tells that the other programs with the same credential share their tokens again:
// what they did while they could not is no sign of rivals, and the pause that they caused
// is over.
func (c *Cache) Reunited() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := time.Now(); c.brake.deaths > 0 && now.Sub(c.reunited) >= reunitedEvery {
		c.brake, c.reunited = brake{}, now
	}
}

// CredentialsChanged tells that the secrets have changed: a pause that began
// because the platform refused the old ones, or because they could not be read,
// is over.
func (c *Cache) CredentialsChanged() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.rotation++
	c.proven = false
	if c.failure.reason == ReasonCredentials {
		c.failure = failure{}
		c.arm(c.current.Load(), time.Now())
	}
}

// Held returns the token held without asking for one; the zero Token when
// there is none.
func (c *Cache) Held() Token {
	if e := c.current.Load(); e != nil {
		return e.token
	}
	return Token{}
}

// State reports everything about the token but the token.
func (c *Cache) State() State {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := State{Fingerprint: Fingerprint(""), Waiters: int(c.waiters.Load())}
	if e := c.current.Load(); e != nil {
		s.Fingerprint, s.Type = e.token.Fingerprint(), e.token.Type
		now := time.Now()
		s.Issued, s.Expiry, s.Renewal = e.token.Issued, e.expiry.on(now), e.renewal.on(now)
		s.Used, s.Accepted = e.used.Load(), e.accepted.Load()
	}
	if c.failure.err != nil {
		s.Err, s.NextTry = c.failure.err, c.failure.until
	}
	return s
}

// wait returns what the flight brings, or leaves when ctx ends; the flight
// goes on for the others.
func (c *Cache) wait(ctx context.Context, result <-chan singleflight.Result) (Token, error) {
	c.waiters.Add(1)
	defer c.waiters.Add(-1)
	select {
	case r := <-result:
		if r.Err != nil {
			return Token{}, r.Err
		}
		return r.Val.(outcome).entry.take(), nil
	case <-ctx.Done():
		return Token{}, fmt.Errorf("%w: the caller left: %w", ErrWaited, context.Cause(ctx))
	}
}
