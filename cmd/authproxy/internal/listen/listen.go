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
	// Address is that of the configuration: host:port, unix: and a path, or systemd: and the
	// name of a socket.
	Address string
	// Key holds it in the configuration, for messages; "listen" when empty.
	Key string
	// Mode is that of a unix socket.
	Mode fs.FileMode
	// Anywhere lets a host be more than loopback; AnywhereKey allows that.
	Anywhere    bool
	AnywhereKey string
	// Inherited are the sockets that an address of systemd: may name.
	Inherited Inherited
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
	if name, ok := httpsyntax.SystemdName(o.Address); ok {
		l, err := o.Inherited.open(name)
		if err != nil {
			return Opened{}, fmt.Errorf("cannot listen on %s (%s): %w", o.Address, o.Key, err)
		}
		return Opened{Listener: l}, o.near(l)
	}
	first, err := net.Listen("tcp", o.Address)
	if err != nil {
		return Opened{}, fmt.Errorf("cannot listen on %s (%s): %w: %s", o.Address, o.Key, cause(err), o.remedy(err))
	}
	if err := o.near(first); err != nil {
		return Opened{}, err
	}
	l, taken := openBoth(first, o.Address, o.Spare)
	opened := Opened{Listener: l}
	if taken != "" {
		opened.Warning = fmt.Sprintf("another program listens on %s, and who calls localhost may reach that one instead of %s (%s): have callers write the address as it stands there, end the other program, or give another port", taken, l.Addr(), o.Key)
	}
	return opened, nil
}

// near closes l and fails where other machines can reach it, and that is not allowed.
func (o Options) near(l net.Listener) error {
	for _, at := range addrs(l) {
		if tcp, ok := at.(*net.TCPAddr); ok && !o.Anywhere && !tcp.IP.IsLoopback() {
			_ = l.Close()
			return fmt.Errorf("cannot listen on %s (%s): it is %s, which other machines can reach: listen on 127.0.0.1 or a unix socket, or set %s: true", o.Address, o.Key, at, o.AnywhereKey)
		}
	}
	return nil
}

// addrs are the addresses of all sockets that are l.
func addrs(l net.Listener) []net.Addr {
	if b, ok := l.(*both); ok {
		return append(addrs(b.Listener), addrs(b.second)...)
	}
	return []net.Addr{l.Addr()}
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

// Place returns where l, opened at address, can be reached from this machine: an http URL
// without a path, or the address of a unix socket.
func Place(address string, l net.Listener) string {
	if httpsyntax.IsUnix(address) {
		return address
	}
	at := l.Addr().String()
	if l.Addr().Network() == "unix" {
		return httpsyntax.UnixPrefix + at
	}
	if host, port, err := net.SplitHostPort(at); err == nil && net.ParseIP(host).IsUnspecified() {
		at = net.JoinHostPort("localhost", port)
	}
	return "http://" + at
}
