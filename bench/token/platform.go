package main

import (
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"authproxy/proxy/platformtest"
)

// always is the beginning of paths that refuse good tokens.
const always = "/always/"

// platform is a simulated platform on a port.
type platform struct {
	*platformtest.Platform
	address    string
	tokenDelay atomic.Int64 // nanoseconds before a token request is looked at

	server *http.Server
}

func startPlatform(lifetime time.Duration) (*platform, error) {
	p := &platform{Platform: newSimulated(lifetime)}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p.address = l.Addr().String()
	p.server = &http.Server{Handler: http.HandlerFunc(p.serve), ReadHeaderTimeout: time.Minute}
	go func() { _ = p.server.Serve(l) }()
	return p, nil
}

func newSimulated(lifetime time.Duration) *platformtest.Platform {
	return platformtest.NewOAuth2(platformtest.Options{Lifetime: lifetime})
}

func (p *platform) close() { _ = p.server.Close() }

func (p *platform) serve(w http.ResponseWriter, r *http.Request) {
	switch {
	case strings.HasPrefix(r.URL.Path, always):
		w.WriteHeader(http.StatusUnauthorized)
		return
	case r.URL.Path == p.TokenPath():
		time.Sleep(time.Duration(p.tokenDelay.Load()))
	}
	p.ServeHTTP(w, r)
}
