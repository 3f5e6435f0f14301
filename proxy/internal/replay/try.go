package replay

import (
	"cmp"
	"io"
	"net/http"
)

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

// Read implements [io.Reader].
func (y *try) Read(p []byte) (int, error) {
	n, err, ok := y.mayRead(p)
	if ok {
		return n, err
	}
	defer func() { <-y.tape.reading }()
	n, err = y.tape.src.Read(p)
	y.tape.note(y, p[:n], err)
	return n, err
}

// WriteTo implements [io.WriterTo]: what is recorded goes out from where it is kept.
func (y *try) WriteTo(w io.Writer) (sum int64, err error) {
	buf := pieces.Get().(*[pieceSize]byte)
	defer pieces.Put(buf)
	for err == nil {
		var n int
		n, err = y.pass(w, buf[:])
		sum += int64(n)
	}
	if err == io.EOF {
		err = nil
	}
	return sum, err
}

// pass writes the next bytes to w, by way of buf where the record has no room.
func (y *try) pass(w io.Writer, buf []byte) (written int, err error) {
	t := y.tape
	n, err, ok := y.mayRead(buf)
	p := buf
	if !ok {
		if room := t.lend(); room != nil {
			p = room
			defer t.giveBack()
		}
		n, err = t.src.Read(p)
		t.note(y, p[:n], err)
		<-t.reading
	}
	if n == 0 {
		return 0, err
	}
	written, failed := w.Write(p[:n])
	return written, cmp.Or(failed, err)
}

// mayRead copies what there is to p, or says how the body ended. It reports false when
// y may read from the client: y then has its turn, until it takes from tape.reading.
func (y *try) mayRead(p []byte) (n int, err error, ok bool) {
	t := y.tape
	if n, err, ok := t.play(y, p); ok {
		return n, err, true
	}
	if !y.takeTurn() {
		return 0, errSuperseded, true
	}
	for {
		if n, err, ok := t.play(y, p); ok { // the try before this one has read meanwhile
			<-t.reading
			return n, err, true
		}
		held := t.holding()
		if held == nil {
			return 0, nil, false
		}
		select {
		case <-held:
		case <-y.end():
			<-t.reading
			return 0, errSuperseded, true
		}
	}
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
