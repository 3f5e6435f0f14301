// Package dial makes the transports to upstreams and token endpoints, and says
// why an exchange by one of them failed.
package dial

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Options say how to speak to another side. They are comparable: requests with
// equal Options can go through one [Pool].
type Options struct {
	// Scheme and Host are those of the URLs that are asked for; empty when these have
	// several.
	Scheme, Host string
	// Socket is the path of a unix socket to connect to, whatever Host says;
	// empty for none.
	Socket string
	// Proxy is the URL of a forward proxy, and may hold a password; empty for
	// none. The environment's is never used: it could see the token.
	Proxy string
	// TLS says how the other side is verified, and who authproxy is.
	TLS TLS
	// Connect bounds connecting, and the TLS handshake; Header the time from the
	// end of the request to the header of the answer. 0 for no limit.
	Connect, Header time.Duration
	// Idle is how many connections are kept while they are not used, and IdleTime
	// for how long; 0: none are kept.
	Idle     int
	IdleTime time.Duration
	// Ping is for how long an HTTP/2 connection may be silent before it is asked
	// whether it is alive, and for how long the answer may take; 0: 5 s. One that
	// carries gRPC is never asked.
	Ping time.Duration
	// Std: net/http's transport for everything.
	Std bool
	// H2C: HTTP/2 in clear text, by prior knowledge, and nothing else.
	H2C bool
	// Resolve: move on to new connections when the addresses of Host change.
	Resolve bool
}

// pingAfter is the default of Options.Ping: a connection that is dead without being
// closed, as behind a firewall that forgot it, costs seconds and not minutes.
const pingAfter = 5 * time.Second

// maxHeader is how many bytes the header of an answer may have.
const maxHeader = 1 << 20

// transport is all that is known of a set of connections.
type transport interface {
	http.RoundTripper
	CloseIdleConnections()
}

// Pool is an [http.RoundTripper] that keeps connections to one other side. It
// adds nothing of its own to a request. Its connections can be renewed while
// requests go on. Its errors are of type [*Error].
type Pool struct {
	opts    Options
	proxy   *url.URL
	current atomic.Pointer[transport]
	names   *names // nil: there is no name to look up
	tried   atomic.Bool

	mu  sync.Mutex  // of one renewal at a time
	tls *tls.Config // of the latest transport
}

// New returns a pool without connections. It fails when the files of o.TLS
// cannot be used.
func New(o Options) (*Pool, error) {
	p := &Pool{opts: o}
	if o.Proxy != "" {
		var err error
		if p.proxy, err = url.Parse(o.Proxy); err != nil {
			return nil, errors.New("proxy_url is not a URL") // the error would quote the password
		}
	}
	var err error
	if p.tls, err = o.TLS.config(); err != nil {
		return nil, err
	}
	p.replace()
	if host := (&url.URL{Host: o.Host}).Hostname(); o.Resolve && o.Socket == "" && o.Proxy == "" && net.ParseIP(host) == nil {
		p.names = newNames(host)
	}
	return p, nil
}

// RoundTrip implements [http.RoundTripper].
func (p *Pool) RoundTrip(req *http.Request) (*http.Response, error) {
	if p.names != nil && p.names.due(time.Now()) {
		go func() {
			if p.names.moved(time.Now()) {
				p.move()
			}
		}()
	}
	resp, err := (*p.current.Load()).RoundTrip(req)
	if err != nil {
		return nil, &Error{reasonOf(err), err}
	}
	return resp, nil
}

// CloseIdleConnections closes the connections that are not in use.
func (p *Pool) CloseIdleConnections() { (*p.current.Load()).CloseIdleConnections() }

// Tried tells whether a request has had a connection made, or tried.
func (p *Pool) Tried() bool { return p.tried.Load() }

// Renew reads the files of TLS again, and has all requests from now on go by
// new connections. When the files cannot be used, nothing changes.
func (p *Pool) Renew() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	config, err := p.opts.TLS.config()
	if err != nil {
		return err
	}
	p.tls = config
	p.replace()
	return nil
}

// move has all requests from now on go by new connections.
func (p *Pool) move() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.replace()
}

// replace puts a new transport in the place of the current one. p.mu is held,
// or nobody knows p yet.
func (p *Pool) replace() {
	next := p.fresh()
	if previous := p.current.Swap(&next); previous != nil {
		(*previous).CloseIdleConnections() // those in use close when they have been idle
	}
}

// dial connects, and notes where.
func (p *Pool) dial(ctx context.Context, network, address string) (net.Conn, error) {
	if !p.tried.Load() {
		p.tried.Store(true)
	}
	conn, err := p.opts.dial(ctx, network, address)
	if err == nil && p.names != nil {
		p.names.use(conn.RemoteAddr())
	}
	return conn, err
}

// fresh returns what sends by new connections alone.
func (p *Pool) fresh() transport {
	other := p.transport()
	if p.opts.Scheme == "http" && !p.opts.H2C {
		return p.faster(p.toProxy(other)) // there is no gRPC
	}
	grpc := p.transport()
	grpc.HTTP2, grpc.DialContext = nil, p.dialSilent
	return byKind{p.toProxy(grpc), p.faster(p.toProxy(other))}
}

// transport returns one transport, which goes by no proxy yet.
func (p *Pool) transport() *http.Transport {
	o := p.opts
	t := &http.Transport{
		DialContext:            p.dial,
		TLSClientConfig:        p.tls.Clone(), // net/http writes into it
		TLSHandshakeTimeout:    o.Connect,
		DisableCompression:     true,
		MaxIdleConns:           o.Idle,
		MaxIdleConnsPerHost:    o.Idle,
		IdleConnTimeout:        o.IdleTime,
		ResponseHeaderTimeout:  o.Header,
		ExpectContinueTimeout:  time.Second,
		MaxResponseHeaderBytes: maxHeader,
		Protocols:              new(http.Protocols),
		HTTP2:                  &http.HTTP2Config{SendPingTimeout: cmp.Or(o.Ping, pingAfter), PingTimeout: cmp.Or(o.Ping, pingAfter)},
	}
	if o.IdleTime == 0 {
		// Without net/http's own way to say so, which sends Connection: close. One of
		// HTTP/2 is not kept by number.
		t.MaxIdleConnsPerHost, t.IdleConnTimeout = -1, time.Millisecond
	}
	if o.H2C {
		t.Protocols.SetUnencryptedHTTP2(true)
	} else {
		t.Protocols.SetHTTP1(true)
		t.Protocols.SetHTTP2(true)
	}
	return t
}

// toProxy returns t by way of the forward proxy, if there is one.
func (p *Pool) toProxy(t *http.Transport) transport {
	if p.proxy == nil {
		return t
	}
	t.Proxy, t.OnProxyConnectResponse = http.ProxyURL(p.proxy), connected
	if p.opts.Scheme == "http" && strings.HasPrefix(p.proxy.Scheme, "http") {
		return wholeAddress{t}
	}
	return t
}
