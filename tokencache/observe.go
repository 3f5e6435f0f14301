package tokencache

import (
	"time"

	"golang.org/x/sync/singleflight"
)

// An Observer is told of the flights of a [Cache]. No caller and no flight waits
// for it, however slow it is. All observers of a Cache are told of one flight
// before any is told of the next, so one that hangs keeps the others waiting
// too; a thousand flights are kept for them, and what begins beyond is not told.
type Observer interface {
	// Observe is called when a flight has begun. The function that it returns,
	// unless it is nil, is called once when the flight has ended: those who
	// waited have its result then, and [Cache.State] is the new one.
	Observe(Start) (done func(Fetch))
}

// ObserverFunc is an [Observer] made of a function.
type ObserverFunc func(Start) (done func(Fetch))

// Observe implements [Observer].
func (f ObserverFunc) Observe(s Start) (done func(Fetch)) { return f(s) }

// Start is what is known of a flight when it begins.
type Start struct {
	// Time is when it began.
	Time time.Time
	// Cause is why it is needed.
	Cause Cause
	// Old is the fingerprint of the token held, and OldAge the time since that
	// was issued; zero without one.
	Old    string
	OldAge time.Duration
}

// tell tells the observers of the flight that begins, and of its end when all
// who wait have its result. c.mu is held.
func (c *Cache) tell(start time.Time, key string, result <-chan singleflight.Result) {
	old := c.current.Load()
	begun := Start{Time: start, Cause: causeOf(old, start)}
	begun.Old, begun.OldAge = old.identity(start)
	c.observers.Tell(begun, func() Fetch {
		r := <-result
		c.flights.Forget(key) // waits for the lock that is held while results are given out
		return r.Val.(outcome).record
	})
}

// causeOf says why a flight was needed that began at start with the token old.
func causeOf(old *entry, start time.Time) Cause {
	switch {
	case old == nil:
		return CauseFirst
	case old.refused.Load():
		return CauseRefused
	case !old.alive(start):
		return CauseExpired
	default:
		return CauseRenewal
	}
}
