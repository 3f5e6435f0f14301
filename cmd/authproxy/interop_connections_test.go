package main_test

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"authproxy/cmd/authproxy/authproxytest"
	"authproxy/proxy/rawtest"
)

// quiet is an upstream whose server says nothing of connections that break off.
func quiet(h http.Handler) *httptest.Server {
	s := httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	return s
}

// TestUpstreamThatClosesIdleConnections: the upstream closes what has been idle
// for a moment, while there is a load; the clients see nothing of it.
func TestUpstreamThatClosesIdleConnections(t *testing.T) {
	t.Parallel()
	is := newIssuer(t)
	upstream := quiet(is.guard(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) })))
	upstream.Config.IdleTimeout = 2 * time.Millisecond
	upstream.Start()
	t.Cleanup(upstream.Close)
	p := authproxytest.Start(t, is.config(upstream.URL))
	before := levelOf(t, p)
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			for j := range 100 {
				time.Sleep(time.Duration(i+j) * 100 * time.Microsecond) // so that some are just being closed
				if a := authproxytest.Ask(t, http.MethodGet, p.URL, nil); a.Status != http.StatusOK {
					t.Errorf("GET: %d %s", a.Status, a.Body)
				}
			}
		})
	}
	all.Wait()
	settles(t, p, before)
}

// TestConnectionsAreKept: when as many requests come at once as before, none of
// them opens a connection. net/http by itself keeps two.
func TestConnectionsAreKept(t *testing.T) {
	t.Parallel()
	const callers = 20
	var opened atomic.Int64
	arrived := make(chan struct{}, callers)
	release := make(chan struct{})
	is := newIssuer(t)
	upstream := quiet(is.guard(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		arrived <- struct{}{}
		<-release
		_, _ = io.WriteString(w, "answer")
	})))
	upstream.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			opened.Add(1)
		}
	}
	upstream.Start()
	t.Cleanup(upstream.Close)
	p := authproxytest.Start(t, is.config(upstream.URL))
	for range 3 {
		var all sync.WaitGroup
		for range callers {
			all.Go(func() {
				if a := authproxytest.Ask(t, http.MethodGet, p.URL, nil); a.Status != http.StatusOK {
					t.Errorf("%d %s", a.Status, a.Body)
				}
			})
		}
		for range callers {
			<-arrived
		}
		for range callers {
			release <- struct{}{}
		}
		all.Wait()
		authproxytest.Eventually(t, "the requests to end", func() bool { return p.Series(t)[`authproxy_requests_in_flight{upstream="main"}`] == 0 })
	}
	if n := opened.Load(); n != callers {
		t.Errorf("%d connections for three times %d requests", n, callers)
	}
}

// TestConnectionClosedInsteadOfAnAnswer: a request on a connection that was
// used before, and is closed instead of answered, is made once more when
// that does no harm. A POST may have done something, and is an error.
func TestConnectionClosedInsteadOfAnAnswer(t *testing.T) {
	t.Parallel()
	for method, want := range map[string]int{"GET": 200, "HEAD": 200, "OPTIONS": 200, "POST": 502} {
		t.Run(method, func(t *testing.T) {
			t.Parallel()
			var connections atomic.Int64
			upstream := rawtest.Listen(t, func(conn net.Conn, in *bufio.Reader) {
				connections.Add(1)
				if _, err := http.ReadRequest(in); err == nil {
					_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
					_, _ = http.ReadRequest(in)
				}
			})
			p := authproxytest.Start(t, newIssuer(t).config("http://"+upstream))
			body := any(nil)
			if method == "POST" {
				body = "{}"
			}
			first, second := authproxytest.Ask(t, method, p.URL, body), authproxytest.Ask(t, method, p.URL, body)
			if first.Status != http.StatusOK || second.Status != want {
				t.Errorf("%d, %d", first.Status, second.Status)
			}
			if n := connections.Load(); want == 200 && n != 2 || want != 200 && n != 1 {
				t.Errorf("%d connections", n)
			}
		})
	}
}

// TestGoAway: an upstream of HTTP/2 sends GOAWAY now and then, as servers do
// that are shut down or have served a connection for long enough.
func TestGoAway(t *testing.T) {
	t.Parallel()
	var n, connections atomic.Int64
	is := newIssuer(t)
	upstream := quiet(is.guard(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if n.Add(1)%20 == 0 {
			w.Header().Set("Connection", "close") // net/http makes it GOAWAY
		}
		_, _ = io.Copy(w, r.Body)
	})))
	upstream.Config.Protocols = new(http.Protocols)
	upstream.Config.Protocols.SetUnencryptedHTTP2(true)
	upstream.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			connections.Add(1)
		}
	}
	upstream.Start()
	t.Cleanup(upstream.Close)
	p := authproxytest.Start(t, is.config(upstream.URL, "protocol: h2c"))
	before := levelOf(t, p)
	body := strings.Repeat("x", 40<<10)
	var all sync.WaitGroup
	for range 10 {
		all.Go(func() {
			for range 50 {
				if a := authproxytest.Ask(t, http.MethodGet, p.URL, nil); a.Status != http.StatusOK {
					t.Errorf("GET: %d %s", a.Status, a.Body)
				}
				if a := authproxytest.Ask(t, http.MethodPost, p.URL, authproxytest.Chunked(body)); a.Status != http.StatusOK || a.Body != body {
					t.Errorf("POST: %d, %d bytes, %.200s", a.Status, len(a.Body), a.Header)
				}
			}
		})
	}
	all.Wait()
	if connections.Load() < 10 {
		t.Errorf("only %d connections: no GOAWAY came", connections.Load())
	}
	settles(t, p, before)
}

// TestGoAwayBeforeTheRequestWasSeen: GOAWAY says that a request was not looked
// at, so it is made once more, with its body, on another connection.
func TestGoAwayBeforeTheRequestWasSeen(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	second := &http.Server{Protocols: new(http.Protocols), Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) })}
	second.Protocols.SetUnencryptedHTTP2(true)
	t.Cleanup(func() { second.Close() })
	go func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		_, _ = io.WriteString(conn, "\x00\x00\x00\x04\x00\x00\x00\x00\x00") // SETTINGS, RFC 9113 section 6.5
		in := bufio.NewReader(conn)
		_, _ = in.Discard(len("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"))
		for frame := make([]byte, 9); frame[3] != 0 || frame[8] == 0; { // until DATA
			if _, err := io.ReadFull(in, frame); err != nil {
				return
			}
			_, _ = in.Discard(int(frame[0])<<16 | int(frame[1])<<8 | int(frame[2]))
		}
		// GOAWAY, section 6.8: no stream was processed, and no error.
		_, _ = io.WriteString(conn, "\x00\x00\x08\x07\x00\x00\x00\x00\x00"+"\x00\x00\x00\x00"+"\x00\x00\x00\x00")
		go func() { _, _ = io.Copy(io.Discard, in) }()
		_ = second.Serve(l)
		conn.Close()
	}()
	p := authproxytest.Start(t, newIssuer(t).config("http://"+l.Addr().String(), "protocol: h2c"))
	body := strings.Repeat("x", 100<<10)
	if a := authproxytest.Ask(t, http.MethodPost, p.URL, authproxytest.Chunked(body)); a.Status != http.StatusOK || a.Body != body {
		t.Errorf("%d, %d bytes, %.300s", a.Status, len(a.Body), a.Body)
	}
}

// TestIPv6 has the listener and the upstream on ::1, and then an upstream whose
// name has both kinds of address, of which only one is listened at.
func TestIPv6(t *testing.T) {
	t.Parallel()
	six, err := net.Listen("tcp", "[::1]:0")
	if err != nil {
		t.Skip("SKIPPED: this machine has no ::1:", err)
	}
	is := newIssuer(t)
	upstream := quiet(is.guard(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", "http://"+r.Host+"/there")
		_, _ = io.WriteString(w, r.Host)
	})))
	upstream.Listener.Close()
	upstream.Listener = six
	upstream.Start()
	t.Cleanup(upstream.Close)
	p := authproxytest.Start(t, is.config(upstream.URL, `listen: "[::1]:0"`))
	if !strings.HasPrefix(p.URL, "http://[::1]:") {
		t.Fatalf("listens on %s", p.URL)
	}
	a := authproxytest.Ask(t, http.MethodGet, p.URL, nil)
	if a.Status != http.StatusOK || "http://"+a.Body != upstream.URL || a.Header.Get("Location") != p.URL+"/there" {
		t.Errorf("%d %s %v", a.Status, a.Body, a.Header)
	}
	t.Run("by name", func(t *testing.T) {
		if addresses, _ := net.LookupHost("localhost"); !slices.Contains(addresses, "::1") {
			t.Skip("SKIPPED: localhost is not ::1 on this machine")
		}
		p := authproxytest.Start(t, is.config(strings.Replace(upstream.URL, "[::1]", "localhost", 1)))
		if a := authproxytest.Ask(t, http.MethodGet, p.URL, nil); a.Status != http.StatusOK {
			t.Errorf("%d %s", a.Status, a.Body)
		}
	})
}

// TestSocketOfTheUpstream: the upstream listens on a unix socket.
func TestSocketOfTheUpstream(t *testing.T) {
	t.Parallel()
	socket := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	is := newIssuer(t)
	upstream := quiet(is.guard(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", "http://localhost/there")
		fmt.Fprint(w, r.Host, r.RequestURI)
	})))
	upstream.Listener.Close()
	upstream.Listener = l
	upstream.Start()
	t.Cleanup(upstream.Close)
	p := authproxytest.Start(t, is.config("unix:"+socket))
	a := authproxytest.Ask(t, http.MethodGet, p.URL+"/a%2Fb?c", nil)
	if a.Body != "localhost/a%2Fb?c" || a.Header.Get("Location") != p.URL+"/there" {
		t.Errorf("%d %s %v", a.Status, a.Body, a.Header)
	}
}

// authority is a certificate authority with files for configurations.
type authority struct {
	t    *testing.T
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	dir  string
	pool *x509.CertPool
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{t: t, dir: t.TempDir(), pool: x509.NewCertPool()}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "own CA"}, NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	a.key, _ = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	der, err := x509.CreateCertificate(rand.Reader, template, template, &a.key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	a.cert, _ = x509.ParseCertificate(der)
	a.pool.AddCert(a.cert)
	authproxytest.Write(t, a.file("ca"), string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
	return a
}

func (a *authority) file(name string) string { return filepath.Join(a.dir, name+".pem") }

// issue makes a certificate for name, and the files NAME.pem and NAME-key.pem.
func (a *authority) issue(name string) tls.Certificate {
	a.t.Helper()
	key, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotAfter: time.Now().Add(time.Hour), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, &key.PublicKey, a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	secret, _ := x509.MarshalPKCS8PrivateKey(key)
	certPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	keyPEM := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})
	authproxytest.Write(a.t, a.file(name), string(certPEM))
	authproxytest.Write(a.t, a.file(name+"-key"), string(keyPEM))
	pair, err := tls.X509KeyPair(certPEM, keyPEM)
	if err != nil {
		a.t.Fatal(err)
	}
	return pair
}

// secure starts an upstream with TLS under the name platform.example, which
// answers the protocol, the name that was asked for and the client's.
func (a *authority) secure(h2 bool) *httptest.Server {
	a.t.Helper()
	s := quiet(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who := "nobody"
		if len(r.TLS.PeerCertificates) > 0 {
			who = r.TLS.PeerCertificates[0].Subject.CommonName
		}
		fmt.Fprint(w, r.Proto, " ", r.TLS.ServerName, " ", who, " ", r.Header.Get("Authorization"))
	}))
	s.EnableHTTP2 = h2
	s.TLS = &tls.Config{Certificates: []tls.Certificate{a.issue("platform.example")}, ClientCAs: a.pool, ClientAuth: tls.VerifyClientCertIfGiven}
	s.StartTLS()
	a.t.Cleanup(s.Close)
	return s
}

// TestTLSUpstream: own CA, client certificate, server name, HTTP/2 by ALPN.
func TestTLSUpstream(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	ca.issue("client.example")
	two, one := ca.secure(true), ca.secure(false)
	trust := fmt.Sprintf("ca_file: %q, server_name: platform.example", ca.file("ca"))
	own := fmt.Sprintf(", cert_file: %q, key_file: %q", ca.file("client.example"), ca.file("client.example-key"))
	for name, c := range map[string]struct{ url, tls, want string }{
		"HTTP/2":                   {two.URL, trust, "HTTP/2.0 platform.example nobody Bearer t1"},
		"HTTP/1.1":                 {one.URL, trust, "HTTP/1.1 platform.example nobody Bearer t1"},
		"a client certificate":     {two.URL, trust + own, "HTTP/2.0 platform.example client.example Bearer t1"},
		"TLS 1.3 at least":         {two.URL, trust + `, min_version: "1.3"`, "HTTP/2.0 platform.example nobody Bearer t1"},
		"an unknown authority":     {two.URL, "server_name: platform.example", ""},
		"another name":             {two.URL, fmt.Sprintf("ca_file: %q", ca.file("ca")), ""},
		"nothing is looked at":     {two.URL, "insecure_skip_verify: true", "HTTP/2.0  nobody Bearer t1"},
		"no TLS on the other side": {strings.Replace(authproxytest.Serve(t, http.NotFoundHandler()), "http:", "https:", 1), trust, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := authproxytest.Start(t, newIssuer(t).config(c.url, "tls: { "+c.tls+" }"))
			a := authproxytest.Ask(t, http.MethodGet, p.URL, nil)
			if c.want == "" && (a.Status != http.StatusBadGateway || a.Code() != "upstream_unreachable" || !strings.Contains(a.Body, "TLS")) {
				t.Errorf("%d %s", a.Status, a.Body)
			}
			if c.want != "" && a.Body != c.want {
				t.Errorf("%d %s", a.Status, a.Body)
			}
		})
	}
}

// TestForwardProxies reaches a name that only the forward proxy knows. What the
// environment says about proxies does not count.
func TestForwardProxies(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	tlsUpstream := ca.secure(true)
	plain := authproxytest.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, r.Host, " ", r.Header.Get("Authorization"), r.Header.Get("Proxy-Authorization"))
	}))
	trust := fmt.Sprintf("tls: { ca_file: %q }", ca.file("ca"))
	for name, c := range map[string]struct {
		proxy func(*testing.T, string) string
		to    string
		url   string
		more  string
		want  string
	}{
		"http to http":    {httpProxy, plain, "http://platform.example", "allow_plain_http: true", "platform.example Bearer t1"},
		"http to https":   {httpProxy, tlsUpstream.URL, "https://platform.example", trust, "HTTP/2.0 platform.example nobody Bearer t1"},
		"socks5 to http":  {socks5Proxy, plain, "http://platform.example:81", "allow_plain_http: true", "platform.example:81 Bearer t1"},
		"socks5 to https": {socks5Proxy, tlsUpstream.URL, "https://platform.example", trust, "HTTP/2.0 platform.example nobody Bearer t1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, to, _ := strings.Cut(c.to, "://")
			address := c.proxy(t, to)
			config := newIssuer(t).config(c.url, c.more, "proxy_url: "+address)
			p := authproxytest.Start(t, config, "HTTP_PROXY="+authproxytest.Nobody, "HTTPS_PROXY="+authproxytest.Nobody, "ALL_PROXY="+authproxytest.Nobody)
			if a := authproxytest.Ask(t, http.MethodGet, p.URL, nil); a.Body != c.want {
				t.Errorf("%d %s", a.Status, a.Body)
			}
		})
	}
}

// TestProxyOfTheEnvironment: a proxy that the environment names gets nothing.
func TestProxyOfTheEnvironment(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	elsewhere := authproxytest.Serve(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	// The sandbox would keep the program from that proxy, wherever it went.
	config := "sandbox: off\n" + newIssuer(t).config("http://platform.invalid", "allow_plain_http: true", "connect_timeout: 1s")
	p := authproxytest.Start(t, config, "HTTP_PROXY="+elsewhere, "HTTPS_PROXY="+elsewhere, "ALL_PROXY="+elsewhere, "http_proxy="+elsewhere)
	if a := authproxytest.Ask(t, http.MethodGet, p.URL, nil); a.Code() == "" || asked.Load() > 0 {
		t.Errorf("%d %s; %d requests went to the proxy", a.Status, a.Body, asked.Load())
	}
}

// httpProxy starts a forward proxy that wants a password, and for which every
// name is the address to. It speaks for one request a connection.
func httpProxy(t *testing.T, to string) string {
	return "http://user:pass@" + rawtest.Listen(t, func(conn net.Conn, in *bufio.Reader) {
		r, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		if r.Header.Get("Proxy-Authorization") != "Basic dXNlcjpwYXNz" {
			_, _ = io.WriteString(conn, "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
			return
		}
		if r.Method == http.MethodConnect {
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\n\r\n")
			join(conn, in, to)
			return
		}
		r.RequestURI = ""
		r.Header.Del("Proxy-Authorization")
		transport := &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, to)
		}}
		if resp, err := transport.RoundTrip(r); err == nil {
			resp.Close = true
			_ = resp.Write(conn)
		}
	})
}

// socks5Proxy starts a proxy of RFC 1928 for which every name is the address to.
func socks5Proxy(t *testing.T, to string) string {
	return "socks5://" + rawtest.Listen(t, func(conn net.Conn, in *bufio.Reader) {
		greeting := make([]byte, 2)
		if _, err := io.ReadFull(in, greeting); err != nil {
			return
		}
		_, _ = in.Discard(int(greeting[1]))
		_, _ = conn.Write([]byte{5, 0})
		request := make([]byte, 5) // version, CONNECT, reserved, kind of address, length of the name
		if _, err := io.ReadFull(in, request); err != nil || request[3] != 3 {
			t.Errorf("the proxy got %v: not a name", request)
			return
		}
		name := make([]byte, int(request[4])+2)
		if _, err := io.ReadFull(in, name); err != nil || string(name[:request[4]]) != "platform.example" {
			t.Errorf("the proxy got the name %q", name)
			return
		}
		_, _ = conn.Write([]byte{5, 0, 0, 1, 0, 0, 0, 0, 0, 0})
		join(conn, in, to)
	})
}

// join passes bytes between a client and the address to, until either ends.
func join(client net.Conn, in io.Reader, to string) {
	server, err := net.Dial("tcp", to)
	if err != nil {
		return
	}
	defer server.Close()
	go func() {
		_, _ = io.Copy(server, in)
		server.Close()
	}()
	_, _ = io.Copy(client, server)
}
