package refusal

import (
	"io"
	"maps"
	"net/http"
	"sync"
)

// firstRead is the size in bytes of the buffer of most looks.
const firstRead = 4 << 10

var firstBuffers = sync.Pool{New: func() any { return new([firstRead]byte) }}

// ahead is a body whose beginning is read by a goroutine of its own, up to a little
// more than lookLimit; at once, when a method AtHand tells that reading does not wait. Read brings the bytes as they came, then the rest. Close may
// be called while Read waits.
type ahead struct {
	src    io.ReadCloser
	from   *http.Response // whose body src is: it has the values of trailers when src has ended
	passed *http.Response // what goes to the client; from where no trailers can come
	length int64          // announced; -1 for none
	news   chan struct{}  // has something when there is something new
	follow bool           // what is read on is added to buf

	mu       sync.Mutex
	first    *[firstRead]byte // of the pool; nil after Close
	buf      []byte           // what has arrived
	pos      int              // bytes of buf that the reader of the body has got
	err      error            // how src ended within buf
	released bool             // the goroutine is to end
	running  bool             // it has not yet
}

// open begins to read ahead in the body of resp. The transport writes into resp when
// the body's trailers come, which may now be at any time: passed is then a copy.
func (a *ahead) open(resp *http.Response, body io.ReadCloser) {
	a.src, a.from, a.passed, a.length = resp.Body, resp, resp, resp.ContentLength
	a.news = make(chan struct{}, 1)
	a.first = firstBuffers.Get().(*[firstRead]byte)
	a.buf = a.first[:0]
	if resp.ProtoMajor > 1 || resp.ContentLength < 0 || resp.Trailer != nil {
		passed := *resp
		passed.Trailer = maps.Clone(resp.Trailer)
		a.passed = &passed
	}
	a.passed.Body = body
	a.running = true
	if near, ok := a.src.(interface{ AtHand() bool }); ok && near.AtHand() {
		for a.more() {
		}
		return
	}
	go func() {
		for a.more() {
		}
	}()
}

// more reads once behind what has arrived and tells whether to go on.
func (a *ahead) more() bool {
	room := a.buf[len(a.buf):cap(a.buf)] // buf is only written here while running
	if len(room) == 0 {
		room = make([]byte, cap(a.buf))
	}
	n, err := a.src.Read(room)
	a.mu.Lock()
	if cap(a.buf)-len(a.buf) >= n && cap(a.buf) > len(a.buf) {
		a.buf = a.buf[:len(a.buf)+n]
	} else {
		a.buf = append(a.buf, room[:n]...)
	}
	if err == io.EOF && int64(len(a.buf)) < a.length {
		err = io.ErrUnexpectedEOF
	}
	a.err = err
	a.running = err == nil && !a.released && len(a.buf) <= lookLimit
	running := a.running
	a.mu.Unlock()
	select {
	case a.news <- struct{}{}:
	default:
	}
	return running
}

// arrived returns what has arrived so far, and how the body ended if it did.
func (a *ahead) arrived() ([]byte, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.buf, a.err
}

// complete tells whether seen is all that was announced.
func (a *ahead) complete(seen []byte) bool { return a.length >= 0 && int64(len(seen)) >= a.length }

// release ends reading ahead; with follow, what is read on is kept.
func (a *ahead) release(follow bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.released, a.follow = true, follow
}

// Read implements [io.Reader].
func (a *ahead) Read(p []byte) (int, error) {
	for {
		n, err, running := a.play(p)
		if n == 0 && err == nil {
			if running {
				<-a.news
				continue
			}
			n, err = a.readOn(p)
		}
		if err != nil && a.passed != a.from {
			a.trailers()
		}
		return n, err
	}
}

// play copies what has been read ahead, or says how the body ended.
func (a *ahead) play(p []byte) (n int, err error, running bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.pos < len(a.buf) {
		n = copy(p, a.buf[a.pos:])
		a.pos += n
		return n, nil, a.running
	}
	return 0, a.err, a.running
}

// readOn reads what comes after the look.
func (a *ahead) readOn(p []byte) (int, error) {
	n, err := a.src.Read(p)
	if !a.follow {
		return n, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.first != nil {
		a.buf = append(a.buf, p[:n]...)
		a.pos = len(a.buf)
	}
	return n, err
}

// trailers copies the trailers that have come, for who reads the body.
func (a *ahead) trailers() {
	if a.passed.Trailer == nil && len(a.from.Trailer) > 0 {
		a.passed.Trailer = make(http.Header, len(a.from.Trailer))
	}
	maps.Copy(a.passed.Trailer, a.from.Trailer)
}

// Close implements [io.Closer].
func (a *ahead) Close() error {
	err := a.src.Close()
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.running && a.first != nil { // else the goroutine may yet write into it
		firstBuffers.Put(a.first)
		a.first, a.buf, a.pos, a.err = nil, nil, 0, io.ErrClosedPipe
	}
	return err
}

// Arrived tells whether body is known to have come to its end.
func Arrived(body io.ReadCloser) bool {
	l, ok := body.(*look)
	if !ok {
		return body == http.NoBody
	}
	seen, err := l.arrived()
	return err != nil || l.complete(seen)
}
