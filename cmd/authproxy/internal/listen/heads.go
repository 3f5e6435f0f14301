package listen

import (
	"bytes"
	"container/list"
	"net"
	"net/http"
	"sync"
)

const (
	// headFree is what a head may cost without being counted: that of nearly every
	// request. In bytes, as the following.
	headFree = 16 << 10
	// headsTogether is what those that cost more may cost together, on all listeners.
	headsTogether = 32 << 20
	// fieldCost is what a field costs besides its own bytes: its entry in a map.
	fieldCost = 256
)

// Heads bounds the memory of the heads of HTTP/1 requests, all together: it is given before
// anybody is known. What is beyond its bound cuts the connection whose head has been
// unfinished for longest, or else its own.
type Heads struct {
	cut func()

	mu         sync.Mutex
	used       int
	unfinished list.List // of *head, of those that are counted, the oldest first
}

// NewHeads returns the bound. cut is called for each connection that is cut.
func NewHeads(cut func()) *Heads { return &Heads{cut: cut} }

// ConnState is to be that of an [http.Server] whose connections are counted.
func ConnState(c net.Conn, state http.ConnState) {
	watched, ok := c.(interface{ watched() *watch })
	if !ok {
		return
	}
	switch w := watched.watched(); state {
	case http.StateIdle:
		w.head.again()
	case http.StateClosed, http.StateHijacked:
		w.head.end()
	}
}

// head is the head of the request that a connection is at.
type head struct {
	heads *Heads
	close func() error

	reading bool // until its end has been seen
	other   bool // this is not HTTP/1
	blank   bool // the line has nothing in it yet
	cost    int
	entered bool // into the account, in which others may have changed what follows

	// These belong to the account, and to who holds its lock.
	counted int           // of cost, among those of the others; below zero: it was cut
	place   *list.Element // nil unless it is unfinished and counted
}

// saw takes note of what was read.
func (h *head) saw(b []byte) {
	before := h.cost
	for h.reading && len(b) > 0 {
		at := bytes.IndexByte(b, '\n')
		if at < 0 {
			h.cost += len(b)
			h.blank = h.blank && len(bytes.Trim(b, "\r")) == 0
			break
		}
		line := b[:at+1]
		if h.blank && len(bytes.Trim(line, "\r\n")) == 0 {
			h.reading = false
		}
		h.blank = true
		h.cost += len(line) + fieldCost
		b = b[at+1:]
	}
	if h.cost > headFree && h.cost > before || !h.reading && h.entered {
		h.entered = true
		h.heads.count(h)
	}
}

// grew takes note of n bytes of which nobody knows yet what they are.
func (h *head) grew(n int) {
	if h.cost += n; h.cost > headFree {
		h.entered = true
		h.heads.count(h)
	}
}

// again begins a new head.
func (h *head) again() {
	if h.other {
		return
	}
	h.end()
	h.reading, h.blank, h.cost = true, true, 0
}

// end gives back what the head has cost.
func (h *head) end() {
	h.reading = false
	if !h.entered {
		return
	}
	h.entered = false
	h.heads.mu.Lock()
	defer h.heads.mu.Unlock()
	h.heads.forget(h)
}

// count counts what h costs now, and cuts the oldest where that is too much.
func (s *Heads) count(h *head) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if h.counted < 0 {
		return // it was cut
	}
	s.used += h.cost - h.counted
	h.counted = h.cost
	switch {
	case h.reading && h.place == nil:
		h.place = s.unfinished.PushBack(h)
	case !h.reading && h.place != nil:
		s.unfinished.Remove(h.place)
		h.place = nil
	}
	for s.used > headsTogether {
		oldest := h
		if first := s.unfinished.Front(); first != nil {
			oldest = first.Value.(*head)
		}
		s.forget(oldest)
		oldest.counted = -1
		_ = oldest.close()
		s.cut()
		if oldest == h {
			return
		}
	}
}

// forget takes h out of the account. s.mu is held.
func (s *Heads) forget(h *head) {
	if h.counted > 0 {
		s.used -= h.counted
		h.counted = 0
	}
	if h.place != nil {
		s.unfinished.Remove(h.place)
		h.place = nil
	}
}
