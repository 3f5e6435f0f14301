// Package listen opens the sockets of the program, and knows who is at the
// other end of a connection.
package listen

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"syscall"

	"authproxy/internal/httpsyntax"
)

// Options say where to listen.
type Options struct {
	// Address is that of the configuration: host:port, or unix: and a path.
	Address string
	// Key holds it in the configuration, for messages; "listen" when empty.
	Key string
	// Mode is that of a unix socket.
	Mode fs.FileMode
	// Anywhere lets a host be more than loopback; AnywhereKey allows that.
	Anywhere    bool
	AnywhereKey string
	// Spare tells of an address that the configuration wants for something else; nil: of
	// none.
	Spare func(netip.AddrPort) bool
}

// Opened is an open listener.
type Opened struct {
	net.Listener
	// Warning is a sentence about what its callers may meet; empty without one.
	Warning string
}

// Open listens as o says. An address of localhost is opened together with the other one
// that the name may stand for. Unless o.Anywhere is set it fails when a host turns out to
// be more than loopback: a name may have moved since it was checked.
func Open(o Options) (Opened, error) {
	if o.Key == "" {
		o.Key = "listen"
	}
	if path, ok := httpsyntax.UnixPath(o.Address); ok {
		l, err := openUnix(path, o.Mode)
		return Opened{Listener: l}, err
	}
	first, err := net.Listen("tcp", o.Address)
	if err != nil {
		return Opened{}, fmt.Errorf("cannot listen on %s (%s): %w: %s", o.Address, o.Key, cause(err), o.remedy(err))
	}
	if at, ok := first.Addr().(*net.TCPAddr); !o.Anywhere && (!ok || !at.IP.IsLoopback()) {
		_ = first.Close()
		return Opened{}, fmt.Errorf("cannot listen on %s (%s): it is %s, which other machines can reach: listen on 127.0.0.1 or a unix socket, or set %s: true", o.Address, o.Key, first.Addr(), o.AnywhereKey)
	}
	l, taken := openBoth(first, o.Address, o.Spare)
	opened := Opened{Listener: l}
	if taken != "" {
		opened.Warning = fmt.Sprintf("another program listens on %s, and who calls localhost may reach that one instead of %s (%s): have callers write the address as it stands there, end the other program, or give another port", taken, l.Addr(), o.Key)
	}
	return opened, nil
}

// remedy is what to do when a socket cannot be opened.
func (o Options) remedy(err error) string {
	var name *net.DNSError
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return "another program listens there, maybe another authproxy: stop it, or give another port in " + o.Key
	case errors.Is(err, fs.ErrPermission):
		return fmt.Sprintf("uid %d may not use a port below 1024: give a higher one in %s, or the right to it (AmbientCapabilities=CAP_NET_BIND_SERVICE in a unit, or setcap)", os.Getuid(), o.Key)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return "this machine or container has no such address: give one that it has in " + o.Key + ", such as 127.0.0.1"
	case errors.Is(err, syscall.EAFNOSUPPORT):
		return "this machine or container has no IPv6: give 127.0.0.1 in " + o.Key
	case errors.As(err, &name):
		return "the name does not resolve: give an address in " + o.Key
	case errors.Is(err, syscall.EMFILE):
		return "raise the limit of open files (ulimit -n, LimitNOFILE=)"
	}
	return "see whether this machine has that address, and give another in " + o.Key
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
