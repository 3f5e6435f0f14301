package refusal

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"
	"sync"
	"time"
)

// lookLimit bounds the error envelope that is looked for: a body announced as
// larger is never held back, and no more than this is ever decompressed.
const lookLimit = 64 << 10

// A body without a length is let go when it pauses: after lookQuiet if a whole
// JSON value has arrived, after lookGap in any case. An envelope is written in
// one piece; a stream comes as it comes.
const (
	lookQuiet = 2 * time.Millisecond
	lookGap   = 50 * time.Millisecond
)

// lookTime bounds the whole of a look at a body that keeps trickling.
const lookTime = 4 * lookGap

var byteOrderMark = []byte("\xef\xbb\xbf")

var lookBuffers = sync.Pool{New: func() any { return new([lookLimit + 1]byte) }}

// inBody tells whether the body of resp is an envelope that says that the
// token was refused.
func (d *Detector) inBody(resp *http.Response) bool {
	encoding, ok := worthALook(resp)
	if !ok {
		return false
	}
	look := &look{src: resp.Body, buf: lookBuffers.Get().(*[lookLimit + 1]byte)}
	resp.Body = look
	if resp.ContentLength >= 0 {
		look.fill(int(resp.ContentLength))
		return d.envelope(look.buf[:look.n], encoding)
	}
	return d.ahead(look, encoding)
}

// worthALook tells whether resp may be an envelope at all, and its encoding.
func worthALook(resp *http.Response) (encoding string, ok bool) {
	if resp.Body == nil || resp.Body == http.NoBody || resp.ContentLength == 0 || resp.ContentLength > lookLimit ||
		resp.StatusCode < 200 || resp.StatusCode == http.StatusNoContent || resp.StatusCode == http.StatusNotModified ||
		resp.Request != nil && resp.Request.Method == http.MethodHead {
		return "", false
	}
	if !isJSON(resp.Header.Get("Content-Type")) {
		return "", false
	}
	encoding = strings.ToLower(strings.TrimSpace(strings.Join(resp.Header["Content-Encoding"], ",")))
	return encoding, decodable(encoding)
}

// isJSON tells whether a body of this media type may be JSON. text/plain
// counts because some platforms label their errors so.
func isJSON(contentType string) bool {
	switch contentType { // the spellings of nearly every answer, without parsing
	case "application/json", "application/json; charset=utf-8", "application/json;charset=UTF-8":
		return true
	case "":
		return false
	}
	mediaType, _, err := mime.ParseMediaType(contentType)
	if err != nil && !errors.Is(err, mime.ErrInvalidMediaParameter) {
		mediaType, _, _ = strings.Cut(strings.ToLower(contentType), ";")
		mediaType = strings.TrimSpace(mediaType)
	}
	return mediaType == "application/json" || mediaType == "text/plain" || strings.HasSuffix(mediaType, "+json")
}

// envelope tells whether raw, a whole body, matches.
func (d *Detector) envelope(raw []byte, encoding string) bool {
	if isPlain(encoding) {
		return d.matches(raw)
	}
	doc, ok := decode(raw, encoding)
	return ok && d.matches(doc)
}

func isPlain(encoding string) bool { return encoding == "" || encoding == "identity" }

// ahead looks at a body without a length while it arrives, and lets go as soon
// as it can be no envelope any more.
func (d *Detector) ahead(l *look, encoding string) bool {
	l.start()
	defer l.release()
	plain := isPlain(encoding)
	began, latest := time.Now(), time.Now()
	timer := time.NewTimer(lookQuiet)
	defer timer.Stop()
	for {
		select {
		case <-l.news:
			seen, err := l.arrived()
			if err != nil {
				return d.envelope(seen, encoding)
			}
			if len(seen) > lookLimit || plain && !opensJSON(seen) {
				return false
			}
			latest = time.Now()
			timer.Reset(lookQuiet)
		case <-timer.C:
			if seen, _ := l.arrived(); plain && holdsValue(seen) {
				return d.matches(seen)
			}
			if time.Since(latest) >= lookGap {
				return false
			}
			timer.Reset(lookGap - time.Since(latest))
		}
		if time.Since(began) > lookTime {
			return false
		}
	}
}

// opensJSON tells whether text may be the beginning of an object or an array.
func opensJSON(text []byte) bool {
	text = bytes.TrimLeft(bytes.TrimPrefix(text, byteOrderMark), " \t\r\n")
	return len(text) == 0 || text[0] == '{' || text[0] == '['
}

// holdsValue tells whether text holds a whole JSON value, whatever follows it.
func holdsValue(text []byte) bool {
	var value json.RawMessage
	return json.NewDecoder(bytes.NewReader(bytes.TrimPrefix(text, byteOrderMark))).Decode(&value) == nil
}

// look is a body whose beginning has been read ahead. It brings the bytes as
// they came, then the rest. Close may be called while Read waits.
type look struct {
	src  io.ReadCloser
	buf  *[lookLimit + 1]byte
	news chan struct{} // something has arrived; cap 1; nil when read in one go

	mu       sync.Mutex
	n        int   // bytes of buf that have arrived
	pos      int   // bytes of buf that the reader of the body has got
	err      error // how src ended within buf
	released bool  // start's goroutine is to end
	running  bool  // it has not yet
}

// fill reads a body of want bytes whole.
func (l *look) fill(want int) {
	l.n, l.err = io.ReadFull(l.src, l.buf[:want])
	if errors.Is(l.err, io.EOF) {
		l.err = io.ErrUnexpectedEOF
	}
}

// start reads ahead in a goroutine that ends with the look: when release is
// called, when buf is full, or when the body ends.
func (l *look) start() {
	l.news, l.running = make(chan struct{}, 1), true
	go func() {
		for l.more() {
		}
	}()
}

// more reads once into buf and tells whether to go on.
func (l *look) more() bool {
	n, err := l.src.Read(l.buf[l.n:]) // only written here while running
	l.mu.Lock()
	l.n, l.err = l.n+n, err
	l.running = err == nil && !l.released && l.n < len(l.buf)
	running := l.running
	l.mu.Unlock()
	select {
	case l.news <- struct{}{}:
	default:
	}
	return running
}

// arrived returns what has arrived so far, and how the body ended if it did.
func (l *look) arrived() ([]byte, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf[:l.n], l.err
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
		case n > 0 || err != nil:
			return n, err
		case !running:
			return l.src.Read(p)
		default:
			<-l.news
		}
	}
}

// play copies what has been read ahead, or says how the body ended.
func (l *look) play(p []byte) (n int, err error, running bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.buf != nil && l.pos < l.n {
		n = copy(p, l.buf[l.pos:l.n])
		l.pos += n
		return n, nil, l.running
	}
	return 0, l.err, l.running
}

// Close implements [io.Closer].
func (l *look) Close() error {
	err := l.src.Close()
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.running && l.buf != nil { // else the goroutine may yet write into it
		lookBuffers.Put(l.buf)
		l.buf, l.err = nil, io.ErrClosedPipe
	}
	return err
}
