package replay

import (
	"net/http"
	"sync"
)

// try is the body of one sending of the request.
type try struct {
	tape   *Tape
	pos    int64 // bytes that it has read; guarded by tape.mu
	once   sync.Once
	closed chan struct{}

	// trailer holds the announced names, and gets their values before Read
	// reports the end: that is when the transport looks.
	trailer http.Header
}

// Read implements [io.Reader] for the transport.
func (y *try) Read(p []byte) (int, error) {
	t := y.tape
	if n, err, ok := t.play(y, p); ok {
		return n, err
	}
	select {
	case t.reading <- struct{}{}:
	case <-y.closed:
		return 0, errSuperseded
	}
	defer func() { <-t.reading }()
	for {
		if n, err, ok := t.play(y, p); ok { // the try before this one has read meanwhile
			return n, err
		}
		held := t.holding()
		if held == nil {
			break
		}
		select {
		case <-held:
		case <-y.closed:
			return 0, errSuperseded
		}
	}
	n, err := t.src.Read(p)
	t.note(y, p[:n], err)
	return n, err
}

// Close ends the try. It leaves the client's body alone, which another try or
// the server may still read.
func (y *try) Close() error {
	t := y.tape
	t.mu.Lock()
	defer t.mu.Unlock()
	y.close()
	t.release()
	return nil
}

// end hands the client's trailers on. tape.mu is held.
func (y *try) end() {
	for name := range y.trailer {
		y.trailer[name] = y.tape.trailer[name]
	}
}

func (y *try) close() { y.once.Do(func() { close(y.closed) }) }

func (y *try) isClosed() bool {
	select {
	case <-y.closed:
		return true
	default:
		return false
	}
}
