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
	wait          action = iota // for a flight, starting one if none is under way
	serve                       // the token held
	serveAndRenew               // the token held, and start a flight behind the caller
	fail                        // with the failure that is remembered
)

// decide says what to do with e, the token held or nil. c.mu is held.
func (c *Cache) decide(e *entry, now time.Time) action {
	alive := e.alive(now)
	due := !alive || e.refused.Load() || e.renewal.reached(now)
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

// outcome is what a flight comes to.
type outcome struct {
	entry  *entry // nil when there is an error for those who wait
	record Fetch
}

// join returns where the [outcome] of the flight under way will come, starting
// one if there is none. c.mu is held. Each flight has a key of its own, given
// up by finish under the same lock, so that a flight that has ended is never
// joined.
func (c *Cache) join() <-chan singleflight.Result {
	start, rotation := time.Now(), c.rotation
	fly := func() (any, error) {
		t, err := c.fetch()
		return c.finish(t, err, start, rotation)
	}
	if c.flight == "" {
		c.launched++
		c.flight = strconv.Itoa(c.launched)
		c.tell(start, c.flight, c.flights.DoChan(c.flight, fly))
	}
	return c.flights.DoChan(c.flight, fly)
}

// grace is how long a Source may take to notice that its time is over.
const grace = time.Second

var errClosed = &FetchError{Reason: ReasonNetwork, Err: errors.New(
	"no token is asked for any more: authproxy is shutting down")}

var errHangs = &FetchError{Reason: ReasonTimeout, Err: errors.New(
	"the token request does not end in its time: look at the file systems that the secrets are on")}

// fetch asks the Source within the time limit of a flight. It does not wait for
// one that does not keep to the limit, as one cannot that reads a secret from a
// file system that hangs; until that call has returned there is no other.
func (c *Cache) fetch() (Token, error) {
	ctx, cancel := context.WithTimeout(c.base, c.opts.Timeout)
	defer cancel()
	select {
	case c.asking <- struct{}{}:
	case <-ctx.Done():
		return Token{}, c.overdue()
	}
	var t Token
	var err error
	returned := make(chan struct{})
	go func() {
		defer func() { <-c.asking }()
		defer close(returned)
		t, err = c.ask(ctx)
	}()
	select {
	case <-returned:
		return t, err
	case <-ctx.Done():
	}
	select {
	case <-returned: // its own error says more
		return t, err
	case <-time.After(grace):
		return Token{}, c.overdue()
	}
}

// overdue is the error of a flight whose Source did not end with its context.
func (c *Cache) overdue() error {
	if c.base.Err() != nil {
		return errClosed
	}
	return errHangs
}

// ask calls the Source and classifies its error.
func (c *Cache) ask(ctx context.Context) (t Token, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = &FetchError{Reason: ReasonBadAnswer, Err: fmt.Errorf("the token source panicked; this is a defect: %T", r)}
		}
	}()
	t, err = c.opts.Source.Fetch(ctx, c.last())
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

// last is the token held, for the Source.
func (c *Cache) last() Token {
	e := c.current.Load()
	if e == nil {
		return Token{}
	}
	t := e.token
	t.Refused = e.refused.Load()
	return t
}

func asFetchError(err error, otherwise Reason) error {
	var known *FetchError
	if errors.As(err, &known) {
		return err
	}
	return &FetchError{Reason: otherwise, Err: err}
}

// finish ends the flight that began at start: it takes the token or remembers
// the failure. rotation is the number of changes of the credentials when the
// flight began. The error is for those who wait.
func (c *Cache) finish(t Token, err error, start time.Time, rotation int) (outcome, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.flight = ""
	now, old := time.Now(), c.current.Load()
	record := Fetch{Cause: causeOf(old, start), Waiters: int(c.waiters.Load()), Duration: now.Sub(start)}
	record.Old, record.OldAge = old.identity(now)
	refused := old != nil && old.refused.Swap(false)
	if err != nil {
		record.Result = ResultError
		c.brake.byRun = false
		err := c.failed(&record, old, err, rotation, now)
		return outcome{record: record}, err
	}
	e := c.admit(t, old, start, now)
	if refused && !t.Adopted { // that one was replaced by somebody else
		replaces := c.brake.replaced(old, now, c.opts.MinRefreshInterval)
		record.Rival = c.brake.suspects(replaces, c.opts.Kills)
		e.replaces = &replaces
	}
	c.failure, c.proven = failure{}, true
	same := old != nil && old.token.Value == t.Value
	useless := refused && same && old.alive(now)
	if useless {
		e.repeats++
	}
	c.current.Store(e)
	c.arm(e, now)
	if useless {
		record.Result, record.Reason, record.Err = ResultError, ReasonBadAnswer, ErrSameToken
		return outcome{record: record}, ErrSameToken
	}
	record.Result, record.Replaced = ResultOK, refused && !same
	if t.Adopted {
		record.Result = ResultAdopted
	}
	record.Fingerprint, record.Expiry, record.Unread = e.token.Fingerprint(), e.token.Expiry, e.token.Unread
	return outcome{e, record}, nil
}

// failed remembers a failed flight and returns the error for those who wait: it
// says when to come back. c.mu is held.
func (c *Cache) failed(record *Fetch, old *entry, err error, rotation int, now time.Time) error {
	var known *FetchError
	errors.As(err, &known)
	record.Reason, record.Err = known.Reason, err
	defer c.arm(old, now)
	if known.Reason == ReasonCredentials && rotation != c.rotation {
		return err // what was refused were the old ones
	}
	refused := known.Reason == ReasonCredentials && !known.Unsent
	var life time.Duration
	if old.alive(now) {
		life = old.expiry.in(now)
	}
	c.failure = c.failure.after(err, known, refused && !c.proven, life, now)
	c.proven = c.proven && !refused
	record.NextTry = c.failure.until
	if known.Reason == ReasonTimeout {
		return fmt.Errorf("%w: %w", ErrWaited, err)
	}
	return c.failure.remembered()
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
	wait := max(e.renewal.in(now), c.failure.until.Sub(now))
	if wait > e.expiry.in(now) {
		return
	}
	c.timer = time.AfterFunc(wait, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if e == c.current.Load() && e.used.Load() && c.base.Err() == nil && !time.Now().Before(c.failure.until) {
			c.join()
		}
	})
}
