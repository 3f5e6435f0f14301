package main_test

import (
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"authproxy/cmd/authproxy/authproxytest"
	"authproxy/proxy/platformtest"
)

// lineOf returns the line about a request to path in a log of JSON, once it is written.
func lineOf(t *testing.T, p *authproxytest.Program, path string) map[string]any {
	t.Helper()
	if !p.Stderr.Await(`"path":"` + path + `"`) {
		t.Fatalf("no line about %s in\n%s", path, p.Stderr)
	}
	for text := range strings.Lines(p.Stderr.String()) {
		line := map[string]any{}
		if err := json.Unmarshal([]byte(text), &line); err == nil && line["path"] == path {
			return line
		}
	}
	t.Fatalf("the line about %s is no JSON\n%s", path, p.Stderr)
	return nil
}

const allAsJSON = "log: { format: json, access: all }\n"

// TestWhereARequestCameFrom: the access log says who called: by address, by user, by certificate; and by which
// names the application knows the request.
func TestWhereARequestCameFrom(t *testing.T) {
	t.Parallel()
	platform := authproxytest.Serve(t, platformtest.NewOAuth2(platformtest.Options{}))
	p := authproxytest.Start(t, allAsJSON+authproxytest.OAuth2(platform, platform))
	authproxytest.Ask(t, http.MethodGet, p.URL+"/tcp?secret=hush", nil, "X-Request-Id", "r-17", "User-Agent", "Legacy/1.0",
		"traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
	line := lineOf(t, p, "/tcp")
	for name, want := range map[string]string{"request_id": "r-17", "user_agent": "Legacy/1.0", "trace_id": "0af7651916cd43dd8448eb211c80319c"} {
		if line[name] != want {
			t.Errorf("%s: %v", name, line)
		}
	}
	if peer, _ := line["peer"].(string); !strings.HasPrefix(peer, "127.0.0.1:") {
		t.Errorf("%v", line)
	}
	if strings.Contains(p.Stderr.String(), "hush") {
		t.Error("a query is in the log")
	}

	ca := newAuthority(t)
	p = secured(t, ca, "", fmt.Sprintf(", client_ca_file: %q", ca.file("ca")), allAsJSON)
	ask(t, p, ca.trusting(true, ca.issue("app")), "/known")
	if line := lineOf(t, p, "/known"); line["peer"] != "CN=app" {
		t.Errorf("%v", line)
	}
	stranger := newAuthority(t).issue("app")
	forced := ca.trusting(false)
	forced.Transport.(*http.Transport).TLSClientConfig.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &stranger, nil }
	ask(t, p, forced, "/stranger")
	if peer, _ := lineOf(t, p, "/stranger")["peer"].(string); !strings.HasPrefix(peer, "127.0.0.1:") {
		t.Errorf("a certificate that was not accepted names the caller: %q", peer)
	}
}

// TestWhoseProcessCalled: through a unix socket it is the user.
func TestWhoseProcessCalled(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("needs SO_PEERCRED")
	}
	t.Parallel()
	platform := authproxytest.Serve(t, platformtest.NewOAuth2(platformtest.Options{}))
	path := filepath.Join(t.TempDir(), "s")
	p := authproxytest.Start(t, allAsJSON+oauth2At(platform, `listen: "unix:`+path+`",`, platform))
	through := throughSocket(path)
	defer through.CloseIdleConnections()
	resp, err := through.Get("http://anything/socket")
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if line := lineOf(t, p, "/socket"); line["peer"] != fmt.Sprint("uid ", os.Getuid()) {
		t.Errorf("%v", line)
	}
}
