package listen

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// certificate makes one that its own key has signed, with what change does to it.
func certificate(t *testing.T, change func(*x509.Certificate)) (cert *x509.Certificate, key *ecdsa.PrivateKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "app"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	change(template)
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	if cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	return cert, key
}

// TestJudge: who is not accepted is told why, and for how long that holds.
func TestJudge(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*x509.Certificate)
		want   string
	}{
		"good":    {func(*x509.Certificate) {}, ""},
		"expired": {func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) }, "it has expired or is not valid yet"},
		"early":   {func(c *x509.Certificate) { c.NotBefore = time.Now().Add(time.Minute) }, "it has expired or is not valid yet"},
		"server":  {func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} }, "issue one with clientAuth"},
	} {
		cert, _ := certificate(t, c.change)
		s := &secured{clients: x509.NewCertPool()}
		s.clients.AddCert(cert)
		v := s.judge([]*x509.Certificate{cert})
		switch {
		case c.want == "" && (v.err != nil || !v.until.Equal(cert.NotAfter)):
			t.Errorf("%s: %v until %v", name, v.err, v.until)
		case c.want != "" && (v.err == nil || !strings.Contains(v.err.Error(), c.want) || !strings.Contains(v.err.Error(), "CN=app")):
			t.Errorf("%s: %v, want %q", name, v.err, c.want)
		case name == "early" && !v.until.Equal(cert.NotBefore), name == "expired" && !v.until.IsZero():
			t.Errorf("%s: judged again at %v", name, v.until)
		}
	}
}

// TestHeadsOverTLS are bounded as those without are.
func TestHeadsOverTLS(t *testing.T) {
	cert, key := certificate(t, func(*x509.Certificate) {})
	dir := t.TempDir()
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	files := Files{CertFile: filepath.Join(dir, "cert"), KeyFile: filepath.Join(dir, "key")}
	for file, block := range map[string]*pem.Block{files.CertFile: {Type: "CERTIFICATE", Bytes: cert.Raw}, files.KeyFile: {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	secure, err := NewTLS(files)
	if err != nil {
		t.Fatal(err)
	}
	var spoken atomic.Pointer[TLS]
	spoken.Store(secure)
	address, heads, _ := serveHeads(t, &spoken)
	conn, err := tls.Dial("tcp", address, &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: localhost\r\nX: "+strings.Repeat("x", 100_000))
	eventually(t, "a head to be counted", func() bool { used, n := heads.now(); return used > 90_000 && n == 1 })
	_ = conn.Close()
	eventually(t, "it to be given back", func() bool { used, n := heads.now(); return used == 0 && n == 0 })
	// A handshake without an end is kept in memory too.
	long, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	record := append([]byte{22, 3, 1, 0x40, 0}, make([]byte, 0x4000)...) // RFC 8446 section 5.1
	copy(record[5:], []byte{1, 0, 0xff, 0})                              // a ClientHello of 65,280 bytes, section 4
	_, _ = long.Write(append(record, append([]byte{22, 3, 1, 0x40, 0}, make([]byte, 0x4000)...)...))
	eventually(t, "a handshake to be counted", func() bool { used, n := heads.now(); return used > 32_000 && n == 1 })
	_ = long.Close()
	eventually(t, "it to be given back", func() bool { used, n := heads.now(); return used == 0 && n == 0 })
	// Who connects and then is silent, or hangs up, is no trouble that is told of.
	raw, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	_ = raw.Close()
}
