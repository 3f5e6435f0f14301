package platformtest

import (
	"bytes"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// Fault is an answer, or none, that a [Platform] gives instead of its own. The
// zero value is an empty 200.
type Fault struct {
	// Status is the HTTP status; 200 when zero.
	Status int
	// Header are the answer's headers; Content-Type is application/json when
	// it is not among them.
	Header http.Header
	// Body is the answer's body.
	Body string
	// Delay passes before anything else happens.
	Delay time.Duration
	// Hang: no answer, until the client leaves or the fault is replaced; then
	// the connection is closed.
	Hang bool
	// Close: the connection is closed instead of an answer.
	Close bool
	// Truncate: the announced Content-Length is larger than Body by one, and
	// the connection is closed after Body.
	Truncate bool
	// EndlessBody: after Body come spaces without end, until the client leaves
	// or the fault is replaced.
	EndlessBody bool
	// Drip passes before each byte of Body, and between the spaces of an EndlessBody.
	Drip time.Duration
	// Times is how many requests meet the fault; zero: all, until it is replaced.
	Times int
}

// ailment is a fault in use.
type ailment struct {
	Fault
	met  int
	over chan struct{} // closed when the fault is replaced
}

// SetAPIFault makes the API answer every request with f, before the token is
// looked at, until it is called again; nil ends it.
func (p *Platform) SetAPIFault(f *Fault) { p.setFault(&p.knobs.apiFault, f) }

// SetTokenFault makes the endpoints that hand out tokens answer every request
// with f until it is called again; nil ends it.
func (p *Platform) SetTokenFault(f *Fault) { p.setFault(&p.knobs.tokenFault, f) }

func (p *Platform) setFault(slot **ailment, f *Fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if *slot != nil {
		close((*slot).over)
	}
	*slot = nil
	if f != nil {
		*slot = &ailment{Fault: *f, over: make(chan struct{})}
		(*slot).Header = f.Header.Clone()
	}
}

func (p *Platform) takeFault(slot **ailment) *ailment {
	p.mu.Lock()
	defer p.mu.Unlock()
	f := *slot
	if f == nil || f.Times > 0 && f.met >= f.Times {
		return nil
	}
	f.met++
	p.counts.Faulted++
	return f
}

func (p *Platform) play(w http.ResponseWriter, r *http.Request, seen *Seen, f *ailment, how transfer) {
	if f.Hang {
		// Only a server that has read the whole body notices that its client left.
		p.readBody(r, seen, noLimit)
		select {
		case <-r.Context().Done():
		case <-f.over:
		}
		panic(http.ErrAbortHandler)
	}
	p.beforeBody(w, r, seen, how, func() {
		pause(r, f.Delay)
		if f.Close {
			panic(http.ErrAbortHandler)
		}
		f.answer(w, r, how)
	})
}

// pause waits for d; a client that leaves meanwhile gets no answer.
func pause(r *http.Request, d time.Duration) {
	if d <= 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-r.Context().Done():
		panic(http.ErrAbortHandler)
	}
}

func (f *ailment) answer(w http.ResponseWriter, r *http.Request, how transfer) {
	body := []byte(f.Body)
	h := w.Header()
	h.Set("Content-Type", "application/json")
	maps.Copy(h, f.Header)
	if how.encoding != "" && !f.EndlessBody {
		body = encode(body, how.encoding)
		h.Set("Content-Encoding", how.encoding)
	}
	switch {
	case f.Truncate:
		h.Set("Content-Length", strconv.Itoa(len(body)+1))
	case !how.chunked && !f.EndlessBody:
		h.Set("Content-Length", strconv.Itoa(len(body)))
	}
	w.WriteHeader(max(f.Status, http.StatusOK))
	if how.chunked {
		_ = http.NewResponseController(w).Flush()
	}
	f.drip(w, r, body)
	if f.Truncate {
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
	if f.EndlessBody {
		f.flood(w, r)
	}
}

func (f *ailment) drip(w http.ResponseWriter, r *http.Request, body []byte) {
	if f.Drip <= 0 {
		_, _ = w.Write(body)
		return
	}
	control := http.NewResponseController(w)
	for piece := range slices.Chunk(body, 1) {
		_ = control.Flush()
		pause(r, f.Drip)
		_, _ = w.Write(piece)
	}
}

func (f *ailment) flood(w io.Writer, r *http.Request) {
	spaces := bytes.Repeat([]byte(" "), 4096)
	for {
		select {
		case <-r.Context().Done():
			return
		case <-f.over:
			return
		default:
		}
		pause(r, f.Drip)
		if _, err := w.Write(spaces); err != nil {
			return
		}
	}
}
