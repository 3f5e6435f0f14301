// Package listen opens the sockets of the program, and knows who is at the
// other end of a connection.
package listen

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"syscall"

	"authproxy/internal/httpsyntax"
)

// Open listens at an address of the configuration: host:port, or unix: and a
// path, which gets that mode. Unless anywhere is set it fails when a host turns
// out to be more than loopback: a name may have moved since it was checked.
func Open(address string, mode fs.FileMode, anywhere bool) (net.Listener, error) {
	if path, ok := httpsyntax.UnixPath(address); ok {
		return openUnix(path, mode)
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		hint := "does this machine have that address?"
		if errors.Is(err, syscall.EADDRINUSE) {
			hint = "is another authproxy running? Else give another port; the admin listener's is admin.listen"
		}
		return nil, fmt.Errorf("cannot listen on %s: %w: %s", address, err, hint)
	}
	if at, ok := l.Addr().(*net.TCPAddr); !anywhere && (!ok || !at.IP.IsLoopback()) {
		_ = l.Close()
		return nil, fmt.Errorf("cannot listen on %s: it is %s, where other machines could connect and use the token: listen on 127.0.0.1 or a unix socket, or set allow_non_loopback: true", address, l.Addr())
	}
	return l, nil
}

// Place returns where l, opened at address, can be reached from this machine:
// an http URL without a path, or the address of a unix socket.
func Place(address string, l net.Listener) string {
	if httpsyntax.IsUnix(address) {
		return address
	}
	at := l.Addr().String()
	if host, port, err := net.SplitHostPort(at); err == nil && net.ParseIP(host).IsUnspecified() {
		at = net.JoinHostPort("localhost", port)
	}
	return "http://" + at
}
