package replay

import "net/http"

// try is the body of one sending of the request.
type try struct {
	tape *Tape

	// Guarded by tape.mu.
	pos    int64         // bytes that it has read
	closed bool          // it reads no more
	gone   chan struct{} // closed then; nil while nobody has waited for that

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
	if !y.takeTurn() {
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
		case <-y.end():
			return 0, errSuperseded
		}
	}
	n, err := t.src.Read(p)
	t.note(y, p[:n], err)
	return n, err
}

// takeTurn waits until no other try reads from the client, and reports false
// when y is closed before.
func (y *try) takeTurn() bool {
	select {
	case y.tape.reading <- struct{}{}:
		return true
	default:
	}
	select {
	case y.tape.reading <- struct{}{}:
		return true
	case <-y.end():
		return false
	}
}

// end returns what is closed when y reads no more.
func (y *try) end() <-chan struct{} {
	y.tape.mu.Lock()
	defer y.tape.mu.Unlock()
	if y.gone == nil {
		y.gone = make(chan struct{})
		if y.closed {
			close(y.gone)
		}
	}
	return y.gone
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

// close has y read no more. tape.mu is held.
func (y *try) close() {
	if y.closed {
		return
	}
	y.closed = true
	if y.gone != nil {
		close(y.gone)
	}
}

// handOver gives the client's trailers on. tape.mu is held.
func (y *try) handOver() {
	for name := range y.trailer {
		y.trailer[name] = y.tape.trailer[name]
	}
}
