package authproxytest

import (
	"bytes"
	"strings"
	"sync"
	"time"
)

// Output keeps what a process writes, for readers that come while it writes.
// The zero value is empty.
type Output struct {
	mu    sync.Mutex
	text  bytes.Buffer
	news  chan struct{}   // closed by the next Write; nil when nobody waits
	ended <-chan struct{} // closed after the last Write; nil when nobody tells
}

// Write implements [io.Writer]; it never fails.
func (o *Output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.news != nil {
		close(o.news)
		o.news = nil
	}
	return o.text.Write(b)
}

// String returns all that was written so far.
func (o *Output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// Await tells whether want is written before the process or the [Patience] ends.
func (o *Output) Await(want string) bool {
	deadline := time.After(Patience)
	for {
		found, news := o.look(want)
		if found {
			return true
		}
		select {
		case <-news:
		case <-o.ended:
			return strings.Contains(o.String(), want)
		case <-deadline:
			return false
		}
	}
}

// look searches for want, and returns what is closed when more has come.
func (o *Output) look(want string) (found bool, news <-chan struct{}) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.news == nil {
		o.news = make(chan struct{})
	}
	return strings.Contains(o.text.String(), want), o.news
}
