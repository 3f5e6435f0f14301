package config

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
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
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotAfter: time.Now().Add(time.Hour)}
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

// TestClientCertificateThatRotates: a new connection shows the new one, and the old one while the files
// are being exchanged.
func TestClientCertificateThatRotates(t *testing.T) {
	dir := t.TempDir()
	files := TLS{CertFile: filepath.Join(dir, "cert"), KeyFile: filepath.Join(dir, "key")}
	put := func(file string, data []byte) {
		t.Helper()
		if err := os.WriteFile(file, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Name", r.TLS.PeerCertificates[0].Subject.CommonName)
	}))
	server.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert}
	server.StartTLS()
	defer server.Close()

	var warned []string
	warn := func(err error) { warned = append(warned, err.Error()) }
	if _, err := files.Config(warn); err == nil {
		t.Error("no error without the files")
	}
	cert, key := pair(t, "one")
	put(files.CertFile, cert)
	put(files.KeyFile, key)
	config, err := files.Config(warn)
	if err != nil {
		t.Fatal(err)
	}
	config.RootCAs = x509.NewCertPool()
	config.RootCAs.AddCert(server.Certificate())
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: config, DisableKeepAlives: true}}
	shows := func(want string) {
		t.Helper()
		resp, err := client.Get(server.URL)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if got := resp.Header.Get("X-Name"); got != want {
			t.Errorf("the server saw %s, want %s", got, want)
		}
	}
	shows("one")
	cert, key = pair(t, "two")
	put(files.CertFile, cert)
	shows("one")
	put(files.KeyFile, key)
	shows("two")
	if err := os.Remove(files.KeyFile); err != nil {
		t.Fatal(err)
	}
	shows("two")
	shows("two")
	if len(warned) != 2 { // of a key that does not belong to its certificate, and of one that is gone
		t.Errorf("warned of %q", warned)
	}
	authority, _ := pair(t, "another authority")
	server.TLS.ClientCAs = x509.NewCertPool()
	server.TLS.ClientCAs.AppendCertsFromPEM(authority)
	if _, err := client.Get(server.URL); err == nil {
		t.Error("shown to a server that wants the certificate of another authority")
	}
}
