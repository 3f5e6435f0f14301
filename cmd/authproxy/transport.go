package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"authproxy/cmd/authproxy/internal/config"
)

// transportOptions say how to speak to another side.
type transportOptions struct {
	tls             config.TLS
	warn            func(error) // of a certificate to show that can no longer be read
	proxy           *url.URL
	connect, header time.Duration
	idle            int
	h2c             bool
	socket          string // path of a unix socket, in the stead of host and port
}

// newTransport returns a transport that adds nothing of its own: no
// compression, no proxy from the environment, which could see the token.
func newTransport(o transportOptions) (*http.Transport, error) {
	tlsConfig, err := o.tls.Config(o.warn)
	if err != nil {
		return nil, err
	}
	t := &http.Transport{
		DialContext:            o.dial,
		TLSClientConfig:        tlsConfig,
		TLSHandshakeTimeout:    o.connect,
		DisableCompression:     true,
		MaxIdleConns:           o.idle,
		MaxIdleConnsPerHost:    o.idle,
		IdleConnTimeout:        50 * time.Second, // below the minute after which most servers close
		ResponseHeaderTimeout:  o.header,
		ExpectContinueTimeout:  time.Second,
		MaxResponseHeaderBytes: 1 << 20,
		Protocols:              new(http.Protocols),
	}
	if o.h2c {
		t.Protocols.SetUnencryptedHTTP2(true)
	} else {
		t.Protocols.SetHTTP1(true)
		t.Protocols.SetHTTP2(true)
	}
	if o.proxy != nil {
		t.Proxy, t.OnProxyConnectResponse = http.ProxyURL(o.proxy), connected
	}
	return t, nil
}

// connected returns an error when a forward proxy does not let a connection
// through. Net/http's own is what the proxy writes behind the status, which may
// be the password that it was sent.
func connected(_ context.Context, _ *url.URL, _ *http.Request, answer *http.Response) error {
	if answer.StatusCode == http.StatusOK {
		return nil
	}
	return &net.OpError{Op: "proxyconnect", Net: "tcp", Err: fmt.Errorf("the proxy answered CONNECT with %d", answer.StatusCode)}
}

// wholeAddress is a transport to a forward proxy for http URLs, which wants the
// whole address in the request line (RFC 9112 section 3.2.2).
type wholeAddress struct{ *http.Transport }

// RoundTrip implements [http.RoundTripper].
func (t wholeAddress) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Opaque == "" {
		return t.Transport.RoundTrip(req)
	}
	whole, u := *req, *req.URL // of an opaque path net/http would send that alone
	u.Opaque = "//" + u.Host + u.Opaque
	whole.URL = &u
	return t.Transport.RoundTrip(&whole)
}

func (o transportOptions) dial(ctx context.Context, network, address string) (net.Conn, error) {
	dialer := net.Dialer{Timeout: o.connect, KeepAlive: 30 * time.Second}
	if o.socket != "" {
		return dialer.DialContext(ctx, "unix", o.socket)
	}
	return dialer.DialContext(ctx, network, address)
}

// lookEvery is how often the addresses behind a name are looked up while
// requests go there: a program that runs for months must follow a move.
const lookEvery = 30 * time.Second

// follower is a transport that moves on to new connections when an address
// that it knew is gone from its upstream's name. Without requests it rests.
type follower struct {
	host    string
	renew   func() *http.Transport
	resolve func(ctx context.Context, host string) ([]string, error)
	current atomic.Pointer[http.Transport]
	looked  atomic.Int64 // Unix time, in nanoseconds, of the last look

	mu    sync.Mutex // held by the one look at a time
	known []string
}

// follow returns a transport to the host of target that follows its name, or
// a plain one where there is none to follow.
func follow(target *url.URL, o transportOptions) (http.RoundTripper, error) {
	first, err := newTransport(o)
	if err != nil {
		return nil, err
	}
	if o.proxy != nil && target.Scheme == "http" && strings.HasPrefix(o.proxy.Scheme, "http") {
		return wholeAddress{first}, nil
	}
	host := target.Hostname()
	if o.socket != "" || o.proxy != nil || net.ParseIP(host) != nil {
		return first, nil
	}
	f := &follower{host: host, resolve: net.DefaultResolver.LookupHost, renew: func() *http.Transport { return first.Clone() }}
	f.current.Store(first)
	return f, nil
}

// RoundTrip implements [http.RoundTripper].
func (f *follower) RoundTrip(req *http.Request) (*http.Response, error) {
	now, last := time.Now().UnixNano(), f.looked.Load()
	if now-last > int64(lookEvery) && f.looked.CompareAndSwap(last, now) {
		go f.look()
	}
	return f.current.Load().RoundTrip(req)
}

// look compares the addresses behind the name with those of the last time. A
// failed look changes nothing: the connections may be good.
func (f *follower) look() {
	f.mu.Lock()
	defer f.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), lookEvery/2)
	defer cancel()
	now, err := f.resolve(ctx, f.host)
	if err != nil || len(now) == 0 {
		return
	}
	gone := slices.ContainsFunc(f.known, func(a string) bool { return !slices.Contains(now, a) })
	f.known = now
	if gone {
		f.current.Swap(f.renew()).CloseIdleConnections() // those in use close when they have been idle
	}
}
