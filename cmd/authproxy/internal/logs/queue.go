package logs

import (
	"bytes"
	"io"
	"sync"
	"sync/atomic"
	"time"
)

// maxQueued is how many bytes of lines wait for a reader.
const maxQueued = 1 << 20

// Queue is a [io.Writer] that never waits and never fails: what is written goes to
// another writer in the background, and is dropped, whole lines at a time, while too
// much waits there. It is safe for concurrent use.
type Queue struct {
	dropped atomic.Uint64
	lost    func(n uint64) // tells that n lines were dropped

	mu      sync.Mutex
	waiting []byte
	told    uint64        // of the lines dropped
	news    chan struct{} // something waits; cap 1
	closed  sync.Once
	closing chan struct{}
	done    chan struct{}
}

// NewQueue returns a queue before w. When lines have been dropped, and there is room
// again, lost is called with their number; it may write to the queue.
func NewQueue(w io.Writer, lost func(n uint64)) *Queue {
	q := &Queue{lost: lost, news: make(chan struct{}, 1), closing: make(chan struct{}), done: make(chan struct{})}
	go q.run(w)
	return q
}

// Dropped is how many lines nobody got.
func (q *Queue) Dropped() uint64 { return q.dropped.Load() }

// Write implements [io.Writer].
func (q *Queue) Write(p []byte) (int, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.waiting)+len(p) > maxQueued {
		q.drop(p)
		return len(p), nil
	}
	q.waiting = append(q.waiting, p...)
	select {
	case q.news <- struct{}{}:
	default:
	}
	return len(p), nil
}

func (q *Queue) drop(lines []byte) { q.dropped.Add(uint64(max(1, bytes.Count(lines, []byte{'\n'})))) }

// Close waits until everything is written, no longer than that. What is written from
// then on may be lost.
func (q *Queue) Close(patience time.Duration) {
	q.closed.Do(func() { close(q.closing) })
	limit := time.NewTimer(patience)
	defer limit.Stop()
	select {
	case <-q.done:
	case <-limit.C:
	}
}

func (q *Queue) run(w io.Writer) {
	defer close(q.done)
	var lines []byte
	for {
		lines = q.take(lines)
		if len(lines) > 0 {
			q.pass(w, lines)
			continue
		}
		select {
		case <-q.news:
		case <-q.closing:
			for lines = q.take(lines); len(lines) > 0; lines = q.take(lines) { // what came meanwhile
				q.pass(w, lines)
			}
			return
		}
	}
}

// take returns what waits, and has buf used for what comes.
func (q *Queue) take(buf []byte) []byte {
	q.mu.Lock()
	defer q.mu.Unlock()
	lines := q.waiting
	q.waiting = buf[:0]
	return lines
}

// pass writes lines, and then tells of those that were dropped.
func (q *Queue) pass(w io.Writer, lines []byte) {
	if n, err := w.Write(lines); err != nil {
		q.drop(lines[min(n, len(lines)):])
		return
	}
	if dropped := q.dropped.Load(); dropped > q.told {
		q.lost(dropped - q.told)
		q.told = dropped
	}
}
