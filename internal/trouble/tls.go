package trouble

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"
)

// tls explains why no TLS came about.
func (s Side) tls(err error) (Finding, bool) {
	f, ok := s.handshake(err)
	return Finding{"no TLS: " + f.What, f.Todo}, ok
}

func (s Side) handshake(err error) (Finding, bool) {
	var record tls.RecordHeaderError
	switch {
	case errors.Is(err, ErrHandshakeClosed):
		return Finding{"the other side closed the connection in the handshake", "check that " + s.URL + " gives a port for https; a firewall or a proxy on the way may close what it does not know by name (tls.server_name)"}, true
	case errors.Is(err, ErrHandshakeSlow), innermost(err) == "net/http: TLS handshake timeout":
		return Finding{"the handshake was not over in time", "check that " + s.URL + " gives a port for https; a slow way needs a larger " + s.Timeout}, true
	case errors.As(err, &record):
		if string(record.RecordHeader[:]) == "HTTP/" {
			return Finding{"the other side speaks plain HTTP at this port, and not TLS", "write http:// in " + s.URL + ", or give its port for https"}, true
		}
		return Finding{"the other side does not speak TLS at this port", "check port and scheme in " + s.URL}, true
	}
	if f, ok := s.certificate(err); ok {
		return f, true
	}
	text := innermost(err)
	if !strings.HasPrefix(text, "tls: ") {
		return Finding{}, false
	}
	return s.alert(strings.TrimPrefix(text, "tls: "), err), true
}

// certificate explains why the other side's certificate is not believed.
func (s Side) certificate(err error) (Finding, bool) {
	var (
		verification *tls.CertificateVerificationError
		authority    x509.UnknownAuthorityError
		invalid      x509.CertificateInvalidError
		name         x509.HostnameError
		roots        x509.SystemRootsError
	)
	switch {
	case errors.As(err, &authority):
		return Finding{"its certificate comes from an authority that is not trusted here" + issuer(authority.Cert), "give that authority's certificate in tls.ca_file, or check the one that stands there"}, true
	case errors.As(err, &name):
		return Finding{fmt.Sprintf("its certificate is for %s and not for %q", namesOf(name.Certificate), name.Host), "check the host in " + s.URL + ", or write the name in the certificate into tls.server_name"}, true
	case errors.As(err, &roots):
		return Finding{"this system has no certificate authorities", "install ca-certificates, or give the authority in tls.ca_file"}, true
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired && invalid.Cert != nil:
		return validity(invalid.Cert, time.Now()), true
	case errors.As(err, &invalid):
		return Finding{"its certificate is not valid: " + strings.TrimPrefix(invalid.Error(), "x509: "), "ask who operates it; tls.ca_file says which authority counts"}, true
	case errors.As(err, &verification):
		return Finding{"its certificate is not valid: " + strings.TrimPrefix(innermost(verification), "x509: "), "ask who operates it; tls.ca_file says which authority counts"}, true
	}
	return Finding{}, false
}

// validity explains a certificate that is not valid at this time.
func validity(cert *x509.Certificate, now time.Time) Finding {
	what := "its certificate has expired at " + cert.NotAfter.UTC().Format(time.RFC3339)
	if now.Before(cert.NotBefore) {
		what = "its certificate is valid only from " + cert.NotBefore.UTC().Format(time.RFC3339) + " on"
	}
	return Finding{what + ", and this machine's clock says " + now.UTC().Format(time.RFC3339), "set the clock if it is wrong; else the other side needs a new certificate"}
}

func issuer(cert *x509.Certificate) string {
	switch {
	case cert == nil:
		return ""
	case cert.Issuer.String() == cert.Subject.String():
		return fmt.Sprintf(" (it is signed by itself: %q)", cert.Subject.String())
	}
	return fmt.Sprintf(" (%q)", cert.Issuer.String())
}

// namesOf returns the first names for which cert is.
func namesOf(cert *x509.Certificate) string {
	if cert == nil {
		return "another host"
	}
	names := append([]string{}, cert.DNSNames...)
	for _, ip := range cert.IPAddresses {
		names = append(names, ip.String())
	}
	if len(names) == 0 {
		return "no host by name"
	}
	more := ""
	if len(names) > 4 {
		names, more = names[:4], " and others"
	}
	return strings.Join(names, ", ") + more
}

// What to do when an old server and a new client have too little in common.
const (
	olderVersion = `if it cannot be renewed, write tls: { min_version: "1.0" }`
	olderCiphers = "if it cannot be renewed, allow what it has in tls.cipher_suites, such as [TLS_RSA_WITH_AES_128_GCM_SHA256] for an RSA key exchange, with min_version where it is older than TLS 1.2"
)

// alert explains an error that crypto/tls knows by its text alone: an alert of the other
// side (RFC 8446 section 6.2), or an own verdict.
func (s Side) alert(text string, err error) Finding {
	var op *net.OpError
	remote := errors.As(err, &op) && op.Op == "remote error"
	switch {
	case strings.HasPrefix(text, "server selected unsupported protocol version 30"):
		version := map[string]string{"300": "SSL 3.0", "301": "TLS 1.0", "302": "TLS 1.1", "303": "TLS 1.2"}[strings.TrimPrefix(text, "server selected unsupported protocol version ")]
		return Finding{"the other side speaks " + version + ", and tls.min_version asks for more", olderVersion}
	case text == "protocol version not supported":
		return Finding{"the other side does not speak the TLS versions that tls.min_version allows", olderVersion}
	case remote && text == "handshake failure", strings.Contains(text, "unconfigured cipher suite"):
		return Finding{"the other side refuses the handshake: it has no cipher suite or key exchange in common with authproxy, or it wants a client certificate", olderCiphers + "; for a client certificate give tls.cert_file and tls.key_file"}
	case text == "insufficient security level":
		return Finding{"the other side wants stronger TLS than was offered", "take tls.cipher_suites and tls.min_version out"}
	case text == "unrecognized name":
		return Finding{"the other side does not know the name that it was called by", "check the host in " + s.URL + ", or give tls.server_name"}
	case remote && strings.Contains(text, "certificate"), remote && text == "access denied":
		return Finding{"the other side does not accept authproxy's client certificate (" + text + ")", "give the certificate that it expects in tls.cert_file and tls.key_file"}
	}
	by := "authproxy"
	if remote {
		by = "the other side"
	}
	return Finding{"the handshake was ended by " + by + " (" + text + ")", "check host and port in " + s.URL + ", and tls"}
}
