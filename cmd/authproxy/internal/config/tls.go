package config

import (
	"crypto/tls"
	"crypto/x509"
	"os"
	"slices"
	"strings"

	"authproxy/cmd/authproxy/internal/config/tree"
)

// TLS says how a server is verified and how authproxy shows who it is. The zero TLS trusts what the
// system trusts. Paths are seen from the folder of the configuration file.
type TLS struct {
	CAFile     string `yaml:"ca_file"` // trusted instead of the system's
	CertFile   string `yaml:"cert_file"`
	KeyFile    string `yaml:"key_file"`
	ServerName string `yaml:"server_name"` // instead of the host of the URL
	MinVersion string `yaml:"min_version" default:"1.2" oneof:"1.0|1.1|1.2|1.3"`
	// CipherSuites are the names of those up to TLS 1.2, as crypto/tls has them; none: its choice.
	CipherSuites       []string `yaml:"cipher_suites" rule:"cipher"`
	InsecureSkipVerify bool     `yaml:"insecure_skip_verify"`
}

// tls finishes t, which was read from n.
func (p *parser) tls(n *tree.Node, t *TLS) {
	t.CAFile, t.CertFile, t.KeyFile = p.resolvePath(t.CAFile), p.resolvePath(t.CertFile), p.resolvePath(t.KeyFile)
	p.authorities(n.Get("ca_file"), t.CAFile)
	p.pair(n, t.CertFile, t.KeyFile)
	if t.ServerName != "" && !isHost(strings.ToLower(t.ServerName)) {
		p.fault(n.Get("server_name"), "is not the name of a server", "write it as it stands in the certificate, without a port")
	}
	p.oldTLS(n, t)
	if t.InsecureSkipVerify {
		p.warn(n.Get("insecure_skip_verify"), "the server is not verified: anybody on the way can read tokens",
			"give its certificate authority in ca_file")
	}
}

// authorities checks the certificates in the file at path, which n names.
func (p *parser) authorities(n *tree.Node, path string) {
	if ca := p.file(n, path); ca != nil && !x509.NewCertPool().AppendCertsFromPEM(ca) {
		p.fault(n, "the file holds no certificate in PEM form", "give the one that begins with -----BEGIN CERTIFICATE-----")
	}
}

// oldTLS warns of what is allowed for the sake of an old server.
func (p *parser) oldTLS(n *tree.Node, t *TLS) {
	if t.MinVersion == "1.0" || t.MinVersion == "1.1" {
		p.warn(n.Get("min_version"), "TLS "+t.MinVersion+" is broken: who is on the way may be able to read the token",
			"have the other side speak TLS 1.2, and take this out then")
	}
	var weak []string
	for _, suite := range tls.InsecureCipherSuites() {
		if contains(t.CipherSuites, suite.Name) {
			weak = append(weak, suite.Name)
		}
	}
	switch at := n.Get("cipher_suites"); {
	case len(weak) > 0:
		p.warn(at, "known to be weak: "+strings.Join(weak, ", "), "have the other side take a better one, and take these out then")
	case len(t.CipherSuites) > 0 && t.MinVersion == "1.3":
		p.warn(at, "has no effect: those of TLS 1.3 cannot be chosen", "remove it, or write min_version: \"1.2\"")
	}
}

// cipherSuites are the names that cipher_suites may hold.
func cipherSuites() []string {
	var names []string
	for _, suite := range slices.Concat(tls.CipherSuites(), tls.InsecureCipherSuites()) {
		if !slices.Equal(suite.SupportedVersions, []uint16{tls.VersionTLS13}) {
			names = append(names, suite.Name)
		}
	}
	return names
}

// pair checks the certificate and its key in these files, which n names.
func (p *parser) pair(n *tree.Node, certFile, keyFile string) {
	given := map[string]bool{"cert_file": certFile != "", "key_file": keyFile != ""}
	for name, other := range map[string]string{"cert_file": "key_file", "key_file": "cert_file"} {
		if given[name] && n.Get(other).Blank() {
			p.fault(n.Missing(other, tree.Scalar), missing, "cert_file and key_file belong together")
		}
	}
	cert, key := p.file(n.Get("cert_file"), certFile), p.file(n.Get("key_file"), keyFile)
	if cert == nil || key == nil {
		return
	}
	p.guarded(n.Get("key_file"), keyFile)
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
		what, fix, _ := strings.Cut(unreadable(err).Error(), "; ")
		p.fault(n, "the file "+path+" "+what, fix)
		return nil
	}
	return data
}
