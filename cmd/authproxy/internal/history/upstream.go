package history

import (
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"authproxy/proxy"
)

// Upstream is the history of one. It is a [proxy.Observer].
type Upstream struct {
	of       *History
	done     func(*proxy.Record) // finished, made once for all requests
	inFlight atomic.Int64
	failures failures

	renewing sync.Mutex // of a step
	steps    [Steps]step
}

func newUpstream(h *History) *Upstream {
	u := &Upstream{of: h}
	u.done = u.finished
	return u
}

// step is what was counted in one.
type step struct {
	number           atomic.Int64 // since the beginning
	requests, failed atomic.Uint32
	outcomes         [outcomes]atomic.Uint32
	took             [spans]atomic.Uint32
}

// outcomes is how many [proxy.Outcomes] there are.
const outcomes = 6

// Observe implements [proxy.Observer].
func (u *Upstream) Observe(*http.Request) func(*proxy.Record) {
	u.inFlight.Add(1)
	return u.done
}

func (u *Upstream) finished(r *proxy.Record) {
	u.inFlight.Add(-1)
	s := u.at(u.of.step(r.Start.Add(r.Duration)))
	s.requests.Add(1)
	s.took[spanOf(r.Duration)].Add(1)
	if r.Outcome != "" {
		if i := slices.Index(proxy.Outcomes(), r.Outcome); i >= 0 && i < outcomes {
			s.outcomes[i].Add(1)
		}
	}
	if r.Failed() {
		s.failed.Add(1)
		u.failures.add(r)
	}
}

// at returns the counters of a step, which may have been those of one that is too old now.
func (u *Upstream) at(number int64) *step {
	s := &u.steps[number%Steps]
	if s.number.Load() == number {
		return s
	}
	u.renewing.Lock()
	defer u.renewing.Unlock()
	if s.number.Load() < number {
		s.requests.Store(0)
		s.failed.Store(0)
		for i := range s.outcomes {
			s.outcomes[i].Store(0)
		}
		for i := range s.took {
			s.took[i].Store(0)
		}
		s.number.Store(number)
	}
	return s
}

// Recent is what happened in the last [Steps] steps. All lists have one entry for each, the
// oldest first, the last of which is not over yet.
type Recent struct {
	InFlight         int64
	Requests, Failed []uint32
	// Outcomes are those that occurred.
	Outcomes map[proxy.Outcome][]uint32
	// Median and P95 are of the durations; below zero without a request.
	Median, P95 []time.Duration
	// Total is over all steps.
	Total Durations
	// Failures are the latest, the newest first.
	Failures []Failure
}

// Durations says how long requests took; below zero without one.
type Durations struct{ Median, P95, P99 time.Duration }

// Recent reads the history up to now.
func (u *Upstream) Recent() Recent {
	now := u.of.step(time.Now())
	r := Recent{InFlight: u.inFlight.Load(), Outcomes: map[proxy.Outcome][]uint32{}, Failures: u.failures.list()}
	var total counts
	for number := now - Steps + 1; number <= now; number++ {
		var took counts
		var requests, failed uint32
		if s := &u.steps[(number+Steps)%Steps]; number >= 0 && s.number.Load() == number {
			requests, failed = s.requests.Load(), s.failed.Load()
			took.read(&s.took)
			r.outcomes(s, len(r.Requests))
		}
		total.add(took)
		r.Requests, r.Failed = append(r.Requests, requests), append(r.Failed, failed)
		r.Median, r.P95 = append(r.Median, took.quantile(0.5)), append(r.P95, took.quantile(0.95))
	}
	r.Total = Durations{total.quantile(0.5), total.quantile(0.95), total.quantile(0.99)}
	return r
}

// outcomes takes in those of s, which is the i'th step.
func (r *Recent) outcomes(s *step, i int) {
	for o, outcome := range proxy.Outcomes() {
		n := s.outcomes[o].Load()
		if n == 0 {
			continue
		}
		if r.Outcomes[outcome] == nil {
			r.Outcomes[outcome] = make([]uint32, Steps)
		}
		r.Outcomes[outcome][i] = n
	}
}
