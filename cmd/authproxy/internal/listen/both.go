package listen

import (
	"errors"
	"net"
	"net/netip"
	"sync"
	"syscall"
)

// companion is the other address that localhost may stand for, with the same port, of an
// address that is one of the two; false when address is neither.
func companion(at netip.AddrPort) (netip.AddrPort, bool) {
	v4, v6 := netip.AddrFrom4([4]byte{127, 0, 0, 1}), netip.IPv6Loopback()
	switch at.Addr().Unmap() {
	case v4, netip.IPv4Unspecified():
		return netip.AddrPortFrom(v6, at.Port()), true
	case v6:
		return netip.AddrPortFrom(v4, at.Port()), true
	}
	return netip.AddrPort{}, false
}

// portTries is how often another port is tried, when the system chooses one, to find one
// that is free on both addresses.
const portTries = 20

// openBoth listens on first and, where it is one of the addresses of localhost, on the
// other as well, so that nobody else is there for those who call by the name. taken tells
// that somebody else is; where there is no such address, nothing is.
func openBoth(first net.Listener, address string, spare func(netip.AddrPort) bool) (l net.Listener, taken string) {
	for range portTries {
		at, ok := first.Addr().(*net.TCPAddr)
		if !ok {
			return first, ""
		}
		other, is := companion(at.AddrPort())
		if !is || spare != nil && spare(other) {
			return first, ""
		}
		second, err := net.Listen("tcp", other.String())
		switch {
		case err == nil:
			return join(first, second), ""
		case !errors.Is(err, syscall.EADDRINUSE):
			return first, "" // there is no such address, or no right to it
		case !anyPort(address):
			return first, other.String()
		}
		again, err := net.Listen("tcp", address) // before the first is closed, so that it is another port
		if err != nil {
			return first, other.String()
		}
		_ = first.Close()
		first = again
	}
	return first, ""
}

func anyPort(address string) bool {
	_, port, err := net.SplitHostPort(address)
	return err == nil && port == "0"
}

// both is two listeners as one; its address is that of the first.
type both struct {
	net.Listener
	second net.Listener
	conns  chan accepted
	closed chan struct{}
	once   sync.Once
}

type accepted struct {
	conn net.Conn
	err  error
}

func join(first, second net.Listener) net.Listener {
	b := &both{Listener: first, second: second, conns: make(chan accepted), closed: make(chan struct{})}
	go b.accept(first)
	go b.accept(second)
	return b
}

// accept hands on what l accepts, one at a time, until it is closed.
func (b *both) accept(l net.Listener) {
	for {
		conn, err := l.Accept()
		select {
		case b.conns <- accepted{conn, err}:
		case <-b.closed:
			if err == nil {
				_ = conn.Close()
			}
			return
		}
		if errors.Is(err, net.ErrClosed) {
			return
		}
	}
}

// Accept implements [net.Listener].
func (b *both) Accept() (net.Conn, error) {
	select {
	case a := <-b.conns:
		return a.conn, a.err
	case <-b.closed:
		return nil, net.ErrClosed
	}
}

// Close implements [net.Listener].
func (b *both) Close() error {
	err := net.ErrClosed
	b.once.Do(func() {
		close(b.closed)
		err = errors.Join(b.Listener.Close(), b.second.Close())
	})
	return err
}
