package trouble

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// side is another side, how it is called, and what the finding has to say.
type side struct {
	url        func(t *testing.T) string
	client     *tls.Config
	proxy      func(t *testing.T) string
	what, todo string
}

// listenTCP serves each connection by handle, and returns the address.
func listenTCP(t *testing.T, handle func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				handle(conn)
			}()
		}
	}()
	return l.Addr().String()
}

func closed(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// secure serves TLS by config, whose certificate runs from one time to another.
func secure(from, to time.Duration, config *tls.Config, names ...string) func(t *testing.T) string {
	return func(t *testing.T) string {
		s := httptest.NewUnstartedServer(http.NotFoundHandler())
		s.Config.ErrorLog = log.New(io.Discard, "", 0)
		config.Certificates = []tls.Certificate{certificate(t, from, to, names...)}
		s.TLS = config
		s.StartTLS()
		t.Cleanup(s.Close)
		return s.URL
	}
}

func certificate(t *testing.T, from, to time.Duration, names ...string) tls.Certificate {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Platform"}, DNSNames: names,
		NotBefore: time.Now().Add(from), NotAfter: time.Now().Add(to),
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment | x509.KeyUsageCertSign, IsCA: true, BasicConstraintsValid: true,
	}
	if names == nil {
		template.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)}
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048) // a key exchange by RSA needs one
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func says(text string) func(net.Conn) {
	return func(conn net.Conn) {
		_, _ = conn.Read(make([]byte, 4096))
		_, _ = io.WriteString(conn, text)
	}
}

func at(scheme string, address func(t *testing.T) string) func(t *testing.T) string {
	return func(t *testing.T) string { return scheme + "://" + address(t) }
}

func tcp(handle func(net.Conn)) func(t *testing.T) string {
	return func(t *testing.T) string { return listenTCP(t, handle) }
}

func is(url string) func(t *testing.T) string { return func(*testing.T) string { return url } }

const day = 24 * time.Hour

func sides() map[string]side {
	unverified := &tls.Config{InsecureSkipVerify: true}
	old := &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}
	rsaOnly := &tls.Config{MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_RSA_WITH_AES_128_GCM_SHA256}}
	return map[string]side{
		"nothing listens":           {url: at("http", closed), what: "nothing listens at 127.0.0.1:", todo: "host and port in url"},
		"plain HTTP under https":    {url: at("https", tcp(says("HTTP/1.1 400 Bad Request\r\n\r\n"))), what: "speaks plain HTTP", todo: "http://"},
		"another protocol at https": {url: at("https", tcp(says("SSH-2.0-x\r\n"))), what: "does not speak TLS", todo: "port"},
		"closed in the handshake":   {url: at("https", tcp(func(net.Conn) {})), what: "closed the connection", todo: "port"},
		"TLS under http":            {url: at("http", tcp(says("\x15\x03\x01\x00\x02\x02\x0a"))), what: "speaks TLS", todo: "https://"},
		"HTTP/2 under http":         {url: at("http", tcp(says("\x00\x00\x12\x04\x00\x00\x00\x00\x00"))), what: "speaks HTTP/2", todo: "h2c"},
		"a shell":                   {url: at("http", tcp(says("SSH-2.0-OpenSSH_9.9\r\n"))), what: "another protocol", todo: "port"},
		"something else":            {url: at("http", tcp(says("220 mail ESMTP\r\n\r\n"))), what: "is not HTTP", todo: "port"},
		"no answer":                 {url: at("http", tcp(says(""))), what: "closed the connection without an answer", todo: "its log"},
		"an unknown authority":      {url: secure(-day, day, &tls.Config{}), what: "not trusted here (it is signed by itself: \"CN=Platform\")", todo: "tls.ca_file"},
		"TLS 1.1":                   {url: secure(-day, day, old), client: unverified, what: "tls.min_version", todo: `min_version: "1.0"`},
		"RSA key exchange":          {url: secure(-day, day, rsaOnly), client: unverified, what: "no cipher suite or key exchange in common", todo: "tls.cipher_suites"},
		"a client certificate":      {url: secure(-day, day, &tls.Config{ClientAuth: tls.RequireAnyClientCert}), client: unverified, what: "client certificate", todo: "tls.cert_file"},
		"an unknown name":           {url: is("http://platform.invalid"), what: `the name "platform.invalid"`, todo: "the name server"},
		"a proxy that is away":      {url: is("https://platform.example"), proxy: at("http", closed), what: "the proxy of proxy_url cannot be used: nothing listens", todo: "proxy_url"},
		"a proxy with a password":   {url: is("https://platform.example"), proxy: at("http", tcp(says("HTTP/1.1 407 P\r\nContent-Length: 0\r\n\r\n"))), what: "answered 407", todo: "user and the password"},
		"a proxy that refuses":      {url: is("https://platform.example"), proxy: at("http", tcp(says("HTTP/1.1 403 F\r\nContent-Length: 0\r\n\r\n"))), what: "answered 403", todo: "let CONNECT"},
		"a proxy that cannot":       {url: is("https://platform.example"), proxy: at("http", tcp(says("HTTP/1.1 502 B\r\nContent-Length: 0\r\n\r\n"))), what: "answered 502", todo: "why it cannot reach"},
	}
}

// TestFind: every kind of other side that does not work is told apart, and the message
// names the key to change.
func TestFind(t *testing.T) {
	for name, s := range sides() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			to := s.url(t)
			transport := &http.Transport{TLSClientConfig: s.client.Clone(), OnProxyConnectResponse: func(_ context.Context, _ *url.URL, _ *http.Request, answer *http.Response) error {
				if answer.StatusCode == http.StatusOK {
					return nil
				}
				return &net.OpError{Op: "proxyconnect", Net: "tcp", Err: ProxyStatus(answer.StatusCode)}
			}}
			if s.proxy != nil {
				by, err := url.Parse(s.proxy(t))
				if err != nil {
					t.Fatal(err)
				}
				transport.Proxy = http.ProxyURL(by)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			req, err := http.NewRequestWithContext(ctx, http.MethodGet, to, nil)
			if err != nil {
				t.Fatal(err)
			}
			resp, err := transport.RoundTrip(req)
			if err == nil {
				_ = resp.Body.Close()
				t.Fatalf("it was answered with %d", resp.StatusCode)
			}
			check(t, err, Side{Scheme: req.URL.Scheme, Host: req.URL.Host, URL: "url", Timeout: "connect_timeout"}, s.what, s.todo)
		})
	}
}

func check(t *testing.T, err error, s Side, what, todo string) {
	t.Helper()
	f, ok := Find(err, s)
	if !ok || !strings.Contains(f.What, what) || !strings.Contains(f.Todo, todo) {
		t.Errorf("%v (%T): %t %q, %q; want %q and %q", err, err, ok, f.What, f.Todo, what, todo)
	}
}

// TestFindInWords: what no server on this machine can show.
func TestFindInWords(t *testing.T) {
	dial := func(code syscall.Errno) error {
		return fmt.Errorf("x: %w", &net.OpError{Op: "dial", Net: "tcp", Addr: &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 443}, Err: os.NewSyscallError("connect", code)})
	}
	remote := func(text string) error {
		return &net.OpError{Op: "remote error", Err: errors.New("tls: " + text)}
	}
	for _, c := range []struct {
		err        error
		what, todo string
	}{
		{dial(syscall.ENETUNREACH), "no way from here to 192.0.2.1:443", "network of this machine"},
		{dial(syscall.EHOSTUNREACH), "no way from here", "network"},
		{dial(syscall.EACCES), "does not let the process connect", "sandbox: off"},
		{dial(syscall.ETIMEDOUT), "nothing answered at 192.0.2.1:443", "proxy_url"},
		{dial(syscall.EMFILE), "may not open more files", "ulimit -n"},
		{&net.OpError{Op: "dial", Net: "tcp", Err: os.ErrDeadlineExceeded}, "nothing answered at the other side", "connect_timeout"},
		{&net.OpError{Op: "socks connect", Net: "tcp", Err: errors.New("p4ssw0rd")}, "the proxy of proxy_url cannot be used", "password in proxy_url"},
		{&net.DNSError{Name: "x.example", IsTimeout: true}, "no name server answered", "/etc/resolv.conf"},
		{&net.DNSError{Name: "x.example", Err: "server misbehaving"}, "cannot be looked up (server misbehaving)", "host in url"},
		{syscall.ECONNRESET, "closed the connection without an answer", "log"},
		{io.ErrUnexpectedEOF, "closed the connection without an answer", "log"},
		{ErrHandshakeSlow, "no TLS: the handshake was not over in time", "connect_timeout"},
		{ErrHandshakeClosed, "no TLS: the other side closed", "tls.server_name"},
		{errors.New("tls: server selected unsupported protocol version 301"), "speaks TLS 1.0", "1.0"},
		{remote("protocol version not supported"), "does not speak the TLS versions", "1.0"},
		{remote("unrecognized name"), "does not know the name", "tls.server_name"},
		{remote("insufficient security level"), "stronger TLS", "tls.cipher_suites"},
		{remote("bad record MAC"), "ended by the other side (bad record MAC)", "tls"},
		{errors.New("tls: invalid signature by the server certificate: x"), "ended by authproxy", "tls"},
		{x509.SystemRootsError{}, "has no certificate authorities", "ca-certificates"},
		{context.DeadlineExceeded, "no answer in time", "busy"},
	} {
		check(t, c.err, Side{Scheme: "https", Host: "x.example", URL: "url", Timeout: "connect_timeout"}, c.what, c.todo)
	}
	if f, ok := Find(errors.New("t0ken"), Side{}); ok || strings.Contains(f.What, "t0ken") {
		t.Errorf("%v %v", f, ok)
	}
}

// TestCertificates: what is wrong with a certificate that an authority has signed.
func TestCertificates(t *testing.T) {
	for _, c := range []struct {
		from, to   time.Duration
		names      []string
		what, todo string
	}{
		{-2 * day, -day, []string{"x.example"}, "has expired at ", "set the clock"},
		{day, 2 * day, []string{"x.example"}, "valid only from ", "set the clock"},
		{-day, day, []string{"a.example", "b.example", "c.example", "d.example", "e.example"}, "is for a.example, b.example, c.example, d.example and others and not for \"x.example\"", "tls.server_name"},
	} {
		pair := certificate(t, c.from, c.to, c.names...)
		leaf, err := x509.ParseCertificate(pair.Certificate[0])
		if err != nil {
			t.Fatal(err)
		}
		roots := x509.NewCertPool()
		roots.AddCert(leaf)
		_, err = leaf.Verify(x509.VerifyOptions{Roots: roots, DNSName: "x.example"})
		check(t, &tls.CertificateVerificationError{Err: err}, Side{URL: "url"}, c.what, c.todo)
	}
}

// TestSockets: of a unix socket the path and the user stand in the message.
func TestSockets(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("unix sockets are another thing here")
	}
	folder := t.TempDir()
	dead := filepath.Join(folder, "dead")
	l, err := net.Listen("unix", dead)
	if err != nil {
		t.Fatal(err)
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false)
	_ = l.Close()
	for path, what := range map[string]string{
		filepath.Join(folder, "none"): "there is no socket " + folder,
		dead:                          "nobody listens at the socket " + dead,
	} {
		_, err := net.Dial("unix", path)
		check(t, err, Side{URL: "url"}, what, "start the program")
	}
	denied := &net.OpError{Op: "dial", Net: "unix", Addr: &net.UnixAddr{Name: dead, Net: "unix"}, Err: os.NewSyscallError("connect", syscall.EACCES)}
	check(t, denied, Side{URL: "url"}, fmt.Sprintf("uid %d, may not use the socket %s", os.Getuid(), dead), "group")
}
