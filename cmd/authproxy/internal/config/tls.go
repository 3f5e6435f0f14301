package config

import (
	"crypto/tls"
	"crypto/x509"
	"os"
	"strings"

	"authproxy/cmd/authproxy/internal/config/tree"
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

// tls finishes t, which was read from n.
func (p *parser) tls(n *tree.Node, t *TLS) {
	t.CAFile, t.CertFile, t.KeyFile = p.resolvePath(t.CAFile), p.resolvePath(t.CertFile), p.resolvePath(t.KeyFile)
	if ca := p.file(n.Get("ca_file"), t.CAFile); ca != nil && !x509.NewCertPool().AppendCertsFromPEM(ca) {
		p.fault(n.Get("ca_file"), "the file holds no certificate in PEM form", "give the one that begins with -----BEGIN CERTIFICATE-----")
	}
	p.pair(n, t)
	if t.ServerName != "" && !isHost(strings.ToLower(t.ServerName)) {
		p.fault(n.Get("server_name"), "is not the name of a server", "write it as it stands in the certificate, without a port")
	}
	if t.InsecureSkipVerify {
		p.warn(n.Get("insecure_skip_verify"), "the server is not verified: anybody on the way can read tokens",
			"give its certificate authority in ca_file")
	}
}

// pair checks the certificate of t and its key.
func (p *parser) pair(n *tree.Node, t *TLS) {
	given := map[string]bool{"cert_file": t.CertFile != "", "key_file": t.KeyFile != ""}
	for name, other := range map[string]string{"cert_file": "key_file", "key_file": "cert_file"} {
		if given[name] && n.Get(other).Blank() {
			p.fault(n.Missing(other, tree.Scalar), "missing", "cert_file and key_file belong together")
		}
	}
	cert, key := p.file(n.Get("cert_file"), t.CertFile), p.file(n.Get("key_file"), t.KeyFile)
	if cert == nil || key == nil {
		return
	}
	p.guarded(n.Get("key_file"), t.KeyFile)
	if _, err := tls.X509KeyPair(cert, key); err != nil {
		p.fault(n.Get("cert_file"), "is no pair with key_file ("+err.Error()+")", "give a certificate in PEM form and the key that belongs to it")
	}
}

// file reads the file at path, which n names, and returns nil when there is none or it cannot be read.
func (p *parser) file(n *tree.Node, path string) []byte {
	if path == "" {
		return nil
	}
	data, err := os.ReadFile(path)
	if err != nil {
		p.fault(n, "the file cannot be read ("+reason(err).Error()+")", "check path and permissions")
		return nil
	}
	return data
}
