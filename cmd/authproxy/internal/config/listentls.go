package config

import (
	"crypto/x509"
	"encoding/pem"
	"slices"
	"time"

	"authproxy/cmd/authproxy/internal/config/tree"
)

// ListenTLS is the TLS that callers speak; the zero ListenTLS: none. Paths are seen from the folder of
// the configuration file.
type ListenTLS struct {
	CertFile     string `yaml:"cert_file"`
	KeyFile      string `yaml:"key_file"`
	ClientCAFile string `yaml:"client_ca_file"` // of the certificates that callers must show; empty: none
	MinVersion   string `yaml:"min_version" default:"1.2" oneof:"1.0|1.1|1.2|1.3"`
}

// listenTLS finishes cfg.ListenTLS.
func (p *parser) listenTLS(root *tree.Node, cfg *Config) {
	n, t := root.Child("listen_tls"), &cfg.ListenTLS
	t.CertFile, t.KeyFile, t.ClientCAFile = p.resolvePath(t.CertFile), p.resolvePath(t.KeyFile), p.resolvePath(t.ClientCAFile)
	p.pair(n, t.CertFile, t.KeyFile)
	p.authorities(n.Get("client_ca_file"), t.ClientCAFile)
	if t.CertFile == "" {
		if t.ClientCAFile != "" && t.KeyFile == "" {
			p.fault(n.Missing("cert_file", tree.Scalar), missing, "callers show a certificate only where authproxy shows one: give cert_file and key_file")
		}
		return
	}
	p.shown(n.Get("cert_file"), t.CertFile)
	if t.MinVersion == "1.0" || t.MinVersion == "1.1" {
		p.warn(n.Get("min_version"), "TLS "+t.MinVersion+" is broken: who is on the way may be able to read along", "write \"1.2\" as soon as the callers can")
	}
	if !slices.ContainsFunc(cfg.Upstreams, func(u Upstream) bool { return !listenerOf(cfg, u).IsUnix() }) {
		p.warn(n, "has no effect: all listeners are unix sockets, which speak no TLS", "remove it, or listen on host:port")
	}
}

// shown warns of a certificate that callers will not accept.
func (p *parser) shown(n *tree.Node, path string) {
	block, _ := pem.Decode(p.file(n, path))
	if block == nil {
		return // a fault already
	}
	c, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return
	}
	now := time.Now()
	switch {
	case now.After(c.NotAfter):
		p.warn(n, "the certificate has expired ("+c.NotAfter.UTC().Format(time.DateTime)+" UTC): callers refuse it", "issue another; it is read without a restart")
	case now.Before(c.NotBefore):
		p.warn(n, "the certificate is not valid before "+c.NotBefore.UTC().Format(time.DateTime)+" UTC: callers refuse it", "see whether the clock of this machine is right")
	case len(c.DNSNames)+len(c.IPAddresses) == 0:
		p.warn(n, "the certificate names no host (subject alternative name): callers refuse it", "issue one with DNS:localhost, IP:127.0.0.1 or what callers call")
	}
}
