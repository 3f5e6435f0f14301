package http1

import (
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// taken returns how many bytes the system at the other end of c has taken so far, and
// whether it has refused some (by a RST); ok is false where that cannot be known.
func taken(c net.Conn) (bytes uint64, refused, ok bool) {
	s, is := c.(*net.TCPConn)
	if !is {
		return 0, false, false
	}
	raw, err := s.SyscallConn()
	if err != nil {
		return 0, false, false
	}
	var info *unix.TCPInfo
	controlErr := raw.Control(func(fd uintptr) {
		info, err = unix.GetsockoptTCPInfo(int(fd), syscall.IPPROTO_TCP, unix.TCP_INFO)
	})
	if controlErr != nil || err != nil {
		return 0, false, false
	}
	return info.Bytes_acked, info.State == closed, true
}

// closed is TCP_CLOSE of linux/tcp_states.h.
const closed = 7
