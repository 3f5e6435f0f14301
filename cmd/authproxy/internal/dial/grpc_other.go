//go:build !linux

package dial

import (
	"net"
	"time"
)

// limitUnacknowledged is for Linux alone; elsewhere the kernel's own limit holds.
func limitUnacknowledged(*net.TCPConn, time.Duration) {}
