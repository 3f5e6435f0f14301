package redisstore

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"authproxy/tokencache/shared"
	"authproxy/tokencache/storetest"
)

const patience = 20 * time.Second

// redisServer starts Debian's Redis with these lines of configuration, and returns its port.
func redisServer(t *testing.T, args []string, lines ...string) (port string) {
	t.Helper()
	binary, err := exec.LookPath("redis-server")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("redis-server is missing")
		}
		t.Skip("redis-server is not installed: the real one is not tried")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ = net.SplitHostPort(l.Addr().String())
	_ = l.Close()
	dir := t.TempDir()
	text := "bind 127.0.0.1\nsave \"\"\ndir " + dir + "\n" + strings.ReplaceAll(strings.Join(lines, "\n"), "PORT", port) + "\n"
	if !strings.Contains(text, "tls-port") {
		text += "port " + port + "\n"
	}
	file := filepath.Join(dir, "redis.conf")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(binary, append([]string{file}, args...)...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	for deadline := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		if c, err := net.Dial("tcp", "127.0.0.1:"+port); err == nil {
			_ = c.Close()
			return port
		}
		if time.Now().After(deadline) {
			t.Fatal("redis does not listen")
		}
	}
}

func TestRedis(t *testing.T) {
	port := redisServer(t, nil)
	storetest.Run(t, func(t *testing.T) shared.Store { return mustOpen(t, Options{URL: "redis://127.0.0.1:" + port}) })
}

// TestTLSAndACL: a user who may do what a store does, and no more, over TLS.
func TestTLSAndACL(t *testing.T) {
	dir := t.TempDir()
	trust := certificate(t, dir)
	port := redisServer(t, nil, "tls-port PORT", "port 0", "tls-auth-clients no",
		"tls-cert-file "+dir+"/cert", "tls-key-file "+dir+"/key",
		"user default off", "user sidecar on >pa55 ~authproxy:* &authproxy:* +get +set +getrange +pexpire +del +eval +evalsha +publish +subscribe")
	url := "rediss://sidecar:pa55@127.0.0.1:" + port
	storetest.Run(t, func(t *testing.T) shared.Store { return mustOpen(t, Options{URL: url, TLS: trust}) })
	if err := mustOpen(t, Options{URL: url, TLS: trust}).Ping(t.Context()); err != nil {
		t.Error(err)
	}
	for bad, want := range map[string]string{
		strings.Replace(url, "pa55", "wrong", 1):     "check user and password",
		strings.Replace(url, "rediss:", "redis:", 1): "",
		strings.Replace(url, "sidecar:pa55@", "", 1): "check user and password",
	} {
		if err := mustOpen(t, Options{URL: bad, TLS: trust, Timeout: time.Second}).Ping(t.Context()); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "pa55") {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// TestSentinel finds the master by it.
func TestSentinel(t *testing.T) {
	master := redisServer(t, nil)
	sentinel := redisServer(t, []string{"--sentinel"}, "sentinel monitor tokens 127.0.0.1 "+master+" 1")
	url := fmt.Sprintf("redis://127.0.0.1:%s?master_name=tokens", sentinel)
	storetest.Run(t, func(t *testing.T) shared.Store { return mustOpen(t, Options{URL: url}) })
}

// certificate writes one for 127.0.0.1 to dir, and returns what trusts it.
func certificate(t *testing.T, dir string) *tls.Config {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{"cert": {Type: "CERTIFICATE", Bytes: der}, "key": {Type: "EC PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	return &tls.Config{RootCAs: roots}
}
