package listen

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
)

// Other is another protocol than the one that is served, by which a connection was begun.
type Other struct {
	// Protocol is in words.
	Protocol string
	// TLS: it is TLS, as of an application that was given https:// for an address without.
	TLS bool
	// Plain: it is HTTP without TLS, where TLS is served.
	Plain bool
	// Failed is why TLS did not come about.
	Failed error
}

// Watched is what the connections of a listener have in common.
type Watched struct {
	// Heads bounds the heads of requests.
	Heads *Heads
	// Told is called when the first bytes are not those of what is served.
	Told func(Other)
	// TLS is spoken on TCP by the connections that are accepted while it holds something.
	TLS *atomic.Pointer[TLS]
}

// Watch returns l, of whose connections w is true. What else becomes of one is its server's
// to say, which has [ConnState] and [WithPeer].
func Watch(l net.Listener, w Watched) net.Listener { return &watching{l, w} }

type watching struct {
	net.Listener
	Watched
}

// Accept implements [net.Listener]. The connections keep what else theirs can do, such as
// to send a file without copying it.
func (l *watching) Accept() (net.Conn, error) {
	raw, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	w := watch{told: l.Told, head: head{heads: l.Heads, close: raw.Close, reading: true, blank: true}}
	switch conn := raw.(type) {
	case *net.TCPConn:
		if t := l.TLS.Load(); t != nil {
			return newTLSConn(conn, t, w), nil
		}
		return &tcpConn{conn, w}, nil
	case *net.UnixConn:
		return &unixConn{conn, w}, nil
	}
	return raw, nil
}

// watch is what is looked at in what a connection reads.
type watch struct {
	told  func(Other) // nil once the first bytes have been seen
	begin []byte      // the first bytes, until they tell which HTTP this is
	head  head
}

func (w *watch) watched() *watch { return w }

// http2 begins the preface of HTTP/2 (RFC 9113 section 3.4), and no method that there is.
const http2 = "PRI "

// saw takes note of what was read.
func (w *watch) saw(b []byte) {
	if len(b) == 0 {
		return
	}
	if w.told != nil {
		if other, is := protocolOf(b); is {
			w.told(other)
			w.head.other = true
		}
		w.told = nil
	}
	if len(w.begin) < len(http2) {
		w.begin = append(w.begin, b[:min(len(b), len(http2)-len(w.begin))]...)
		w.head.other = w.head.other || string(w.begin) == http2
	}
	if w.head.reading = w.head.reading && !w.head.other; w.head.reading {
		w.head.saw(b)
	}
}

type tcpConn struct {
	*net.TCPConn
	watch
}

// Read implements [net.Conn].
func (c *tcpConn) Read(b []byte) (int, error) {
	n, err := c.TCPConn.Read(b)
	c.saw(b[:n])
	return n, err
}

// tlsConn is a connection with TLS, of which the server sees only what is inside: so it is
// watched like the others, and HTTP/2 begins with its preface as it does without TLS. Its
// state is read after the handshake, and hidden from net/http, which would before.
type tlsConn struct {
	net.Conn
	tls           *tls.Conn // the same
	begun, shaken bool
	watch
}

func newTLSConn(conn *net.TCPConn, t *TLS, w watch) *tlsConn {
	c := &tlsConn{watch: w}
	c.tls = tls.Server(&handshaking{conn, c}, t.now.Load().config)
	c.Conn = c.tls
	return c
}

// handshaking is what is below TLS. Until the handshake is done it counts what is read as a
// head, since that is kept in memory as well, before anybody is known.
type handshaking struct {
	net.Conn
	of *tlsConn
}

// Read implements [net.Conn].
func (c *handshaking) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if !c.of.shaken {
		c.of.head.grew(n)
	}
	return n, err
}

// CloseWrite ends what is written, as net/http does before it closes.
func (c *tlsConn) CloseWrite() error { return c.tls.CloseWrite() }

// Read implements [net.Conn].
func (c *tlsConn) Read(b []byte) (int, error) {
	if !c.begun {
		c.begun = true
		if err := c.tls.Handshake(); err != nil {
			c.failed(err)
			return 0, io.EOF
		}
		c.shaken = true
		c.head.again()
	}
	n, err := c.Conn.Read(b)
	c.saw(b[:n])
	return n, err
}

// plainAnswer is for who speaks HTTP without TLS: in HTTP/1.0, since nobody knows what of
// it is understood.
const plainAnswer = "HTTP/1.0 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\nauthproxy speaks TLS here: call https://\n"

// failed tells of TLS that did not come about, unless the other side just went away.
func (c *tlsConn) failed(err error) {
	var header tls.RecordHeaderError
	switch {
	case errors.As(err, &header) && header.Conn != nil && isHTTP(header.RecordHeader):
		_, _ = io.WriteString(header.Conn, plainAnswer)
		c.told(Other{Protocol: "HTTP without TLS", Plain: true})
	case errors.Is(err, io.EOF), errors.Is(err, net.ErrClosed), errors.Is(err, syscall.ECONNRESET), errors.Is(err, os.ErrDeadlineExceeded):
	default:
		c.told(Other{Protocol: "TLS", Failed: err})
	}
}

// isHTTP tells whether what begins like this may be a request without TLS.
func isHTTP(begin [5]byte) bool {
	return !slices.ContainsFunc(begin[:], func(c byte) bool { return c < ' ' || c >= 0x7f })
}

type unixConn struct {
	*net.UnixConn
	watch
}

// Read implements [net.Conn].
func (c *unixConn) Read(b []byte) (int, error) {
	n, err := c.UnixConn.Read(b)
	c.saw(b[:n])
	return n, err
}

// protocolOf tells what begins with first, unless that may be a request of HTTP: a method
// is made of letters, and servers skip empty lines before it (RFC 9112 section 2.2).
func protocolOf(first []byte) (Other, bool) {
	switch begin := first[0]; {
	case begin == 0x16:
		return Other{Protocol: "TLS", TLS: true}, true
	case begin == 4 || begin == 5:
		return Other{Protocol: "SOCKS"}, true
	case strings.HasPrefix(string(first[:min(len(first), 12)]), "\r\n\r\n\x00\r\nQUIT\n"), strings.HasPrefix(string(first[:min(len(first), 6)]), "PROXY "):
		return Other{Protocol: "the PROXY protocol of load balancers"}, true
	case begin < ' ' && begin != '\r' && begin != '\n', begin >= 0x7f:
		return Other{Protocol: "another protocol than HTTP"}, true
	}
	return Other{}, false
}
