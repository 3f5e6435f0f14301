package dial

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync/atomic"
	"syscall"
	"time"

	"authproxy/internal/http1"
	"authproxy/internal/trouble"
)

// fast sends by [http1.Transport] what goes by HTTP/1.1, and the rest by std.
type fast struct {
	http1 *http1.Transport
	std   transport
	http2 atomic.Bool // the other side has chosen HTTP/2
}

// errHTTP2 tells that the other side has chosen HTTP/2.
var errHTTP2 = errors.New("dial: the other side has chosen HTTP/2")

// RoundTrip implements [http.RoundTripper].
func (f *fast) RoundTrip(req *http.Request) (*http.Response, error) {
	if f.http2.Load() || !http1.Takes(req) {
		return f.std.RoundTrip(req)
	}
	resp, err := f.http1.RoundTrip(req)
	if errors.Is(err, errHTTP2) {
		f.http2.Store(true)
		return f.std.RoundTrip(req) // nothing has been read of it
	}
	if err != nil && req.Body != nil {
		_ = req.Body.Close()
	}
	return resp, err
}

// CloseIdleConnections closes the connections that are not in use.
func (f *fast) CloseIdleConnections() {
	f.http1.CloseIdleConnections()
	f.std.CloseIdleConnections()
}

// faster returns what sends by connections of its own where it can, and else by std.
func (p *Pool) faster(std transport) transport {
	if p.opts.Std || p.proxy != nil || p.opts.H2C || p.opts.Host == "" {
		return std
	}
	config := p.named(p.tls.Clone())
	return &fast{std: std, http1: http1.New(http1.Options{
		Dial:      func(ctx context.Context) (net.Conn, error) { return p.connect(ctx, config) },
		Header:    p.opts.Header,
		MaxHeader: maxHeader,
		Idle:      p.opts.Idle,
		IdleTime:  p.opts.IdleTime,
	})}
}

// named adds to config what depends on the host.
func (p *Pool) named(config *tls.Config) *tls.Config {
	host := (&url.URL{Host: p.opts.Host}).Hostname()
	config.ServerName, config.NextProtos = cmp.Or(config.ServerName, host), []string{"h2", "http/1.1"}
	return config
}

// connect returns a connection by which HTTP/1.1 is spoken.
func (p *Pool) connect(ctx context.Context, config *tls.Config) (net.Conn, error) {
	conn, err := p.dial(ctx, "tcp", withPort(&url.URL{Scheme: p.opts.Scheme, Host: p.opts.Host}))
	if err != nil || p.opts.Scheme != "https" {
		return conn, err
	}
	return handshake(ctx, conn, config, p.opts.Connect)
}

// handshake speaks TLS over conn, within that time; 0 for no limit.
func handshake(ctx context.Context, conn net.Conn, config *tls.Config, limit time.Duration) (net.Conn, error) {
	if limit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, limit, trouble.ErrHandshakeSlow)
		defer cancel()
	}
	secure := tls.Client(conn, config)
	if err := secure.HandshakeContext(ctx); err != nil {
		_ = conn.Close()
		switch {
		case context.Cause(ctx) == trouble.ErrHandshakeSlow:
			return nil, &Error{reasonTLS, trouble.ErrHandshakeSlow}
		case errors.Is(err, io.EOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
			return nil, &Error{reasonTLS, trouble.ErrHandshakeClosed}
		}
		return nil, err
	}
	if secure.ConnectionState().NegotiatedProtocol == "h2" {
		_ = secure.Close()
		return nil, errHTTP2
	}
	return secure, nil
}
