// Package trouble says what kept an exchange over the network from working, and what
// its operator can do, in the words of the configuration. Nothing that the other side
// has sent is quoted but the names and times of its certificate.
package trouble

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"

	"authproxy/internal/printable"
)

// Side is the other side as the configuration knows it.
type Side struct {
	// Scheme and Host are those of its URL; Host is with its port, where it has one.
	Scheme, Host string
	// URL is the key that holds the URL, and Timeout the one that bounds connecting.
	URL, Timeout string
}

// Finding is what went wrong, and what to do about it; both are parts of a sentence in
// printable characters.
type Finding struct{ What, Todo string }

// ProxyStatus is the error of a forward proxy that answers CONNECT with that status and
// not with 200.
type ProxyStatus int

// Error implements error.
func (s ProxyStatus) Error() string { return fmt.Sprintf("the proxy answered CONNECT with %d", int(s)) }

// ErrHandshakeClosed is the error of a TLS handshake in which the other side closed the
// connection.
var ErrHandshakeClosed = errors.New("the connection was closed in the TLS handshake")

// ErrHandshakeSlow is the error of a TLS handshake that took too long.
var ErrHandshakeSlow = errors.New("the TLS handshake took too long")

// Find explains the error of an exchange with s. ok is false for one that says nothing
// that may be shown.
func Find(err error, s Side) (f Finding, ok bool) {
	for _, find := range []func(error) (Finding, bool){s.proxy, s.name, s.tls, s.connection, s.protocol} {
		if f, ok = find(err); ok {
			return Finding{printable.Text(f.What, 400), f.Todo}, true
		}
	}
	return Finding{}, false
}

// proxy explains what a forward proxy has to do with.
func (s Side) proxy(err error) (Finding, bool) {
	var status ProxyStatus
	if errors.As(err, &status) {
		what := fmt.Sprintf("the proxy of proxy_url answered %d when asked for a way to %s", int(status), s.Host)
		switch {
		case status == 407:
			return Finding{what, "write the user and the password of the proxy into proxy_url: http://user:password@host:port"}, true
		case status >= 500:
			return Finding{what, "ask who operates the proxy why it cannot reach that host, or check the host in " + s.URL}, true
		}
		return Finding{what, "ask who operates the proxy to let CONNECT to that host pass"}, true
	}
	var op *net.OpError
	if !errors.As(err, &op) || op.Op != "proxyconnect" && op.Op != "socks connect" {
		return Finding{}, false
	}
	at := Side{Scheme: s.Scheme, Host: "the proxy", URL: "proxy_url", Timeout: s.Timeout}
	for _, find := range []func(error) (Finding, bool){at.name, at.tls, at.connection} {
		if f, ok := find(op.Err); ok {
			return Finding{"the proxy of proxy_url cannot be used: " + f.What, f.Todo}, true
		}
	}
	return Finding{"the proxy of proxy_url cannot be used", "check host, port, scheme and password in proxy_url"}, true
}

// name explains what the resolver says.
func (s Side) name(err error) (Finding, bool) {
	var e *net.DNSError
	switch {
	case !errors.As(err, &e):
		return Finding{}, false
	case e.IsNotFound:
		return Finding{fmt.Sprintf("the name %q does not resolve", e.Name), "check the host in " + s.URL + ", and the name server of this machine or container"}, true
	case e.IsTimeout || e.IsTemporary:
		return Finding{fmt.Sprintf("no name server answered when asked for %q", e.Name), "check the name server of this machine or container (/etc/resolv.conf); where names resolve at a forward proxy only, give proxy_url"}, true
	}
	return Finding{fmt.Sprintf("the name %q cannot be looked up (%s)", e.Name, e.Err), "check the host in " + s.URL + ", and the name server of this machine or container"}, true
}

// connection explains what the system says of a connection.
func (s Side) connection(err error) (Finding, bool) {
	var op *net.OpError
	var code syscall.Errno
	dialing := errors.As(err, &op) && op.Op == "dial"
	known := errors.As(err, &code)
	switch {
	case dialing && op.Net == "unix":
		return s.socket(op, code), true
	case known && (code == syscall.EMFILE || code == syscall.ENFILE):
		return Finding{"this process may not open more files and connections (" + code.Error() + ")", "raise its limit (ulimit -n, LimitNOFILE=), or lower max_in_flight"}, true
	case known && dialing:
		return s.dialed(op, code), true
	case dialing && op.Timeout():
		return Finding{"nothing answered at " + place(op) + " in time", "check host and port in " + s.URL + " and the firewalls on the way; where only a forward proxy leads out, give proxy_url; a slow way needs a larger " + s.Timeout}, true
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return s.closed(), true
	case dialing:
		return Finding{"cannot connect to " + place(op), "check host and port in " + s.URL}, true
	case known:
		return Finding{"the connection failed (" + code.Error() + ")", "check the network, and host and port in " + s.URL}, true
	}
	return Finding{}, false
}

// closed explains a connection that was closed when an answer was due.
func (s Side) closed() Finding {
	todo := "look into its log; check host, port and scheme in " + s.URL
	if s.Scheme == "http" {
		todo = "look into its log; check host and port in " + s.URL + ", and whether the port is one for TLS, which closes such connections: write https:// then"
	}
	return Finding{"the other side closed the connection without an answer", todo}
}

// place is the address that was dialled.
func place(op *net.OpError) string {
	if op.Addr == nil {
		return "the other side"
	}
	return op.Addr.String()
}

// dialed explains why no connection to an address was had.
func (s Side) dialed(op *net.OpError, code syscall.Errno) Finding {
	at := place(op)
	switch code {
	case syscall.ECONNREFUSED:
		return Finding{"nothing listens at " + at + " (connection refused)", "check host and port in " + s.URL + ", and that the other side is running"}
	case syscall.ETIMEDOUT:
		return Finding{"nothing answered at " + at + " in time", "check host and port in " + s.URL + " and the firewalls on the way; where only a forward proxy leads out, give proxy_url"}
	case syscall.ENETUNREACH, syscall.EHOSTUNREACH, syscall.EADDRNOTAVAIL, syscall.EHOSTDOWN, syscall.ENETDOWN:
		return Finding{"there is no way from here to " + at + " (" + code.Error() + ")", "check the network of this machine or container, and the host in " + s.URL}
	case syscall.EACCES, syscall.EPERM:
		return Finding{"this system does not let the process connect to " + at + " (" + code.Error() + ")", "see its firewall rules, and whether sandbox: off helps"}
	}
	return Finding{"cannot connect to " + at + " (" + code.Error() + ")", "check host and port in " + s.URL}
}

// socket explains why a unix socket could not be used.
func (s Side) socket(op *net.OpError, code syscall.Errno) Finding {
	path := place(op)
	switch code {
	case syscall.ENOENT, syscall.ENOTDIR:
		return Finding{"there is no socket " + path, "start the program that listens there, or check the path in " + s.URL}
	case syscall.ECONNREFUSED:
		return Finding{"nobody listens at the socket " + path + " (connection refused)", "start the program that listens there"}
	case syscall.EACCES, syscall.EPERM:
		return Finding{fmt.Sprintf("this process, uid %d, may not use the socket %s", os.Getuid(), path), "let it write to the socket and enter the folders above, as by a common group"}
	case syscall.EAGAIN:
		return Finding{"the program behind the socket " + path + " takes no more connections", "see what keeps it busy"}
	}
	return Finding{"cannot connect to the socket " + path + " (" + innermost(op) + ")", "check the path in " + s.URL}
}

// protocol explains by its first bytes an answer that is not what was expected. They
// are known by net/http's text, which quotes them, and are not handed on.
func (s Side) protocol(err error) (Finding, bool) {
	text := innermost(err)
	_, first, _ := strings.Cut(text, `malformed HTTP response "`)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return Finding{"there was no answer in time", "see what keeps the other side busy"}, true
	case !strings.Contains(text, "malformed HTTP "):
		return Finding{}, false
	case strings.HasPrefix(first, `\x15\x03`):
		return Finding{"the other side speaks TLS at this port", "write https:// in " + s.URL}, true
	case strings.HasPrefix(first, `\x00\x00`):
		return Finding{"the other side speaks HTTP/2 in clear text at this port", "write protocol: h2c, or give the port for HTTP/1.1 in " + s.URL}, true
	case strings.HasPrefix(first, "SSH-"), strings.HasPrefix(first, "* OK"), strings.HasPrefix(first, "+OK"):
		return Finding{"the other side is a server of another protocol (mail, files or a shell)", "check the port in " + s.URL}, true
	}
	return Finding{"what came as answer is not HTTP", "check the port in " + s.URL}, true
}

// innermost returns the text of the error that err wraps in the end.
func innermost(err error) string {
	for in := errors.Unwrap(err); in != nil; in = errors.Unwrap(err) {
		err = in
	}
	return err.Error()
}
