// Package replay keeps the body of a request while it streams, so that the same
// body can be sent a second time.
package replay

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"sync"
)

// errSuperseded ends the reading of a try that another one has replaced.
var errSuperseded = errors.New("the request is being sent again")

// errNotReplayable: more of the body has gone by than was recorded.
var errNotReplayable = errors.New("the request body cannot be sent again")

// A Tape records a request body while it streams to the upstream, so that the
// same body can be sent again: first what was recorded, then the rest of the
// stream. It reads from the client only when the upstream asks for more, and
// it keeps no more than limit bytes, and no more than memory has; a body that runs over
// is let go.
//
// A try that was given up may still be reading when the next one starts: what
// its last Read brings is recorded too, and so reaches the next one.
type Tape struct {
	src     io.Reader
	limit   int64
	trailer http.Header   // of the client, filled when src has ended
	reading chan struct{} // held while src is being read

	mu      sync.Mutex
	try     *try // the one that may read
	first   try  // most bodies are sent once
	record  record
	running bool          // recording goes on: nothing has been lost and nobody said stop
	lost    bool          // more has gone by than the record holds
	full    bool          // since there was no memory for it
	lent    int           // how many use the memory of the record
	held    chan struct{} // while not nil src is not read; closed at the end of that
	late    []byte        // read by a try that was given up, after the recording ended
	err     error         // how src ended; io.EOF when it was read whole
	asked   bool          // src has been read from
}

// NewTape returns a tape that records up to limit bytes of src in memory. The trailer
// is the client's: it is filled when src has ended.
func NewTape(src io.Reader, limit int64, memory *Memory, trailer http.Header) *Tape {
	return &Tape{src: src, limit: limit, record: record{memory: memory}, trailer: trailer, reading: make(chan struct{}, 1), running: true}
}

// Rewind returns the body from its beginning and ends the try before it. At
// its end it fills trailer, which holds the announced names. It fails with
// errNotReplayable when the beginning is gone.
func (t *Tape) Rewind(trailer http.Header) (io.ReadCloser, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.try != nil && !t.running {
		return nil, errNotReplayable
	}
	if t.try == nil {
		t.try = &t.first
	} else {
		t.try.close()
		t.try = new(try)
	}
	t.try.tape, t.try.trailer = t, trailer
	t.letGo()
	return t.try, nil
}

// Broken tells whether the client's body broke off.
func (t *Tape) Broken() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.err != nil && !errors.Is(t.err, io.EOF)
}

// Hold keeps the try under way from reading on, until Rewind or Stop, so that
// the recording does not run over while a new token is asked for.
func (t *Tape) Hold() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.running && t.held == nil {
		t.held = make(chan struct{})
	}
}

// letGo ends Hold. t.mu is held.
func (t *Tape) letGo() {
	if t.held != nil {
		close(t.held)
		t.held = nil
	}
}

// holding returns what is closed at the end of Hold; nil when nothing is held.
func (t *Tape) holding() <-chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.held
}

// Replayable tells whether Rewind would succeed.
func (t *Tape) Replayable() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.running
}

// Full tells whether the body was let go because all tapes together keep as much as
// their memory has, and not for its own size.
func (t *Tape) Full() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.full
}

// Stop ends the recording: there will be no Rewind. The try under way still
// gets what was recorded for it.
func (t *Tape) Stop() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.running = false
	t.letGo()
	t.release()
}

// Begun tells whether the client has been asked for its body.
func (t *Tape) Begun() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.asked
}

// Ended tells whether the client's body was read to its end.
func (t *Tape) Ended() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return errors.Is(t.err, io.EOF)
}

// release gives the record back unless somebody may need it. t.mu is held.
func (t *Tape) release() {
	if t.running || t.lent > 0 || !t.lost && t.try != nil && t.try.pos < t.record.size && !t.try.closed {
		return
	}
	t.lost = true
	t.record.clear()
}

// lend returns where the next bytes of the record belong, until giveBack; nil when they
// are not recorded. The caller may read from src.
func (t *Tape) lend() []byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.running {
		return nil
	}
	room := t.record.room(false)
	if room != nil {
		t.lent++
	}
	return room
}

// giveBack ends lend.
func (t *Tape) giveBack() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.lent--
	t.release()
}

// play copies what was recorded behind y's position, or says how the body
// ended. It reports false at the live edge, where src has to be read.
func (t *Tape) play(y *try, p []byte) (n int, err error, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case y != t.try || y.closed:
		return 0, errSuperseded, true
	case y.pos < t.record.size && !t.lost:
		n = copy(p, t.record.at(y.pos))
		y.pos += int64(n)
		t.release()
		return n, nil, true
	case len(t.late) > 0:
		n = copy(p, t.late)
		t.late = t.late[n:]
		return n, nil, true
	case t.err != nil:
		y.handOver()
		return 0, t.err, true
	default:
		t.asked = true
		return 0, nil, false
	}
}

// note takes down what y has just read from src.
func (t *Tape) note(y *try, p []byte, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err != nil {
		t.err = err
		y.handOver()
	}
	superseded := y != t.try || t.held != nil
	within := superseded || t.record.size+int64(len(p)) <= t.limit
	y.pos += int64(len(p))
	switch {
	case t.running && within && t.record.add(p, superseded):
	case superseded:
		t.late = bytes.Clone(p)
	default:
		t.full = t.full || t.running && within
		t.running, t.lost = false, true
		t.release()
	}
}
