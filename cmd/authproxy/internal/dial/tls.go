package dial

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
)

// TLS says how the other side is verified and how authproxy shows who it is.
// The zero TLS trusts what the system trusts.
type TLS struct {
	// CAFile holds the certificates that are trusted instead of the system's.
	CAFile string
	// CertFile and KeyFile are the certificate to show, and its key.
	CertFile, KeyFile string
	// ServerName stands in the certificate, instead of the host of the URL.
	ServerName string
	// MinVersion is the number of the oldest that is spoken, as crypto/tls has it; 0: TLS 1.2.
	MinVersion uint16
	// CipherSuites are the names of those up to TLS 1.2, with commas; empty: crypto/tls's
	// choice. Names that it does not know count for nothing.
	CipherSuites string
	// InsecureSkipVerify: nothing is verified.
	InsecureSkipVerify bool
}

// Files returns the paths of the files that are named.
func (t TLS) Files() []string {
	var files []string
	for _, file := range []string{t.CAFile, t.CertFile, t.KeyFile} {
		if file != "" {
			files = append(files, file)
		}
	}
	return files
}

// config reads the files. An error names the file, or the keys.
func (t TLS) config() (*tls.Config, error) {
	c := &tls.Config{ServerName: t.ServerName, InsecureSkipVerify: t.InsecureSkipVerify, MinVersion: cmp.Or(t.MinVersion, tls.VersionTLS12)}
	c.CipherSuites = t.suites()
	if t.CAFile != "" {
		pem, err := os.ReadFile(t.CAFile)
		if err != nil {
			return nil, fmt.Errorf("ca_file: %w", err)
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("ca_file: %s holds no certificate in PEM form", t.CAFile)
		}
	}
	if t.CertFile == "" && t.KeyFile == "" {
		return c, nil
	}
	if t.CertFile == "" || t.KeyFile == "" {
		return nil, errors.New("cert_file and key_file belong together")
	}
	pair, err := tls.LoadX509KeyPair(t.CertFile, t.KeyFile)
	if err != nil {
		return nil, fmt.Errorf("cert_file and key_file: %w", err)
	}
	c.Certificates = []tls.Certificate{pair}
	return c, nil
}

// TLSConfig returns what t says, for others than a [Pool].
func TLSConfig(t TLS) (*tls.Config, error) { return t.config() }

// suites returns the cipher suites that are named; nil for none.
func (t TLS) suites() []uint16 {
	var ids []uint16
	names := strings.Split(t.CipherSuites, ",")
	for _, suite := range slices.Concat(tls.CipherSuites(), tls.InsecureCipherSuites()) {
		if slices.Contains(names, suite.Name) {
			ids = append(ids, suite.ID)
		}
	}
	return ids
}
