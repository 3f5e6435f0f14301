package config

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
)

// TLS says how a server is verified and how authproxy shows who it is. The zero TLS trusts what the
// system trusts. Paths are seen from the folder of the configuration file.
type TLS struct {
	CAFile             string `yaml:"ca_file"` // trusted instead of the system's
	CertFile           string `yaml:"cert_file"`
	KeyFile            string `yaml:"key_file"`
	ServerName         string `yaml:"server_name"` // instead of the host of the URL
	MinVersion         string `yaml:"min_version" default:"1.2" oneof:"1.2|1.3"`
	InsecureSkipVerify bool   `yaml:"insecure_skip_verify"`
}

// Config reads the files and returns what crypto/tls needs. An error names the file.
func (t TLS) Config() (*tls.Config, error) {
	c := &tls.Config{
		ServerName:         t.ServerName,
		InsecureSkipVerify: t.InsecureSkipVerify,
		MinVersion:         tls.VersionTLS12,
	}
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

// tls finishes t, which was read from n.
func (p *parser) tls(n *node, t *TLS) {
	t.CAFile, t.CertFile, t.KeyFile = p.resolvePath(t.CAFile), p.resolvePath(t.CertFile), p.resolvePath(t.KeyFile)
	if _, err := t.Config(); err != nil {
		p.fault(n, err.Error(), "")
	}
	if t.InsecureSkipVerify {
		p.warn(n.get("insecure_skip_verify"), "the server is not verified: anybody on the way can read tokens",
			"give its certificate authority in ca_file")
	}
}
