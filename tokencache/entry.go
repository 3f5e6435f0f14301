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

	replaces trial // guarded by the Cache's lock

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
