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

// TestSecretsExchangedAsAWhole: a folder on the way to the secret is a link
// that comes to lead to another folder, as sops-nix and Kubernetes have it.
func TestSecretsExchangedAsAWhole(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("there is a sandbox on Linux only")
	}
	t.Parallel()
	for name, c := range map[string]struct{ link, generations, secret, within string }{
		"its folder":                          {"current", "generations/", "current/key", "key"},
		"a folder above":                      {"current", "generations/", "current/app/key", "app/key"},
		"Kubernetes, items with a path below": {"volume/..data", "volume/..", "volume/app/key", "app/key"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			platform := platformtest.NewOAuth2(platformtest.Options{ClientID: "id", ClientSecret: "right"})
			upstream := authproxytest.Serve(t, platform)
			dir := t.TempDir()
			for generation, secret := range map[string]string{"1": "wrong", "2": "right"} {
				file := filepath.Join(dir, c.generations+generation, c.within)
				if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
					t.Fatal(err)
				}
				authproxytest.Write(t, file, secret)
			}
			lead := func(generation string) {
				to, err := filepath.Rel(filepath.Dir(filepath.Join(dir, c.link)), filepath.Join(dir, c.generations+generation))
				if err != nil {
					t.Fatal(err)
				}
				if err := os.Symlink(to, filepath.Join(dir, "new")); err != nil {
					t.Fatal(err)
				}
				if err := os.Rename(filepath.Join(dir, "new"), filepath.Join(dir, c.link)); err != nil {
					t.Fatal(err)
				}
			}
			lead("1")
			if strings.HasPrefix(c.link, "volume/") {
				if err := os.Symlink("..data/app", filepath.Join(dir, "volume/app")); err != nil {
					t.Fatal(err)
				}
			}
			p := authproxytest.Start(t, fmt.Sprintf("sandbox: required\ntokens: { t: { token_url: %q, client_id: id, client_secret_file: %q } }\nupstreams: [ { name: main, token: t, url: %q } ]\n",
				upstream+platform.TokenPath(), filepath.Join(dir, c.secret), upstream))
			if a := authproxytest.Ask(t, "GET", p.URL+"/x", nil); a.Code() != "token_unavailable" {
				t.Errorf("with the wrong secret: %d %s", a.Status, a.Body)
			}
			lead("2")
			if !p.Stderr.Await("credentials changed") {
				t.Fatalf("the new secret was not seen: %s", p.Stderr)
			}
			if a := authproxytest.Ask(t, "GET", p.URL+"/x", nil); a.Status != 200 {
				t.Errorf("with the right secret: %d %s", a.Status, a.Body)
			}
		})
	}
}
