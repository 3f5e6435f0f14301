package http1

import (
	"bufio"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// conn is a connection, which has one request at a time.
type conn struct {
	net.Conn
	transport *Transport
	r         *bufio.Reader
	w         *bufio.Writer
	out       sender // under w
	tls       *tls.ConnectionState
	left      int64     // bytes that may yet be read, while a header is
	used      bool      // an answer came by it before
	era       int       // of the transport when it was made
	since     time.Time // it is idle
}

var errHeaderTooLarge = errors.New("http1: the header of the answer is too large")

// Read implements [io.Reader], within the limit of a header.
func (c *conn) Read(p []byte) (int, error) {
	if c.left <= 0 {
		return 0, errHeaderTooLarge
	}
	n, err := c.Conn.Read(p[:min(int64(len(p)), c.left)])
	c.left -= int64(n)
	return n, err
}

const noLimit = 1<<63 - 1

// usable tells whether c, which is idle, may take a request: nothing has come, and
// it is open.
func (c *conn) usable() bool {
	if c.r.Buffered() != 0 {
		return false
	}
	empty := silent(c.under())
	if secure, ok := c.Conn.(*tls.Conn); ok {
		return quiet(secure, empty)
	}
	return empty
}

// under is c without TLS.
func (c *conn) under() net.Conn {
	if secure, ok := c.Conn.(*tls.Conn); ok {
		return secure.NetConn()
	}
	return c.Conn
}

// aMoment is how long what has come by TLS is read for: all of it is there.
const aMoment = time.Millisecond

// quiet tells whether the other side has neither sent data by c nor ended its side:
// below TLS it may have said so in what was read with the last answer, and what waits
// there, unless it is empty, may be but a session ticket.
func quiet(c *tls.Conn, empty bool) bool {
	until := aLongTimeAgo
	if !empty {
		until = time.Now().Add(aMoment)
	}
	if c.SetReadDeadline(until) != nil {
		return false
	}
	var one [1]byte
	n, err := c.Read(one[:])
	return n == 0 && errors.Is(err, os.ErrDeadlineExceeded) && c.SetReadDeadline(time.Time{}) == nil
}

// aLongTimeAgo is a deadline by which nothing is read off a socket.
var aLongTimeAgo = time.Unix(1, 0)

// sender writes to a connection and notes how that went.
type sender struct {
	net.Conn
	err error
	any bool // something was written
}

// Write implements [io.Writer].
func (s *sender) Write(p []byte) (int, error) {
	n, err := s.Conn.Write(p)
	s.any = s.any || n > 0
	if err != nil {
		s.err = err
	}
	return n, err
}

// ReadFrom implements [io.ReaderFrom], by which a body goes out as it comes, and by
// which one that can write itself does.
func (s *sender) ReadFrom(r io.Reader) (int64, error) {
	if part, ok := r.(*io.LimitedReader); ok { // net/http's, of a body whose length is known
		if body, ok := part.R.(io.WriterTo); ok {
			n, err := body.WriteTo(&limited{s, part.N})
			part.N -= n
			return n, err
		}
	}
	buf := buffers.Get().(*[bodyBuffer]byte)
	defer buffers.Put(buf)
	return io.CopyBuffer(struct{ io.Writer }{s}, r, buf[:])
}

// limited lets no more than so many bytes pass.
type limited struct {
	io.Writer
	left int64
}

var errTooLong = errors.New("http1: the body of the request is longer than its length")

// Write implements [io.Writer].
func (l *limited) Write(p []byte) (int, error) {
	if int64(len(p)) > l.left {
		return 0, errTooLong
	}
	n, err := l.Writer.Write(p)
	l.left -= int64(n)
	return n, err
}

const bodyBuffer = 32 << 10

var buffers = sync.Pool{New: func() any { return new([bodyBuffer]byte) }}
