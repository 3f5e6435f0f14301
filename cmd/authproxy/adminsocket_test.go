package main_test

import (
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"authproxy/cmd/authproxy/authproxytest"
	"authproxy/proxy/platformtest"
)

// TestAdminOnASocket: probes, metrics, status page, reload and healthcheck work on an admin listener that is a
// unix socket, whatever the Host.
func TestAdminOnASocket(t *testing.T) {
	t.Parallel()
	url := authproxytest.Serve(t, platformtest.NewOAuth2(platformtest.Options{}))
	dir := t.TempDir()
	socket, file := filepath.Join(dir, "admin"), filepath.Join(dir, "authproxy.yaml")
	config := "admin: { listen: 'unix:" + socket + "' }\nlisten: 127.0.0.1:0\n" + unwatched + authproxytest.OAuth2(url, url)
	authproxytest.Write(t, file, config)
	p, err := authproxytest.Launch(exec.Command("authproxy", "serve", "-c", file))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Stop(t) })
	client := throughSocket(socket)
	defer client.CloseIdleConnections()
	ask := func(method, path string) authproxytest.Answer {
		t.Helper()
		req, err := http.NewRequest(method, "http://pod.example"+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		a, err := authproxytest.Do(client, req)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	for path, want := range map[string]string{"/livez": "ok", "/readyz?verbose": `token="main"`, "/metrics": "authproxy_build_info", "/": "<title>", "/api/status": `"name":"main"`} {
		if a := ask(http.MethodGet, path); a.Status != http.StatusOK || !strings.Contains(a.Body, want) {
			t.Errorf("%s: %d %.200s", path, a.Status, a.Body)
		}
	}
	for _, args := range [][]string{{"healthcheck", "unix:" + socket}, {"healthcheck", "-c", file}} {
		if out, err := exec.Command("authproxy", args...).CombinedOutput(); err != nil {
			t.Errorf("%v: %v %s", args, err, out)
		}
	}
	if a := ask(http.MethodPost, "/-/reload"); a.Status != http.StatusNoContent {
		t.Errorf("%d %s", a.Status, a.Body)
	}
	authproxytest.Write(t, file, config+"colour: red\n")
	if a := ask(http.MethodPost, "/-/reload"); a.Status != http.StatusUnprocessableEntity || !strings.Contains(a.Body, "colour: unknown key") {
		t.Errorf("%d %s", a.Status, a.Body)
	}
}
