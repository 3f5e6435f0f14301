// Command bare is what authproxy is measured against: an
// httputil.ReverseProxy that sets a fixed Authorization header, as long as the
// one that authproxy sets. With -pooled its buffers come from a pool, as
// authproxy's do; by itself ReverseProxy makes a new one for each answer.
package main

import (
	"crypto/tls"
	"crypto/x509"
	"flag"
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"strings"
	"sync"
)

func main() {
	target := flag.String("target", "", "URL of the upstream")
	token := flag.Int("token", 800, "length of the token in bytes")
	pooled := flag.Bool("pooled", false, "take buffers from a pool")
	ca := flag.String("ca", "", "file with the authority of the upstream's certificate")
	http2 := flag.Bool("http2", false, "ask the upstream for HTTP/2")
	flag.Parse()
	u, err := url.Parse(*target)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	header := "Bearer " + strings.Repeat("x", *token)
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(u)
			r.Out.Header.Set("Authorization", header)
		},
		Transport: transport(*ca, *http2),
	}
	if *pooled {
		proxy.BufferPool = &buffers{sync.Pool{New: func() any { return new([size]byte) }}}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Printf("bare: http://%s/\n", l.Addr())
	fmt.Fprintln(os.Stderr, http.Serve(l, proxy))
}

func transport(ca string, http2 bool) *http.Transport {
	t := &http.Transport{DisableCompression: true, MaxIdleConns: 256, MaxIdleConnsPerHost: 256}
	t.Protocols = new(http.Protocols)
	t.Protocols.SetHTTP1(!http2)
	t.Protocols.SetHTTP2(http2)
	if ca == "" {
		return t
	}
	pem, err := os.ReadFile(ca)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	t.TLSClientConfig = &tls.Config{RootCAs: x509.NewCertPool()}
	t.TLSClientConfig.RootCAs.AppendCertsFromPEM(pem)
	return t
}

const size = 32 << 10

type buffers struct{ pool sync.Pool }

func (b *buffers) Get() []byte { return b.pool.Get().(*[size]byte)[:] }

func (b *buffers) Put(p []byte) { b.pool.Put((*[size]byte)(p)) }
