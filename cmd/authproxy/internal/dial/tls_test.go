package dial

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// pair returns a certificate of that name and its key, in PEM form.
func pair(t *testing.T, name string) (cert, key []byte) {
	t.Helper()
	secret, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name}, NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &secret.PublicKey, secret)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(secret)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})
}

func put(t *testing.T, file string, data []byte) {
	t.Helper()
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// mutual is a server that wants a certificate, and answers with its name.
func mutual(t *testing.T) *httptest.Server {
	t.Helper()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Name", r.TLS.PeerCertificates[0].Subject.CommonName)
	}))
	server.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert}
	server.StartTLS()
	t.Cleanup(server.Close)
	return server
}

// shown asks server through pool, and returns the name that it has seen.
func shown(pool *Pool, server *httptest.Server) (string, error) {
	resp, err := (&http.Client{Transport: pool}).Get(server.URL)
	if err != nil {
		return "", err
	}
	_ = resp.Body.Close()
	return resp.Header.Get("X-Name"), nil
}

// TestClientCertificateThatRotates: after a renewal the new one is shown, and
// the previous one as long as the files are no pair.
func TestClientCertificateThatRotates(t *testing.T) {
	dir := t.TempDir()
	server := mutual(t)
	files := TLS{CAFile: filepath.Join(dir, "ca"), CertFile: filepath.Join(dir, "cert"), KeyFile: filepath.Join(dir, "key")}
	put(t, files.CAFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
	if _, err := New(Options{TLS: files}); err == nil {
		t.Error("no error without the files")
	}
	cert, key := pair(t, "one")
	put(t, files.CertFile, cert)
	put(t, files.KeyFile, key)
	pool := mustMake(t, Options{Scheme: "https", Host: server.Listener.Addr().String(), TLS: files, Idle: 1})
	shows := func(want string) {
		t.Helper()
		if got, err := shown(pool, server); got != want || err != nil {
			t.Errorf("the server saw %s, want %s: %v", got, want, err)
		}
	}
	renew := func(fault string) {
		t.Helper()
		if err := pool.Renew(); (err == nil) != (fault == "") || err != nil && !strings.Contains(err.Error(), fault) {
			t.Errorf("renewed: %v, want %q", err, fault)
		}
	}
	shows("one")
	cert, key = pair(t, "two")
	put(t, files.CertFile, cert)
	renew("cert_file and key_file")
	shows("one")
	put(t, files.KeyFile, key)
	renew("")
	shows("two")
	if err := os.Remove(files.KeyFile); err != nil {
		t.Fatal(err)
	}
	renew("no such file")
	pool.move() // to new connections, with what is known
	shows("two")
	authority, _ := pair(t, "another authority")
	server.TLS.ClientCAs = x509.NewCertPool()
	server.TLS.ClientCAs.AppendCertsFromPEM(authority)
	pool.move()
	if _, err := shown(pool, server); err == nil {
		t.Error("shown to a server that wants the certificate of another authority")
	}
}

// TestAuthorityThatRotates: after a renewal the server is verified by the new
// file alone, also where a connection was kept.
func TestAuthorityThatRotates(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer server.Close()
	file := filepath.Join(t.TempDir(), "ca")
	own := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	other, _ := pair(t, "other")
	put(t, file, own)
	pool := mustMake(t, Options{Scheme: "https", Host: server.Listener.Addr().String(), TLS: TLS{CAFile: file}, Idle: 1})
	for _, c := range []struct {
		content         []byte
		renewed, trusts bool
	}{{own, true, true}, {other, true, false}, {[]byte("no certificate"), false, false}, {own, true, true}, {nil, false, true}} {
		put(t, file, c.content)
		if err := pool.Renew(); (err == nil) != c.renewed {
			t.Errorf("%.20q: renewed: %v", c.content, err)
		}
		if _, err := shown(pool, server); (err == nil) != c.trusts {
			t.Errorf("%.20q: %v", c.content, err)
		}
	}
}

// TestOldServers: what a server of twenty years ago has can be allowed, and is not by
// itself.
func TestOldServers(t *testing.T) {
	const kept = "TLS_RSA_WITH_AES_128_GCM_SHA256"
	for name, c := range map[string]struct {
		server  *tls.Config
		allowed TLS
	}{
		"TLS 1.0":             {&tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS10}, TLS{MinVersion: tls.VersionTLS10}},
		"TLS 1.1":             {&tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}, TLS{MinVersion: tls.VersionTLS11}},
		"an RSA key exchange": {&tls.Config{MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_RSA_WITH_AES_128_GCM_SHA256}}, TLS{CipherSuites: kept}},
		"both":                {&tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11, CipherSuites: []uint16{tls.TLS_RSA_WITH_AES_128_CBC_SHA}}, TLS{MinVersion: tls.VersionTLS10, CipherSuites: "TLS_RSA_WITH_AES_128_CBC_SHA," + kept}},
	} {
		for _, std := range []bool{false, true} {
			server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X-Name", "old") }))
			server.Config.ErrorLog = log.New(io.Discard, "", 0)
			server.TLS = c.server.Clone()
			server.StartTLS()
			defer server.Close()
			options := Options{Scheme: "https", Host: server.Listener.Addr().String(), TLS: TLS{InsecureSkipVerify: true}, Std: std}
			if _, err := shown(mustMake(t, options), server); err == nil {
				t.Errorf("%s, std %t: spoken without having been allowed", name, std)
			}
			options.TLS = c.allowed
			options.TLS.InsecureSkipVerify = true
			if got, err := shown(mustMake(t, options), server); got != "old" || err != nil {
				t.Errorf("%s, std %t: %v", name, std, err)
			}
		}
	}
}
