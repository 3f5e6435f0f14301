package redact

import (
	"html"
	"strings"
)

// leads are what escapes begin with.
const leads = `%\&`

// rounds is how often all kinds of escapes are undone: one within another, as in
// JSON that holds a link in HTML.
const rounds = 2

// other stands for an escaped character that is in no token.
const other = 0xff

// chain undoes the escapes in a text, byte by byte.
type chain struct {
	layers []layer
	out    func(unit)
}

// layer undoes one kind of escapes, also of its own lead, however often that is
// escaped.
type layer struct {
	lead   byte
	decode func(text []byte) (c byte, n int, more bool)
	begun  []unit // what may be the beginning of an escape
	text   []byte // the bytes of begun
}

func newChain() chain {
	var c chain
	for range rounds {
		c.layers = append(c.layers, layer{lead: '%', decode: percent}, layer{lead: '\\', decode: backslash}, layer{lead: '&', decode: entity})
	}
	return c
}

// plain returns text with its escapes undone.
func plain(text string) string {
	var b strings.Builder
	c := newChain()
	c.out = func(u unit) { b.WriteByte(u.c) }
	for i := range len(text) {
		c.feed(0, unit{c: text[i]})
	}
	c.flush()
	return b.String()
}

// feed gives u to the layer at level.
func (c *chain) feed(level int, u unit) {
	if level == len(c.layers) {
		c.out(u)
		return
	}
	l := &c.layers[level]
	if len(l.begun) == 0 && u.c != l.lead {
		c.feed(level+1, u)
		return
	}
	l.begun = append(l.begun, u)
	c.settle(level, false)
}

// settle passes on what has begun at level and is known; at the end of the text, all.
func (c *chain) settle(level int, end bool) {
	l := &c.layers[level]
	for len(l.begun) > 0 {
		n := 0
		if l.begun[0].c == l.lead {
			var decoded byte
			var more bool
			if decoded, n, more = l.decode(l.bytes()); more && !end {
				return
			}
			if n > 1 {
				l.begun[n-1] = unit{decoded, l.begun[0].start, l.begun[n-1].end}
				l.drop(n - 1)
				if decoded == l.lead {
					continue // of another escape, it may be
				}
			}
		}
		u := l.begun[0]
		l.drop(1)
		c.feed(level+1, u)
	}
}

func (l *layer) drop(n int) { l.begun = l.begun[:copy(l.begun, l.begun[n:])] }

func (l *layer) bytes() []byte {
	l.text = l.text[:0]
	for _, u := range l.begun {
		l.text = append(l.text, u.c)
	}
	return l.text
}

// flush is the end of the text.
func (c *chain) flush() {
	for level := range c.layers {
		c.settle(level, true)
	}
}

// waiting returns where what has not come out begins, in a text of that length.
func (c *chain) waiting(length int) int {
	for level := len(c.layers) - 1; level >= 0; level-- {
		if begun := c.layers[level].begun; len(begun) > 0 {
			return begun[0].start
		}
	}
	return length
}

// percent decodes an octet of RFC 3986 section 2.1. n is how long it is, 0 for none;
// more tells that it cannot be told yet.
func percent(text []byte) (c byte, n int, more bool) { return inHex(text, 1, 2) }

// backslash decodes an escape of a string in JSON or JavaScript.
func backslash(text []byte) (c byte, n int, more bool) {
	if len(text) < 2 {
		return 0, 0, true
	}
	switch text[1] {
	case '\\', '/', '"', '\'':
		return text[1], 2, false
	case 'u':
		return inHex(text, 2, 4)
	case 'x':
		return inHex(text, 2, 2)
	default:
		return 0, 0, false
	}
}

// inHex decodes what is written in that many hexadecimal digits behind the first
// bytes of text.
func inHex(text []byte, behind, digits int) (c byte, n int, more bool) {
	value := 0
	for i := behind; i < behind+digits; i++ {
		if i == len(text) {
			return 0, 0, true
		}
		d := hexDigit(text[i])
		if d < 0 {
			return 0, 0, false
		}
		value = value<<4 | d
	}
	if value > 0x7f {
		return other, behind + digits, false
	}
	return byte(value), behind + digits, false
}

func hexDigit(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return int(c|0x20-'a') + 10
	}
	return -1
}

// longestEntity is the length in bytes of the longest reference that is decoded.
const longestEntity = 14

// entity decodes a character reference of HTML with its semicolon.
func entity(text []byte) (c byte, n int, more bool) {
	for i := 1; i < min(len(text), longestEntity); i++ {
		switch {
		case text[i] == ';':
			decoded := html.UnescapeString(string(text[:i+1]))
			switch {
			case len(decoded) == 1:
				return decoded[0], i + 1, false
			case decoded == string(text[:i+1]):
				return 0, 0, false
			default:
				return other, i + 1, false
			}
		case text[i] != '#' && !isAlphanumeric(text[i]):
			return 0, 0, false
		}
	}
	return 0, 0, len(text) < longestEntity
}
