package listen

import (
	"errors"
	"net"
	"syscall"
)

// checkPeers returns an error when this system cannot tell who connects to a
// unix socket.
func checkPeers() error { return nil }

// peerUID returns the user whose process connected to a unix socket
// (SO_PEERCRED, unix(7)).
func peerUID(c net.Conn) (uint32, error) {
	u, ok := c.(syscall.Conn)
	if !ok || c.LocalAddr().Network() != "unix" {
		return 0, errors.ErrUnsupported
	}
	raw, err := u.SyscallConn()
	if err != nil {
		return 0, err
	}
	var peer *syscall.Ucred
	var failed error
	if err := raw.Control(func(fd uintptr) {
		peer, failed = syscall.GetsockoptUcred(int(fd), syscall.SOL_SOCKET, syscall.SO_PEERCRED)
	}); err != nil {
		return 0, err
	}
	if failed != nil {
		return 0, failed
	}
	return peer.Uid, nil
}
