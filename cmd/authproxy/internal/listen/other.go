package listen

import (
	"net"
	"strings"
)

// Other is another protocol than HTTP in clear text, by which a connection was begun.
type Other struct {
	// Protocol is in words.
	Protocol string
	// TLS: it is TLS, as of an application that was given https:// for the address.
	TLS bool
}

// Watch returns l, of whose connections told is called when the first bytes are not those
// of HTTP, and the heads of whose requests are bounded by heads. What else becomes of a
// connection is its server's to say, which has [ConnState].
func Watch(l net.Listener, heads *Heads, told func(Other)) net.Listener {
	return &watching{l, heads, told}
}

type watching struct {
	net.Listener
	heads *Heads
	told  func(Other)
}

// Accept implements [net.Listener]. The connections keep what else theirs can do, such as
// to send a file without copying it.
func (l *watching) Accept() (net.Conn, error) {
	raw, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	w := watch{told: l.told, head: head{heads: l.heads, close: raw.Close, reading: true, blank: true}}
	switch conn := raw.(type) {
	case *net.TCPConn:
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
		return Other{"TLS", true}, true
	case begin == 4 || begin == 5:
		return Other{Protocol: "SOCKS"}, true
	case strings.HasPrefix(string(first[:min(len(first), 12)]), "\r\n\r\n\x00\r\nQUIT\n"), strings.HasPrefix(string(first[:min(len(first), 6)]), "PROXY "):
		return Other{Protocol: "the PROXY protocol of load balancers"}, true
	case begin < ' ' && begin != '\r' && begin != '\n', begin >= 0x7f:
		return Other{Protocol: "another protocol than HTTP"}, true
	}
	return Other{}, false
}
