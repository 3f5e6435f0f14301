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

// Tell returns l, of whose connections told is called when the first bytes are not those
// of HTTP. What becomes of such a connection is its server's to say.
func Tell(l net.Listener, told func(Other)) net.Listener { return &telling{l, told} }

type telling struct {
	net.Listener
	told func(Other)
}

// Accept implements [net.Listener]. The connections keep what else theirs can do, such as
// to send a file without copying it.
func (l *telling) Accept() (net.Conn, error) {
	raw, err := l.Listener.Accept()
	switch conn := raw.(type) {
	case *net.TCPConn:
		return &tcpBegin{TCPConn: conn, told: l.told}, err
	case *net.UnixConn:
		return &unixBegin{UnixConn: conn, told: l.told}, err
	}
	return raw, err
}

type tcpBegin struct {
	*net.TCPConn
	told func(Other) // nil once the first bytes have been seen
}

// Read implements [net.Conn].
func (c *tcpBegin) Read(b []byte) (int, error) {
	n, err := c.TCPConn.Read(b)
	if c.told != nil && n > 0 {
		begun(&c.told, b[:n])
	}
	return n, err
}

type unixBegin struct {
	*net.UnixConn
	told func(Other)
}

// Read implements [net.Conn].
func (c *unixBegin) Read(b []byte) (int, error) {
	n, err := c.UnixConn.Read(b)
	if c.told != nil && n > 0 {
		begun(&c.told, b[:n])
	}
	return n, err
}

func begun(told *func(Other), first []byte) {
	if other, is := protocolOf(first); is {
		(*told)(other)
	}
	*told = nil
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
