package logs

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"
)

// pipe is a writer that nobody reads until it is opened.
type pipe struct {
	open chan struct{}
	mu   sync.Mutex
	text bytes.Buffer
	err  error
}

func (p *pipe) Write(b []byte) (int, error) {
	<-p.open
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err != nil {
		return 0, p.err
	}
	return p.text.Write(b)
}

// TestNobodyReads: who writes does not wait, what there is no room for is counted, and
// told of once somebody reads again; the end does not wait either.
func TestNobodyReads(t *testing.T) {
	p := &pipe{open: make(chan struct{})}
	var q *Queue
	q = NewQueue(p, func(n uint64) { fmt.Fprintf(q, "dropped=%d\n", n) })
	const lines = 100_000
	for i := range lines {
		fmt.Fprintf(q, "line %05d, which is a little longer\n", i)
	}
	dropped := q.Dropped()
	if dropped == 0 || dropped > lines*3/4 {
		t.Fatalf("%d lines of %d were dropped", dropped, lines)
	}
	close(p.open)
	q.Close(10 * time.Second)
	if got := strings.Count(p.text.String(), "line "); uint64(got)+dropped != lines || q.Dropped() != dropped {
		t.Errorf("%d lines were written and %d dropped of %d", got, dropped, lines)
	}
	if !strings.Contains(p.text.String(), fmt.Sprintf("dropped=%d\n", dropped)) {
		t.Error("nothing tells of the dropped lines")
	}

	stuck := &pipe{open: make(chan struct{})}
	q = NewQueue(stuck, func(uint64) {})
	fmt.Fprintln(q, "a line")
	began := time.Now()
	if q.Close(50 * time.Millisecond); time.Since(began) > 5*time.Second {
		t.Error("the end waits for a reader")
	}
	close(stuck.open)
}

// TestTheReaderIsGone: what cannot be written is counted.
func TestTheReaderIsGone(t *testing.T) {
	p := &pipe{open: make(chan struct{}), err: errors.New("broken pipe")}
	close(p.open)
	q := NewQueue(p, func(uint64) { t.Error("told somebody who is gone") })
	fmt.Fprint(q, "one\n")
	q.Close(10 * time.Second)
	if q.Dropped() != 1 {
		t.Errorf("%d dropped", q.Dropped())
	}
}
