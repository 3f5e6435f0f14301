package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"authproxy/cmd/authproxy/internal/server"
)

// TestSystemdUnit: systemd has nothing to say against the unit, which gives the
// program time to drain and names commands that it has.
func TestSystemdUnit(t *testing.T) {
	unit := repoFile(t, "deploy/authproxy.service")
	const binary, serve = "/usr/local/bin/authproxy", " serve -c /etc/authproxy/authproxy.yaml\n"
	if !strings.Contains(unit, " authproxy.systemd.yaml /etc/authproxy/authproxy.yaml") {
		t.Error("it does not name its configuration")
	}
	text := repoFile(t, "deploy/authproxy.systemd.yaml")
	if cfg, err := server.Parse("authproxy.yaml", []byte(text), secretsIn(t, "secrets")); err != nil || len(cfg.Warnings) > 0 {
		t.Errorf("its configuration: %v", err)
	}
	if !strings.Contains(unit, "ExecStart="+binary+serve) {
		t.Error("it does not start the program")
	}
	cfg, err := server.Parse("t.yaml", []byte(`{ tokens: { t: { token_url: "https://x/", client_id: x, client_secret: x } }, upstreams: [ { name: u, token: t, url: "https://x" } ] }`), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(unit, "\nRestart=always\n") {
		t.Error("a program that ends without a failure is not started again")
	}
	m := regexp.MustCompile(`(?m)^TimeoutStopSec=(\w+)$`).FindStringSubmatch(unit)
	if m == nil {
		t.Fatal("no TimeoutStopSec")
	}
	if stop, err := time.ParseDuration(m[1]); err != nil || stop <= cfg.Shutdown.Timeout+cfg.Tokens[0].Timeout {
		t.Errorf("TimeoutStopSec=%s does not cover shutdown.timeout and a last token request", m[1])
	}

	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("systemd-analyze is missing")
		}
		t.Skip("systemd-analyze is not installed: the unit is not verified")
	}
	// It looks for the program and the user, which are not here.
	here := strings.NewReplacer(binary, "/bin/true", "User=authproxy", "User=root", "Group=authproxy", "Group=root").Replace(unit)
	file := filepath.Join(t.TempDir(), "authproxy.service")
	if err := os.WriteFile(file, []byte(here), 0o600); err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(filepath.Dir(file), "authproxy.socket")
	if err := os.WriteFile(socket, []byte(repoFile(t, "deploy/authproxy.socket")), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(analyze, "verify", file, socket).CombinedOutput(); err != nil || strings.TrimSpace(string(out)) != "" {
		t.Errorf("%v %s", err, out)
	}
}
