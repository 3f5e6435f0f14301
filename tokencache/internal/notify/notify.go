// Package notify tells observers what happens, behind the backs of those to
// whom it happens.
package notify

import (
	"sync"
	"time"
)

// Limit is how many events a [Queue] keeps for observers that are behind.
const Limit = 1000

// Observer is told that an event begins. The function that it returns, unless
// it is nil, is called once with what came of it.
type Observer[Start, End any] interface {
	Observe(Start) func(End)
}

// Queue tells observers of events: of one event after another, in their order,
// and each observer in turn. It does so in goroutines of its own, which end when
// all is told, so that an observer that is slow or hangs keeps only the other
// observers waiting. Events that begin while [Limit] others are not told yet are
// not told at all. A Queue is safe for concurrent use.
type Queue[Start, End any] struct {
	observers []func(Start) func(End)

	mu      sync.Mutex
	last    chan struct{} // closed when the latest event is told; nil before the first
	pending int           // events that are not told yet
}

// New returns a Queue that tells observers, none of which may be nil.
func New[Start, End any, O Observer[Start, End]](observers []O) *Queue[Start, End] {
	q := &Queue[Start, End]{}
	for _, o := range observers {
		q.observers = append(q.observers, o.Observe)
	}
	return q
}

// Tell tells of an event that begins, and of its end with what end returns; end
// may wait for that. Tell itself does not wait.
func (q *Queue[Start, End]) Tell(start Start, end func() End) {
	if len(q.observers) == 0 {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.pending == Limit {
		return
	}
	previous, told := q.last, make(chan struct{})
	q.last = told
	q.pending++
	go func() {
		defer close(told)
		defer q.forget()
		if previous != nil {
			<-previous
		}
		q.tell(start, end)
	}()
}

func (q *Queue[Start, End]) tell(start Start, end func() End) {
	var all []func(End)
	for _, observe := range q.observers {
		if done := observe(start); done != nil {
			all = append(all, done)
		}
	}
	record := end()
	for _, done := range all {
		done(record)
	}
}

func (q *Queue[Start, End]) forget() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.pending--
}

// Wait returns when the events so far are told, and after limit at the latest.
func (q *Queue[Start, End]) Wait(limit time.Duration) {
	q.mu.Lock()
	last := q.last
	q.mu.Unlock()
	if last == nil {
		return
	}
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-last:
	case <-timer.C:
	}
}
