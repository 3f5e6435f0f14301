package tokencache

import (
	"sync/atomic"
	"time"
)

// entry is one token and what became of it.
type entry struct {
	token   Token
	born    time.Time // when it was asked for, on the monotonic clock where there is one
	expiry  limit
	renewal limit // when the next one is asked for; not after the expiry
	named   bool  // the platform has said how long it lives
	repeats int   // how often another one was asked for and this one came

	replaces *trial // of a refused token, until it is known what became of it; guarded by the Cache's lock

	used     atomic.Bool  // handed out
	accepted atomic.Bool  // taken by the upstream
	refused  atomic.Bool  // refused, and another one is on its way
	run      atomic.Int32 // refusals in a row that did not replace it, since it was last taken
}

func (e *entry) alive(now time.Time) bool { return e != nil && !e.expiry.reached(now) }

// age is the time since the token was asked for.
func (e *entry) age(now time.Time) time.Duration { return max(0, now.Sub(e.born)) }

// identity is the fingerprint of the token and its age; zero without one.
func (e *entry) identity(now time.Time) (fingerprint string, age time.Duration) {
	if e == nil {
		return "", 0
	}
	return e.token.Fingerprint(), e.age(now)
}

func (e *entry) take() Token {
	if !e.used.Load() { // a store on every request would bounce the cache line between cores
		e.used.Store(true)
	}
	return e.token
}

// admit makes the entry of a token that the platform has just answered in a
// flight that began at start.
func (c *Cache) admit(t Token, old *entry, start, now time.Time) *entry {
	e := &entry{born: start}
	t.Issued, t.Expiry, e.named = life(t.Issued, t.Expiry, now, c.opts.DefaultTTL)
	t.fingerprint = Fingerprint(t.Value)
	e.token = t
	if old != nil && old.token.Value == t.Value {
		e.repeat(old, now, c.opts.MinRefreshInterval)
		return e
	}
	e.expiry = limitAt(t.Expiry, now)
	e.renewal = e.expiry
	if !c.opts.Repeats {
		e.renewal = limitAt(renewal(t.Issued, t.Expiry, c.opts.ExpiryBuffer, random()), now)
	}
	return e
}

// repeat makes e what becomes of old when the platform answers with the token
// held. While that lives, neither its life nor the time to ask moves forward.
// Behind its end it lives on as the platform says, or as by default when it never
// said; one that has counted down to the end and says nothing more has another
// token soon.
func (e *entry) repeat(old *entry, now time.Time, least time.Duration) {
	e.used.Store(old.used.Load())
	e.accepted.Store(old.accepted.Load())
	e.run.Store(old.run.Load())
	e.repeats = old.repeats
	if held := old.expiry.on(now); old.alive(now) {
		e.token.Issued, e.born = old.token.Issued, old.born
		if !e.named || held.Before(e.token.Expiry) {
			e.token.Expiry = held
		}
	} else {
		e.repeats++
		soon := now.Round(0).Add(double(least, e.repeats, maxPause))
		if !e.named && old.named || e.token.Expiry.Before(soon) {
			e.token.Expiry = soon
		}
	}
	e.named = e.named || old.named
	e.expiry = limitAt(e.token.Expiry, now)
	e.renewal = e.expiry
}

// limit is a point in time on two clocks, and is reached when it is on one of
// them: the wall clock goes on while a machine sleeps, and nobody can set the
// monotonic one.
type limit struct{ wall, steady time.Time }

// limitAt is the time at as a limit, as it is seen at now, which has a monotonic
// part.
func limitAt(at, now time.Time) limit {
	return limit{wall: at.Round(0), steady: now.Add(at.Round(0).Sub(now.Round(0)))}
}

func (l limit) reached(now time.Time) bool { return !now.Before(l.wall) || !now.Before(l.steady) }

// in is how long it is until l; negative when it was reached before now.
func (l limit) in(now time.Time) time.Duration {
	return min(l.wall.Sub(now.Round(0)), l.steady.Sub(now))
}

// on is l on the wall clock as it is set at now. What the clocks differ by
// between two readings of them is no setting.
func (l limit) on(now time.Time) time.Time {
	if at := now.Round(0).Add(l.in(now)); l.wall.Sub(at) > time.Second {
		return at
	}
	return l.wall
}
