package dial

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
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
	// MinVersion is 1.3, or 1.2 for anything else.
	MinVersion string
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
	c := &tls.Config{ServerName: t.ServerName, InsecureSkipVerify: t.InsecureSkipVerify, MinVersion: tls.VersionTLS12}
	if t.MinVersion == "1.3" {
		c.MinVersion = tls.VersionTLS13
	}
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
