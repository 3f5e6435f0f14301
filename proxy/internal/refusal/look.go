package refusal

import (
	"errors"
	"io"
	"net/http"
	"time"

	"authproxy/internal/coding"
)

// lookQuiet is how long the beginning of a coded body must have nothing more behind
// it until it is decoded, though it has grown by little.
const lookQuiet = 2 * time.Millisecond

// look is a body that is watched while it arrives, for what it says of the token.
type look struct {
	ahead
	detector *Detector
	late     Late     // who is told; nil when it is known what the body says, or nobody asks
	labels   []string // of the codings of the content
	known    []string // these codings
	begun    bool     // they are known
	scan     scanner  // of the text, as far as it has been seen
	decoded  int      // bytes that were decoded last
	found    verdict  // of the whole value that scan has come to
}

// newLook begins to look into the body of resp.
func (d *Detector) newLook(resp *http.Response) *look {
	l := &look{detector: d, labels: resp.Header["Content-Encoding"], scan: scanner{begins: &d.begins}}
	l.open(resp, l)
	return l
}

// hold waits until it is known what the body says, for no longer than wait, and
// lets the body go on.
func (l *look) hold(wait time.Duration) (says verdict, known bool) {
	if seen, err := l.arrived(); err != nil {
		return l.judge(seen, err, true)
	}
	end := time.Now().Add(wait)
	timer := time.NewTimer(wait)
	defer timer.Stop()
	for {
		again := false
		select {
		case <-l.news:
		case <-timer.C:
			again = true
		}
		left := time.Until(end)
		seen, err := l.arrived()
		says, known = l.judge(seen, err, again || left <= 0)
		switch {
		case known:
			return says, true
		case left <= 0:
			// What would follow a whole value that no length and no end says to be
			// all would have come by now.
			return says, says != silent && l.length < 0
		}
		if len(l.known) > 0 && l.decoded != len(seen) {
			left = min(left, lookQuiet)
		}
		timer.Reset(left)
	}
}

// judge returns what seen says, which ended with err if that is not nil; known is
// false as long as more of it could change that. With again, what is coded is decoded
// in any case.
func (l *look) judge(seen []byte, err error, again bool) (says verdict, known bool) {
	if err != nil {
		return l.atEnd(seen, err), true
	}
	at, text := l.progress(seen, again)
	switch {
	case at == hopeless:
		return silent, true
	case at != whole:
		return silent, false
	case text != nil:
		l.found = l.detector.read(text)
	}
	return l.found, l.found == silent || l.complete(seen)
}

// atEnd is what a body that ended with err says.
func (l *look) atEnd(seen []byte, err error) verdict {
	if !errors.Is(err, io.EOF) || len(seen) > lookLimit {
		return silent
	}
	l.begin(seen, true)
	text, ok := coding.Decode(seen, l.known, lookLimit)
	if !ok {
		return silent
	}
	return l.detector.read(text)
}

// progress is how far what has arrived is one JSON value; what it is when it is
// decoded, or nil when that has not become another whole value. What is coded is
// decoded again when it has grown by half, so that small pieces do not cost more than
// they are.
func (l *look) progress(seen []byte, again bool) (progress, []byte) {
	if len(seen) > lookLimit {
		return hopeless, nil
	}
	if !l.begin(seen, false) {
		return nothing, nil
	}
	if len(l.known) == 0 {
		before := l.scan.state
		at := l.scan.follow(seen)
		if at == before {
			return at, nil
		}
		return at, seen
	}
	if len(seen) == l.decoded || !again && len(seen) < l.decoded+l.decoded/2 {
		return l.scan.state, nil
	}
	l.decoded = len(seen)
	text := coding.Begin(seen, l.known, lookLimit+1)
	if len(text) > lookLimit {
		return hopeless, nil
	}
	l.scan = scanner{begins: l.scan.begins}
	return l.scan.follow(text), text
}

// begin tells whether the codings of the body that begins with seen are known. They
// are when all of it has come.
func (l *look) begin(seen []byte, all bool) bool {
	switch {
	case l.begun:
	case all, len(seen) >= coding.Enough:
		l.known, l.begun = coding.Of(l.labels, seen), true
	case len(l.labels) == 0 && len(seen) > 0 && !maybeCoded(seen[0]):
		l.begun = true
	}
	return l.begun
}

// maybeCoded tells whether what is coded may begin with c, where no label says so: in
// gzip, zlib, or zstd with its frames to be skipped.
func maybeCoded(c byte) bool { return c == 0x1f || c == 'x' || c == '(' || 'P' <= c && c <= '_' }

// Read implements [io.Reader]. While it is not known what the body says, it goes on
// looking.
func (l *look) Read(p []byte) (int, error) {
	n, err := l.ahead.Read(p)
	if l.late == nil {
		return n, err
	}
	seen, ended := l.arrived()
	if err != nil {
		ended = err
	} else if ended != nil {
		return n, nil // it is told when it has been read
	}
	if says, known := l.judge(seen, ended, false); known {
		tell(l.late, says)
		l.late = nil
		l.release(false)
	}
	return n, err
}
