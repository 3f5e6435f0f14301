package config

import (
	"crypto/tls"
	"sync"
)

// clientCert is a certificate to show whose files may be exchanged: it is read for each new connection.
type clientCert struct {
	certFile, keyFile string
	warn              func(error)

	mu     sync.Mutex
	last   *tls.Certificate
	failed string // the fault that was warned of
}

// read reads the files.
func (c *clientCert) read() error {
	pair, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil {
		return err
	}
	c.last, c.failed = &pair, ""
	return nil
}

// current returns what the files hold now. While they cannot be read, or are no pair because one of them
// is new already, it is what they held before, and warn is told once. A server that wants the certificate
// of another authority gets none, as with the standard library.
func (c *clientCert) current(wanted *tls.CertificateRequestInfo) (*tls.Certificate, error) {
	err := c.read()
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil && c.failed != err.Error() {
		c.failed = err.Error()
		c.warn(err)
	}
	if wanted.SupportsCertificate(c.last) != nil {
		return new(tls.Certificate), nil
	}
	return c.last, nil
}
