package main_test

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"authproxy/cmd/authproxy/authproxytest"
	"authproxy/proxy/platformtest"
)

// promtool runs Prometheus's own, which Debian has in its package prometheus.
func promtool(t *testing.T, stdin string, args ...string) (string, error) {
	t.Helper()
	tool, err := exec.LookPath("promtool")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("promtool is missing")
		}
		t.Skip("promtool is not installed: the rules are not tried")
	}
	cmd := exec.Command(tool, args...)
	cmd.Dir = "../../deploy/prometheus"
	cmd.Stdin = strings.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// TestAlerts: Prometheus takes the rules, their unit tests pass, and every metric that they
// name is one of the binary's.
func TestAlerts(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"check", "rules", "authproxy.rules.yaml"}, {"test", "rules", "authproxy.rules.test.yaml"}} {
		if out, err := promtool(t, "", args...); err != nil {
			t.Errorf("%v: %v\n%s", args, err, out)
		}
	}
	url := authproxytest.Serve(t, platformtest.NewOAuth2(platformtest.Options{}))
	store := fmt.Sprintf("store: { file: %q }\n", filepath.Join(t.TempDir(), "own", "tokens"))
	p := authproxytest.Start(t, store+authproxytest.OAuth2(url, url))
	rules, err := os.ReadFile("../../deploy/prometheus/authproxy.rules.yaml")
	if err != nil {
		t.Fatal(err)
	}
	scrape := authproxytest.Ask(t, http.MethodGet, p.Admin+"/metrics", nil).Body
	names := regexp.MustCompile(`authproxy_[a-z_]+`).FindAllString(string(rules), -1)
	if len(names) < 20 {
		t.Fatalf("the rules name %v", names)
	}
	for _, name := range names {
		if !strings.Contains(scrape, "\n"+name+"{") && !strings.Contains(scrape, "\n"+name+" ") {
			t.Errorf("there is no %s", name)
		}
	}
}

// TestMetricsAsPrometheusWantsThem: its own check has nothing to say.
func TestMetricsAsPrometheusWantsThem(t *testing.T) {
	t.Parallel()
	url := authproxytest.Serve(t, platformtest.NewOAuth2(platformtest.Options{}))
	store := fmt.Sprintf("store: { file: %q }\n", filepath.Join(t.TempDir(), "own", "tokens"))
	p := authproxytest.Start(t, store+authproxytest.OAuth2(url, url))
	p.Good(t)
	scrape := authproxytest.Ask(t, http.MethodGet, p.Admin+"/metrics", nil).Body
	if out, err := promtool(t, scrape, "check", "metrics"); err != nil || strings.TrimSpace(out) != "" {
		t.Errorf("%v\n%s", err, out)
	}
}
