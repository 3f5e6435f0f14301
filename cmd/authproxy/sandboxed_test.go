package main_test

import (
	"encoding/pem"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"authproxy/cmd/authproxy/authproxytest"
	"authproxy/proxy/platformtest"
)

// TestServesInItsSandbox: with everything given up that can be, a secret that
// rotates is read, names are looked up, certificates verified, metrics read,
// and the socket is removed at the end.
func TestServesInItsSandbox(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("there is a sandbox on Linux only")
	}
	platform := platformtest.NewOAuth2(platformtest.Options{ClientID: "id", ClientSecret: "right"})
	upstream := httptest.NewTLSServer(platform)
	t.Cleanup(upstream.Close)
	dir := t.TempDir()
	authproxytest.Write(t, filepath.Join(dir, "ca.pem"), string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: upstream.Certificate().Raw})))
	authproxytest.Write(t, filepath.Join(dir, "secret"), "wrong")
	byName := strings.Replace(upstream.URL, "127.0.0.1", "localhost", 1)
	socket := filepath.Join(dir, "s")
	p := authproxytest.Start(t, fmt.Sprintf(`sandbox: required
tokens: { t: { token_url: "%s%s", client_id: id, client_secret_file: %q, tls: { ca_file: %q, server_name: example.com } } }
upstreams:
  - { name: main, token: t, url: "%s", tls: { ca_file: %q, server_name: example.com } }
  - { name: socket, token: t, url: "%s", listen: "unix:%s", tls: { ca_file: %q, server_name: example.com } }
`, byName, platform.TokenPath(), filepath.Join(dir, "secret"), filepath.Join(dir, "ca.pem"), byName, filepath.Join(dir, "ca.pem"), byName, socket, filepath.Join(dir, "ca.pem")))

	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.Cmd.Process.Pid))
	if err != nil || !strings.Contains(string(status), "NoNewPrivs:\t1") {
		t.Errorf("privileges may be gained: %v", err)
	}
	if a := authproxytest.Ask(t, "GET", p.URL+"/x", nil); a.Code() != "token_unavailable" {
		t.Errorf("with the wrong secret: %d %s", a.Status, a.Body)
	}
	authproxytest.Write(t, filepath.Join(dir, "new"), "right")
	if err := os.Rename(filepath.Join(dir, "new"), filepath.Join(dir, "secret")); err != nil {
		t.Fatal(err)
	}
	if !p.Stderr.Await("credentials changed") {
		t.Fatalf("the new secret was not seen: %s", p.Stderr)
	}
	if a := authproxytest.Ask(t, "GET", p.URL+"/x", nil); a.Status != 200 {
		t.Errorf("with the right secret: %d %s", a.Status, a.Body)
	}
	if a := authproxytest.Ask(t, "GET", p.Admin+"/metrics", nil); !strings.Contains(a.Body, "process_resident_memory_bytes") {
		t.Error("no metrics of the process")
	}
	p.Stop(t)
	if _, err := os.Lstat(socket); err == nil {
		t.Error("the socket is left")
	}
}

// TestSecretsExchangedAsAWhole: the folder of the secrets is a link that comes
// to lead to another folder, as sops-nix and others do.
func TestSecretsExchangedAsAWhole(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("there is a sandbox on Linux only")
	}
	platform := platformtest.NewOAuth2(platformtest.Options{ClientID: "id", ClientSecret: "right"})
	upstream := authproxytest.Serve(t, platform)
	dir := t.TempDir()
	for generation, secret := range map[string]string{"1": "wrong", "2": "right"} {
		folder := filepath.Join(dir, "generations", generation)
		if err := os.MkdirAll(folder, 0o700); err != nil {
			t.Fatal(err)
		}
		authproxytest.Write(t, filepath.Join(folder, "key"), secret)
		if err := os.Symlink(filepath.Join("generations", generation), filepath.Join(dir, "to"+generation)); err != nil {
			t.Fatal(err)
		}
	}
	current := filepath.Join(dir, "current")
	if err := os.Rename(filepath.Join(dir, "to1"), current); err != nil {
		t.Fatal(err)
	}
	p := authproxytest.Start(t, fmt.Sprintf("sandbox: required\ntokens: { t: { token_url: %q, client_id: id, client_secret_file: %q } }\nupstreams: [ { name: main, token: t, url: %q } ]\n",
		upstream+platform.TokenPath(), filepath.Join(current, "key"), upstream))
	if a := authproxytest.Ask(t, "GET", p.URL+"/x", nil); a.Code() != "token_unavailable" {
		t.Errorf("with the wrong secret: %d %s", a.Status, a.Body)
	}
	if err := os.Rename(filepath.Join(dir, "to2"), current); err != nil {
		t.Fatal(err)
	}
	if !p.Stderr.Await("credentials changed") {
		t.Fatalf("the new secret was not seen: %s", p.Stderr)
	}
	if a := authproxytest.Ask(t, "GET", p.URL+"/x", nil); a.Status != 200 {
		t.Errorf("with the right secret: %d %s", a.Status, a.Body)
	}
}
