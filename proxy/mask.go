package proxy

import (
	"io"
	"net/http"
	"strings"
)

// maskBody puts asterisks in the place of the token in the body of resp, of the
// same number, so that no length changes. It is for answers that refuse the token
// and go to the client all the same; what is compressed passes as it is.
func maskBody(resp *http.Response, value string) {
	if resp.Body == nil || resp.Body == http.NoBody || value == "" || resp.Header.Get("Content-Encoding") != "" {
		return
	}
	resp.Body = newMask(resp.Body, value)
	if escaped := strings.ReplaceAll(value, "/", `\/`); escaped != value { // as some libraries write JSON
		resp.Body = newMask(resp.Body, escaped)
	}
}

// mask is a body in which a word is hidden. It holds back no more than what may
// become that word, in time in proportion to the body (Knuth, Morris, Pratt 1977).
type mask struct {
	io.ReadCloser
	word    string
	borders []int  // for each length, that of the longest beginning of word that ends there
	matched int    // bytes of word that the end of held is
	held    []byte // read, and not given away
	ready   int    // bytes of held that may be
	err     error
}

func newMask(body io.ReadCloser, word string) *mask {
	m := &mask{ReadCloser: body, word: word, borders: make([]int, len(word)+1)}
	for i := 1; i < len(word); i++ {
		m.borders[i+1] = m.step(m.borders[i], word[i])
	}
	return m
}

// step is how much of word is matched when c follows matched bytes of it.
func (m *mask) step(matched int, c byte) int {
	for matched > 0 && (matched == len(m.word) || m.word[matched] != c) {
		matched = m.borders[matched]
	}
	if m.word[matched] == c {
		matched++
	}
	return matched
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
	m.ready -= n
	return n, nil
}

// take goes on with what has been read.
func (m *mask) take(read []byte, err error) {
	for _, c := range read {
		m.held = append(m.held, c)
		if m.matched = m.step(m.matched, c); m.matched == len(m.word) {
			hidden := m.held[len(m.held)-len(m.word):]
			for i := range hidden {
				hidden[i] = '*'
			}
			m.matched = 0
		}
	}
	m.ready, m.err = len(m.held)-m.matched, err
	if err != nil {
		m.ready = len(m.held)
	}
}
