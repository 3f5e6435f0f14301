package history

import (
	"sync"
	"time"

	"authproxy/tokencache"
)

// Token is the history of one. It is a [tokencache.Observer].
type Token struct {
	of *History

	mu    sync.Mutex
	seen  Fetches
	steps [Steps]fetchStep
}

// fetchStep is what was counted in one step.
type fetchStep struct {
	number     int64
	ok, failed uint32
}

// Fetches is what is remembered of the attempts to get a token. It holds neither a token
// nor a secret.
type Fetches struct {
	// Last is when the latest ended; zero without one. The following are its own.
	Last     time.Time
	Cause    tokencache.Cause
	Result   tokencache.Result
	Duration time.Duration
	// Failed is when the latest failure ended, and Error what it said; zero without one.
	Failed time.Time
	Error  string
	// Replaced is how many refused tokens were replaced, and Rival when it was last likely
	// that another program uses the same credential; zero for never.
	Replaced uint64
	Rival    time.Time
	// OK and Errors are how many there were in the last [Steps] steps.
	OK, Errors uint32
}

// Observe implements [tokencache.Observer].
func (t *Token) Observe(start tokencache.Start) func(tokencache.Fetch) {
	return func(f tokencache.Fetch) { t.finished(start.Time.Add(f.Duration), f) }
}

func (t *Token) finished(at time.Time, f tokencache.Fetch) {
	t.mu.Lock()
	defer t.mu.Unlock()
	number := t.of.step(at)
	s := &t.steps[number%Steps]
	if s.number != number {
		*s = fetchStep{number: number}
	}
	t.seen.Last, t.seen.Cause, t.seen.Result, t.seen.Duration = at, f.Cause, f.Result, f.Duration
	if f.Replaced {
		t.seen.Replaced++
	}
	if f.Rival {
		t.seen.Rival = at
	}
	if f.Result != tokencache.ResultError {
		s.ok++
		return
	}
	s.failed++
	t.seen.Failed, t.seen.Error = at, ""
	if f.Err != nil {
		t.seen.Error = own(f.Err.Error(), maxText)
	}
}

// Fetches reads the history up to now.
func (t *Token) Fetches() Fetches {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := t.seen
	now := t.of.step(time.Now())
	for _, s := range t.steps {
		if s.number > now-Steps && s.number <= now {
			all.OK += s.ok
			all.Errors += s.failed
		}
	}
	return all
}
