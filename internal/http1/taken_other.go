//go:build !linux

package http1

import "net"

// taken is for systems that tell how much the other side has taken.
func taken(net.Conn) (bytes uint64, refused, ok bool) { return 0, false, false }
