package main

import (
	"net"
	"net/http"
	"net/url"
	"time"

	"authproxy/cmd/authproxy/internal/config"
)

// transportOptions say how to speak to another side.
type transportOptions struct {
	tls             config.TLS
	proxy           *url.URL
	connect, header time.Duration
	idle            int
	h2c             bool
}

// newTransport returns a transport that adds nothing of its own: no
// compression, no proxy from the environment, which could see the token.
func newTransport(o transportOptions) (*http.Transport, error) {
	tlsConfig, err := o.tls.Config()
	if err != nil {
		return nil, err
	}
	t := &http.Transport{
		DialContext:            (&net.Dialer{Timeout: o.connect, KeepAlive: 30 * time.Second}).DialContext,
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
		t.Proxy = http.ProxyURL(o.proxy)
	}
	return t, nil
}
