package listen

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Files are what TLS is spoken with to callers.
type Files struct {
	// CertFile and KeyFile are the certificate that is shown, with those it hangs on, and
	// its key.
	CertFile, KeyFile string
	// ClientCAFile holds the authorities of callers; empty: nobody has to show a
	// certificate.
	ClientCAFile string
	// MinVersion is the number of the oldest that is spoken, as crypto/tls has it; 0: TLS 1.2.
	MinVersion uint16
}

// Paths are those that are named.
func (f Files) Paths() []string {
	var paths []string
	for _, path := range []string{f.CertFile, f.KeyFile, f.ClientCAFile} {
		if path != "" {
			paths = append(paths, path)
		}
	}
	return paths
}

// TLS is how listeners speak TLS to callers. It is safe for concurrent use.
type TLS struct {
	files Files
	now   atomic.Pointer[secured]
}

// secured is what the files hold.
type secured struct {
	config  *tls.Config
	clients *x509.CertPool // nil: nobody has to show a certificate
}

// NewTLS reads the files. An error names the key of the configuration.
func NewTLS(files Files) (*TLS, error) {
	t := &TLS{files: files}
	return t, t.Renew()
}

// Renew reads the files again; with an error, what was read before goes on counting. It
// holds for new connections; whether a caller is known is judged anew on all.
func (t *TLS) Renew() error {
	pair, err := tls.LoadX509KeyPair(t.files.CertFile, t.files.KeyFile)
	if err != nil {
		return fmt.Errorf("listen_tls.cert_file and key_file: %w", err)
	}
	next := &secured{config: &tls.Config{
		Certificates: []tls.Certificate{pair}, MinVersion: cmp.Or(t.files.MinVersion, tls.VersionTLS12),
		NextProtos: []string{"h2", "http/1.1"}, // the server tells HTTP/2 by its preface
	}}
	if t.files.ClientCAFile != "" {
		pem, err := os.ReadFile(t.files.ClientCAFile)
		if err != nil {
			return fmt.Errorf("listen_tls.client_ca_file: %w", err)
		}
		next.clients = x509.NewCertPool()
		if !next.clients.AppendCertsFromPEM(pem) {
			return fmt.Errorf("listen_tls.client_ca_file: %s holds no certificate in PEM form", t.files.ClientCAFile)
		}
		// It is verified with each request, by [TLS.Known]: so a caller is told what is
		// wrong, which an alert in the handshake does not, and a new authority counts at once.
		next.config.ClientAuth, next.config.ClientCAs = tls.RequestClientCert, next.clients
	}
	t.now.Store(next)
	return nil
}

// callerKey is where the context of a connection holds its caller.
type callerKey struct{}

// caller is who is at the other end of a connection with TLS.
type caller struct {
	conn    *tlsConn
	once    sync.Once
	state   *tls.ConnectionState
	verdict atomic.Pointer[verdict]
}

// verdict is what was found of a certificate.
type verdict struct {
	by    *secured
	until time.Time // when it may be another; zero: never
	err   error
}

// MarkTLS notes in r that it came by TLS, where it did.
func MarkTLS(r *http.Request) {
	if c, ok := r.Context().Value(callerKey{}).(*caller); ok {
		r.TLS = c.read()
	}
}

// read returns the state of the connection, whose handshake is done.
func (c *caller) read() *tls.ConnectionState {
	c.once.Do(func() {
		state := c.conn.tls.ConnectionState()
		c.state = &state
	})
	return c.state
}

// subject is the name in the caller's certificate, or, where it has none, the first that it is
// good for; empty unless it was found good.
func (c *caller) subject() string {
	v := c.verdict.Load()
	if v == nil || v.err != nil {
		return ""
	}
	switch cert := c.read().PeerCertificates[0]; {
	case len(cert.Subject.Names) > 0:
		return cert.Subject.String()
	case len(cert.URIs) > 0: // such as a SPIFFE ID
		return cert.URIs[0].String()
	case len(cert.DNSNames) > 0:
		return cert.DNSNames[0]
	}
	return ""
}

var (
	errNoTLS  = errors.New("who calls is known by a certificate, and this connection is without TLS: call https://")
	errNoCert = errors.New("the caller showed no certificate: give it one of an authority in listen_tls.client_ca_file, and its key")
)

// Known returns nil for a caller who has shown a certificate of the authorities, or of
// whom none is asked.
func (t *TLS) Known(r *http.Request) error {
	now := t.now.Load()
	if now.clients == nil {
		return nil
	}
	c, ok := r.Context().Value(callerKey{}).(*caller)
	if !ok {
		return errNoTLS
	}
	last := c.verdict.Load()
	if last == nil || last.by != now || !last.until.IsZero() && time.Now().After(last.until) {
		last = now.judge(c.read().PeerCertificates)
		c.verdict.Store(last)
	}
	return last.err
}

// judge verifies what a caller has shown.
func (s *secured) judge(shown []*x509.Certificate) *verdict {
	if len(shown) == 0 {
		return &verdict{by: s, err: errNoCert}
	}
	between := x509.NewCertPool()
	for _, c := range shown[1:] {
		between.AddCert(c)
	}
	chains, err := shown[0].Verify(x509.VerifyOptions{Roots: s.clients, Intermediates: between, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	if err != nil {
		v := &verdict{by: s, err: fmt.Errorf("the certificate of %.200q is not accepted: %s", shown[0].Subject, refused(err))}
		if time.Now().Before(shown[0].NotBefore) {
			v.until = shown[0].NotBefore
		}
		return v
	}
	until := chains[0][0].NotAfter
	for _, c := range chains[0] {
		if c.NotAfter.Before(until) {
			until = c.NotAfter
		}
	}
	return &verdict{by: s, until: until}
}

// refused says why a certificate is not accepted, and what to do.
func refused(err error) string {
	var invalid x509.CertificateInvalidError
	switch {
	case errors.As(err, new(x509.UnknownAuthorityError)):
		return "its authority is none of listen_tls.client_ca_file: add that, or have the caller show another"
	case errors.As(err, &invalid) && invalid.Reason == x509.IncompatibleUsage:
		return "it is not for clients (extended key usage): issue one with clientAuth"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "it has expired or is not valid yet: issue another, and see whether the clocks are right"
	}
	return strings.TrimPrefix(err.Error(), "x509: ")
}
