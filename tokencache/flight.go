package tokencache

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"golang.org/x/sync/singleflight"
)

// action is what Token does for a caller that the fast path did not serve.
type action int

const (
	wait          action = iota // for a flight, starting one if none is in the air
	serve                       // the token held
	serveAndRenew               // the token held, and start a flight behind the caller
	fail                        // with the failure that is remembered
)

// decide says what to do with e, the token held or nil. c.mu is held.
func (c *Cache) decide(e *entry, now time.Time) action {
	alive := e.alive(now)
	due := !alive || e.refused.Load() || !now.Before(e.renewal)
	switch {
	case !due:
		return serve
	case c.flight == "" && now.Before(c.failure.until):
		if alive {
			return serve
		}
		return fail
	case alive && !e.refused.Load() && !c.opts.Kills:
		if c.flight != "" {
			return serve
		}
		return serveAndRenew
	default:
		return wait
	}
}

// join returns where the flight in the air will land, starting one if there is
// none. c.mu is held. Each flight has a key of its own, given up by land under
// the same lock, so that a flight that has landed is never joined.
func (c *Cache) join() <-chan singleflight.Result {
	if c.flight == "" {
		c.launched++
		c.flight = strconv.Itoa(c.launched)
	}
	rotation := c.rotation
	return c.flights.DoChan(c.flight, func() (any, error) {
		start := time.Now()
		t, err := c.fetch()
		e, record, err := c.land(t, err, rotation)
		record.Duration = time.Since(start)
		c.opts.Observe(record)
		return e, err
	})
}

// fetch asks the Source within the time limit of a flight.
func (c *Cache) fetch() (t Token, err error) {
	ctx, cancel := context.WithTimeout(c.base, c.opts.Timeout)
	defer cancel()
	defer func() {
		if r := recover(); r != nil {
			err = &FetchError{Reason: ReasonBadAnswer, Err: fmt.Errorf("the token source panicked; this is a defect: %T", r)}
		}
	}()
	t, err = c.opts.Source.Fetch(ctx, c.Held())
	switch {
	case err == nil && t.Value == "":
		return Token{}, &FetchError{Reason: ReasonBadAnswer, Err: errors.New("the answer holds no token")}
	case err == nil:
		return t, nil
	case errors.Is(err, context.DeadlineExceeded):
		return Token{}, asFetchError(err, ReasonTimeout)
	default:
		return Token{}, asFetchError(err, ReasonNetwork)
	}
}

func asFetchError(err error, otherwise Reason) error {
	var known *FetchError
	if errors.As(err, &known) {
		return err
	}
	return &FetchError{Reason: otherwise, Err: err}
}

// land ends the flight: it takes the token or remembers the failure. rotation
// is the number of changes of the credentials when the flight began. The error
// is for those who wait.
func (c *Cache) land(t Token, err error, rotation int) (*entry, Fetch, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.flight = ""
	now, old := time.Now(), c.current.Load()
	refused := old != nil && old.refused.Swap(false)
	if err != nil {
		record, err := c.crash(old, err, rotation, now)
		return nil, record, err
	}
	if refused {
		c.cooldown.replaced(now, !old.settled())
	}
	c.failure = failure{}
	e := c.admit(t, old, now)
	same := old != nil && old.token.Value == t.Value
	useless := refused && same && old.alive(now)
	if useless {
		e.repeats++
	}
	c.current.Store(e)
	c.arm(e, now)
	if useless {
		return nil, Fetch{Result: ResultError, Reason: ReasonBadAnswer, Err: ErrSameToken}, ErrSameToken
	}
	return e, Fetch{Result: ResultOK, Replaced: refused && !same, Fingerprint: e.token.Fingerprint(), Expiry: e.token.Expiry}, nil
}

// crash remembers a failed flight and returns the error for those who wait: it
// says when to come back. c.mu is held.
func (c *Cache) crash(old *entry, err error, rotation int, now time.Time) (Fetch, error) {
	var known *FetchError
	errors.As(err, &known)
	record := Fetch{Result: ResultError, Reason: known.Reason, Err: err}
	defer c.arm(old, now)
	if known.Reason == ReasonCredentials && rotation != c.rotation {
		return record, err // what was refused were the old ones
	}
	c.failure = c.failure.after(err, known.Reason, known.RetryAfter, now)
	record.NextTry = c.failure.until
	if known.Reason == ReasonTimeout {
		return record, fmt.Errorf("%w: %w", ErrWaited, err)
	}
	return record, c.failure.remembered()
}

// admit makes the entry of a token that the platform has just answered.
func (c *Cache) admit(t Token, old *entry, now time.Time) *entry {
	t.Issued, t.Expiry = life(t.Issued, t.Expiry, now, c.opts.DefaultTTL)
	t.fingerprint = Fingerprint(t.Value)
	e := &entry{token: t}
	switch {
	case old == nil || old.token.Value != t.Value:
		e.renewal = renewal(t.Issued, t.Expiry, c.opts.ExpiryBuffer, random())
		if c.opts.Repeats {
			e.renewal = t.Expiry
		}
		return e
	case old.alive(now):
		// Asked ahead and answered with the same token: no news until it
		// expires, so neither its life nor the time to ask moves forward.
		e.token.Issued, e.token.Expiry = old.token.Issued, earlier(old.token.Expiry, t.Expiry)
		e.repeats = old.repeats
	default:
		e.repeats = old.repeats + 1
		e.token.Expiry = later(t.Expiry, now.Add(double(c.opts.MinRefreshInterval, e.repeats, maxCooldown)))
	}
	e.renewal = e.token.Expiry
	e.used.Store(old.used.Load())
	e.accepted.Store(old.accepted.Load())
	return e
}

// arm sets the timer that renews e, or tries again after a failure, while e is
// in use and alive. c.mu is held.
func (c *Cache) arm(e *entry, now time.Time) {
	if c.timer != nil {
		c.timer.Stop()
	}
	if e == nil || c.base.Err() != nil {
		return
	}
	at := later(e.renewal, c.failure.until)
	if at.After(e.token.Expiry) {
		return
	}
	c.timer = time.AfterFunc(at.Sub(now), func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if e == c.current.Load() && e.used.Load() && c.base.Err() == nil && !time.Now().Before(c.failure.until) {
			c.join()
		}
	})
}
