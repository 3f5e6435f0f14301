package proxy

import (
	"context"
	"net"
	"net/http"
	"os"
	"time"

	"authproxy/internal/http1"
)

// fast sends as authproxy does: by a transport of its own what that takes, the rest by
// net/http's.
type fast struct {
	*http1.Transport
	std *http.Transport
}

func (f fast) RoundTrip(req *http.Request) (*http.Response, error) {
	if !http1.Takes(req) {
		return f.std.RoundTrip(req)
	}
	return f.Transport.RoundTrip(req)
}

// faster puts a fast transport in the place of net/http's, unless the environment has the
// suite run by net/http's or o is for something else than plain HTTP.
func faster(o *Options, std *http.Transport) {
	if o.Transport != http.RoundTripper(std) || o.Target.Scheme != "http" || os.Getenv("AUTHPROXY_TEST_TRANSPORT") == "std" {
		return
	}
	o.Transport = fast{std: std, Transport: http1.New(http1.Options{
		Dial: func(ctx context.Context) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", o.Target.Host)
		},
		Header: std.ResponseHeaderTimeout, MaxHeader: 1 << 20, Idle: 100, IdleTime: time.Minute,
	})}
}
