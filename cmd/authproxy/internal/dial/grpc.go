package dial

import (
	"context"
	"net"
	"net/http"
	"strings"
	"time"
)

// byKind sends gRPC by connections of its own, which are not pinged. Its servers take
// a third ping in five minutes without an answer between for an attack, and end all
// streams with it (too_many_pings in gRPC's proposal A8), and its streams may well be
// silent for longer. There the kernel finds out what is dead.
type byKind struct{ grpc, other transport }

// RoundTrip implements [http.RoundTripper].
func (k byKind) RoundTrip(req *http.Request) (*http.Response, error) {
	if isGRPC(req.Header) {
		return k.grpc.RoundTrip(req)
	}
	return k.other.RoundTrip(req)
}

// CloseIdleConnections closes the connections that are not in use.
func (k byKind) CloseIdleConnections() {
	k.grpc.CloseIdleConnections()
	k.other.CloseIdleConnections()
}

func isGRPC(h http.Header) bool {
	types := h["Content-Type"]
	return len(types) > 0 && strings.HasPrefix(types[0], "application/grpc")
}

// silentFor is for how long the other side of a connection that is not pinged may
// leave what was sent, or the kernel's probes, without a sign.
const silentFor = 20 * time.Second

// dialSilent connects, and has the kernel look after the connection.
func (p *Pool) dialSilent(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := p.dial(ctx, network, address)
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetKeepAliveConfig(net.KeepAliveConfig{Enable: true, Idle: silentFor / 2, Interval: silentFor / 4, Count: 2})
		limitUnacknowledged(tcp, silentFor)
	}
	return conn, err
}
