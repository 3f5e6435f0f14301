package server

import (
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"authproxy/cmd/authproxy/internal/config"
)

func parsed(t *testing.T, text string) *config.Config {
	t.Helper()
	cfg, err := config.Parse("test.yaml", []byte(text), t.TempDir(), noEnv, vocabulary())
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

// TestUpstreamsShareConnections where address and transport are the same: two
// credentials at one platform are two clients of one server.
func TestUpstreamsShareConnections(t *testing.T) {
	g := generationOf(t, parsed(t, `
tokens:
  a: { token_url: "https://id.example/", client_id: i, client_secret: s }
  b: { token_url: "https://id.example/", client_id: j, client_secret: s }
upstreams:
  - { name: a, token: a, url: "https://api.example/a", path: /a/ }
  - { name: b, token: b, url: "https://api.example/b", path: /b/, retry: { enabled: false }, preserve_host: true }
  - { name: other-host, token: a, url: "https://api2.example/", path: /c/ }
  - { name: other-time, token: a, url: "https://api.example/", path: /d/, connect_timeout: 1s }
  - { name: other-name, token: a, url: "https://api.example/", path: /e/, tls: { server_name: x.example } }
`[1:]))
	var shared []string
	for _, p := range g.pools {
		if len(p.users) > 1 {
			shared = append(shared, p.users...)
		}
	}
	if len(g.pools) != 4 || strings.Join(shared, " ") != "a b" {
		t.Errorf("%d pools, %q share one", len(g.pools), shared)
	}
}

// TestListenersOutliveGenerations: the handler behind an open listener is
// exchanged, and a request on a kept connection finds the new one.
func TestListenersOutliveGenerations(t *testing.T) {
	answers := func(text string) string {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/token" {
				_, _ = io.WriteString(w, `{"access_token":"t"}`)
				return
			}
			_, _ = io.WriteString(w, text)
		}))
		t.Cleanup(s.Close)
		return fmt.Sprintf("listen: 127.0.0.1:0\nadmin: { listen: '' }\ntokens: { t: { token_url: '%s/token', client_id: i, client_secret: s } }\nupstreams: [ { name: u, token: t, url: '%s' } ]\n", s.URL, s.URL)
	}
	s, err := Start(parsed(t, answers("one")), Options{Log: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Drain()
	client := &http.Client{}
	defer client.CloseIdleConnections()
	ask := func() string {
		resp, err := client.Get(s.Place(0))
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		text, _ := io.ReadAll(resp.Body)
		return string(text)
	}
	if got := ask(); got != "one" {
		t.Fatal(got)
	}
	next, err := s.newGeneration(parsed(t, answers("two")), nil)
	if err != nil {
		t.Fatal(err)
	}
	before := s.gen()
	s.swap(next)
	before.close()
	if got := ask(); got != "two" {
		t.Error(got)
	}
}

// TestAuthoritiesAreFollowed: a broken ca_file is told of, for the token and for
// the upstream, and the previous one goes on counting; a good one is read.
func TestAuthoritiesAreFollowed(t *testing.T) {
	upstream := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"access_token":"t"}`) }))
	defer upstream.Close()
	own := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: upstream.Certificate().Raw}))
	wrong := strings.Replace(own, own[100:104], "AAAA", 1)
	ca := filepath.Join(t.TempDir(), "ca.pem")
	replace(t, ca, own)
	log := new(output)
	cfg := parsed(t, fmt.Sprintf("tokens: { t: { token_url: %q, client_id: i, client_secret: s, tls: { ca_file: %q, server_name: example.com } } }\nupstreams: [ { name: u, token: t, url: %q, tls: { ca_file: %q, server_name: example.com } } ]\n", upstream.URL, ca, upstream.URL, ca))
	s := newServer(cfg, Options{Log: log})
	g, err := s.newGeneration(cfg, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer g.close()
	front := httptest.NewServer(g.handlers[string(cfg.Listen)])
	defer front.Close()
	status := func() int {
		resp, err := http.Get(front.URL)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		return resp.StatusCode
	}
	if got := status(); got != 200 {
		t.Fatalf("with its authority: %d", got)
	}
	replace(t, ca, wrong)
	eventually(t, "a word of a file that is none", func() bool { return log.count("the previous ones go on counting") == 2 })
	if got := status(); got != 200 {
		t.Errorf("with a broken file: %d", got)
	}
	if err := os.Remove(ca); err != nil {
		t.Fatal(err)
	}
	replace(t, ca, own)
	eventually(t, "the authority to be read again", func() bool { return log.count("certificates changed") == 2 })
	if got := status(); got != 200 {
		t.Errorf("with its authority again: %d", got)
	}
}
