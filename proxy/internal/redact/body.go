package redact

import "io"

// Body is body with asterisks in the place of each token of that value, of the same
// number as its bytes there, so that no length changes. It holds back no more than
// what may become that token.
func Body(body io.ReadCloser, value string) io.ReadCloser {
	if value == "" {
		return body
	}
	m := &mask{ReadCloser: body, finder: newFinder(value, true)}
	m.finder.found = m.hide
	return m
}

type mask struct {
	io.ReadCloser
	finder *finder
	held   []byte // read, and not given away
	taken  int    // bytes before those
	ready  int    // bytes of held that may be given away
	err    error
}

func (m *mask) hide(start, end int) {
	for i := start - m.taken; i < end-m.taken; i++ {
		m.held[i] = '*'
	}
}

// Read implements [io.Reader].
func (m *mask) Read(p []byte) (int, error) {
	for m.ready == 0 {
		if m.err != nil {
			return 0, m.err
		}
		if len(p) == 0 {
			return 0, nil
		}
		n, err := m.ReadCloser.Read(p)
		m.take(p[:n], err)
	}
	n := copy(p, m.held[:m.ready])
	m.held = m.held[:copy(m.held, m.held[n:])]
	m.taken += n
	m.ready -= n
	return n, nil
}

// take goes on with what has been read.
func (m *mask) take(read []byte, err error) {
	at := m.taken + len(m.held)
	m.held = append(m.held, read...)
	for i, c := range read {
		m.finder.feed(0, unit{c, at + i, at + i + 1})
	}
	length := m.taken + len(m.held)
	if m.err = err; err != nil {
		m.finder.end()
		m.ready = len(m.held)
		return
	}
	m.ready = m.finder.open(length) - m.taken
}
