package refusal

import (
	"errors"
	"io"
	"net/http"
	"sync"
	"time"

	"authproxy/internal/coding"
)

// lookQuiet is for how long a whole value that is a refusal must have nothing
// behind it, where no length says so: an envelope is written in one piece.
const lookQuiet = 2 * time.Millisecond

// firstRead is the size in bytes of the buffer of most looks.
const firstRead = 4 << 10

var firstBuffers = sync.Pool{New: func() any { return new([firstRead]byte) }}

// inBody looks into the body of resp while it arrives, and lets it go as soon as it
// cannot matter any more, or when its time is over.
func (d *Detector) inBody(resp *http.Response, late Late) verdict {
	l := &look{
		src: resp.Body, first: firstBuffers.Get().(*[firstRead]byte), length: resp.ContentLength,
		detector: d, late: late, known: coding.Known(resp.Header["Content-Encoding"]),
		scan: scanner{begins: &d.begins}, news: make(chan struct{}, 1),
	}
	l.buf = l.first[:0]
	resp.Body = l
	l.start()
	defer l.release()
	return l.hold(d.wait)
}

// look is a body whose beginning has been read ahead. It brings the bytes as
// they came, then the rest. Close may be called while Read waits.
type look struct {
	src      io.ReadCloser
	length   int64 // announced; -1 for none
	detector *Detector
	known    []string // content codings
	scan     scanner  // of the text, as far as it has been seen
	decoded  int      // bytes of buf that were decoded last
	late     Late     // nil when it is known what the body says
	news     chan struct{}

	mu       sync.Mutex
	first    *[firstRead]byte // of the pool; nil after Close
	buf      []byte           // what has arrived
	pos      int              // bytes of buf that the reader of the body has got
	err      error            // how src ended within buf
	released bool             // start's goroutine is to end
	running  bool             // it has not yet
}

// hold waits until it is known what the body says, for no longer than wait.
func (l *look) hold(wait time.Duration) verdict {
	began, timer := time.Now(), time.NewTimer(wait)
	defer timer.Stop()
	found := silent
	for {
		select {
		case <-l.news:
			seen, err := l.arrived()
			if err != nil {
				return l.atEnd(seen, err)
			}
			at, text := l.progress(seen)
			if found = silent; at == whole {
				found = l.detector.read(text)
			}
			if at == hopeless || at == whole && found == silent {
				l.late = nil
				return silent
			}
			if found != silent || len(l.known) > 0 {
				timer.Reset(min(lookQuiet, wait-time.Since(began)))
			}
		case <-timer.C:
			if l.quiet(found) {
				return found
			}
			left := wait - time.Since(began)
			if left <= 0 {
				return silent
			}
			timer.Reset(left)
		}
	}
}

// quiet looks at what has arrived when nothing more has for a while: it tells
// whether found is what the body says. What is coded is then decoded once more.
func (l *look) quiet(found verdict) bool {
	seen, err := l.arrived()
	switch {
	case err != nil: // it has ended, which is news
	case found == silent && len(l.known) > 0 && l.decoded != len(seen):
		l.decoded = 0
		notify(l.news)
	case found != silent && int64(len(seen)) >= l.length:
		l.late = nil
		return true
	}
	return false
}

// atEnd is what a body that ended with err says.
func (l *look) atEnd(seen []byte, err error) verdict {
	l.late = nil
	if !errors.Is(err, io.EOF) || len(seen) > lookLimit {
		return silent
	}
	text, ok := coding.Decode(seen, l.known, lookLimit)
	if !ok {
		return silent
	}
	return l.detector.read(text)
}

// progress is how far what has arrived is one JSON value, and what it is when it
// is decoded. What is coded is decoded again when it has grown by half, so that
// small pieces do not cost more than they are.
func (l *look) progress(seen []byte) (progress, []byte) {
	if len(seen) > lookLimit {
		return hopeless, nil
	}
	if len(l.known) == 0 {
		return l.scan.follow(seen), seen
	}
	if len(seen) < l.decoded+l.decoded/2 {
		return partly, nil
	}
	l.decoded = len(seen)
	text := coding.Begin(seen, l.known, lookLimit+1)
	if len(text) > lookLimit {
		return hopeless, nil
	}
	again := scanner{begins: l.scan.begins}
	return again.follow(text), text
}

// start reads ahead in a goroutine that ends with the look: when release is
// called, when there is more than lookLimit, or when the body ends.
func (l *look) start() {
	l.running = true
	go func() {
		for l.more() {
		}
	}()
}

// more reads once behind what has arrived and tells whether to go on.
func (l *look) more() bool {
	room := l.buf[len(l.buf):cap(l.buf)] // buf is only written here while running
	if len(room) == 0 {
		room = make([]byte, cap(l.buf))
	}
	n, err := l.src.Read(room)
	l.mu.Lock()
	if cap(l.buf)-len(l.buf) >= n && cap(l.buf) > len(l.buf) {
		l.buf = l.buf[:len(l.buf)+n]
	} else {
		l.buf = append(l.buf, room[:n]...)
	}
	if err == io.EOF && int64(len(l.buf)) < l.length {
		err = io.ErrUnexpectedEOF
	}
	l.err = err
	l.running = err == nil && !l.released && len(l.buf) <= lookLimit
	running := l.running
	l.mu.Unlock()
	notify(l.news)
	return running
}

func notify(news chan<- struct{}) {
	select {
	case news <- struct{}{}:
	default:
	}
}

// arrived returns what has arrived so far, and how the body ended if it did.
func (l *look) arrived() ([]byte, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf, l.err
}

// Arrived tells whether body is known to have come to its end.
func Arrived(body io.ReadCloser) bool {
	l, ok := body.(*look)
	if !ok {
		return body == http.NoBody
	}
	seen, err := l.arrived()
	return err != nil || l.length >= 0 && int64(len(seen)) >= l.length
}

func (l *look) release() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.released = true
}

// Read implements [io.Reader].
func (l *look) Read(p []byte) (int, error) {
	for {
		n, err, running := l.play(p)
		switch {
		case n > 0:
			return n, nil
		case err != nil:
			l.ended(err)
			return 0, err
		case !running:
			return l.readOn(p)
		default:
			<-l.news
		}
	}
}

// play copies what has been read ahead, or says how the body ended.
func (l *look) play(p []byte) (n int, err error, running bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.pos < len(l.buf) {
		n = copy(p, l.buf[l.pos:])
		l.pos += n
		return n, nil, l.running
	}
	return 0, l.err, l.running
}

// readOn reads what comes after the look, and goes on looking at it in passing
// while it may yet be a refusal.
func (l *look) readOn(p []byte) (int, error) {
	n, err := l.src.Read(p)
	if l.late == nil {
		return n, err
	}
	l.mu.Lock()
	if l.first != nil {
		l.buf = append(l.buf, p[:n]...)
		l.pos = len(l.buf)
	}
	seen := l.buf
	l.mu.Unlock()
	if at, _ := l.progress(seen); at == hopeless {
		l.late = nil
	}
	if err != nil {
		l.ended(err)
	}
	return n, err
}

// ended tells of a refusal that was recognized only now.
func (l *look) ended(err error) {
	if l.late == nil {
		return
	}
	late := l.late
	seen, _ := l.arrived()
	if l.atEnd(seen, err) == refuses {
		late.TooLate()
	}
}

// Close implements [io.Closer].
func (l *look) Close() error {
	err := l.src.Close()
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.running && l.first != nil { // else the goroutine may yet write into it
		firstBuffers.Put(l.first)
		l.first, l.buf, l.pos, l.err = nil, nil, 0, io.ErrClosedPipe
	}
	return err
}
