package dial

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"time"

	"authproxy/internal/trouble"
)

// dial connects, whatever the address is where o names a socket.
func (o Options) dial(ctx context.Context, network, address string) (net.Conn, error) {
	dialer := net.Dialer{Timeout: o.Connect, KeepAlive: 30 * time.Second}
	if o.Socket != "" {
		return dialer.DialContext(ctx, "unix", o.Socket)
	}
	return dialer.DialContext(ctx, network, address)
}

// connected returns an error when a forward proxy does not let a connection
// through. Net/http's own is what the proxy writes behind the status, which may
// be the password that it was sent.
func connected(_ context.Context, _ *url.URL, _ *http.Request, answer *http.Response) error {
	if answer.StatusCode == http.StatusOK {
		return nil
	}
	return &net.OpError{Op: "proxyconnect", Net: "tcp", Err: trouble.ProxyStatus(answer.StatusCode)}
}

// wholeAddress is a transport to a forward proxy for http URLs, which wants the
// whole address in the request line (RFC 9112 section 3.2.2).
type wholeAddress struct{ transport }

// RoundTrip implements [http.RoundTripper].
func (t wholeAddress) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Opaque == "" {
		return t.transport.RoundTrip(req)
	}
	whole, u := *req, *req.URL // of an opaque path net/http would send that alone
	u.Opaque = "//" + u.Host + u.Opaque
	whole.URL = &u
	return t.transport.RoundTrip(&whole)
}
