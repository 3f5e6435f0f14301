package proc

import (
	"io"
	"regexp"
	"sync"
)

var address = regexp.MustCompile(`http://127\.0\.0\.1:\d+/`)

// listener finds the first address in what is written to it.
type listener struct {
	found chan string

	mu   sync.Mutex
	text []byte
	done bool
}

// Write implements [io.Writer].
func (l *listener) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.done {
		return len(p), nil
	}
	l.text = append(l.text, p...)
	if url := address.Find(l.text); url != nil {
		l.done = true
		l.found <- string(url)
	}
	return len(p), nil
}

// tail keeps the end of what goes through it.
type tail struct {
	to   io.Writer
	text []byte // read it when the program has ended
}

// Write implements [io.Writer].
func (t *tail) Write(p []byte) (int, error) {
	const kept = 2048
	t.text = append(t.text, p...)
	t.text = t.text[max(0, len(t.text)-kept):]
	return t.to.Write(p)
}
