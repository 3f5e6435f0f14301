package refusal

import "bytes"

// progress is how far a text is one JSON value.
type progress int

const (
	nothing  progress = iota // no byte of it yet
	partly                   // its beginning
	whole                    // all of it, and nothing but white space behind it
	hopeless                 // it is none that matters: something else, or with something behind it
)

// scanner follows a JSON value while it arrives, each byte once. It knows as much
// of the syntax as tells where the value ends.
type scanner struct {
	begins *[256]bool // what the value may begin with
	state  progress
	read   int // bytes that it has followed
	depth  int
	scalar bool // a number or a literal, which has no end of its own
	text   bool // within a string
	escape bool // behind a backslash
	opened bool // the last byte has opened an object
}

// follow goes on with text, which begins with what it was given before.
func (s *scanner) follow(text []byte) progress {
	if s.read == 0 {
		switch {
		case bytes.HasPrefix(text, byteOrderMark):
			s.read = len(byteOrderMark)
		case len(text) < len(byteOrderMark) && bytes.HasPrefix(byteOrderMark, text):
			return nothing
		}
	}
	for ; s.read < len(text) && s.state != hopeless; s.read++ {
		s.next(text[s.read])
	}
	return s.state
}

func (s *scanner) next(c byte) {
	blank := c == ' ' || c == '\t' || c == '\r' || c == '\n'
	switch {
	case s.text:
		s.inText(c)
	case blank:
		if s.scalar && s.state == partly {
			s.state = whole
		}
	case s.state == whole, s.state == nothing && !s.begins[c], s.opened && c != '"' && c != '}':
		s.state = hopeless
	case s.scalar:
	default:
		s.structure(c)
	}
	if !blank {
		s.opened = c == '{' && !s.text && s.state == partly
	}
}

// inText is a byte within a string.
func (s *scanner) inText(c byte) {
	switch {
	case s.escape:
		s.escape = false
	case c == '\\':
		s.escape = true
	case c == '"':
		s.text = false
		s.close()
	}
}

// structure is a byte that is neither in a string nor blank.
func (s *scanner) structure(c byte) {
	began := s.state == nothing
	s.state = partly
	switch c {
	case '"':
		s.text = true
	case '{', '[':
		s.depth++
	case '}', ']':
		s.depth--
		s.close()
	default:
		s.scalar = began
	}
}

// close is the end of a value, which may be that of the whole.
func (s *scanner) close() {
	if s.depth <= 0 {
		s.state = whole
	}
}
