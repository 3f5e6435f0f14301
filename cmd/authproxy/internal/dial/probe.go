package dial

import (
	"context"
	"errors"
	"net"
	"net/url"
)

// Probe connects as a request would, and speaks TLS where one would, but sends nothing.
// Where there is a forward proxy it connects to that. Its errors are those of RoundTrip.
func (p *Pool) Probe(ctx context.Context) error {
	var conn net.Conn
	var err error
	if p.proxy != nil {
		if conn, err = p.opts.dial(ctx, "tcp", withPort(p.proxy)); err != nil {
			err = &net.OpError{Op: "proxyconnect", Net: "tcp", Err: err}
		}
	} else {
		p.mu.Lock()
		config := p.tls.Clone()
		p.mu.Unlock()
		conn, err = p.connect(ctx, p.named(config))
	}
	switch {
	case errors.Is(err, errHTTP2):
		return nil
	case err != nil:
		return &Error{reasonOf(err), err}
	}
	return conn.Close()
}

// withPort is where the host of u is dialled.
func withPort(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443", "socks5": "1080", "socks5h": "1080"}[u.Scheme]
	}
	return net.JoinHostPort(u.Hostname(), port)
}
