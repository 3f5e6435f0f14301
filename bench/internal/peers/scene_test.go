package peers

import (
	"io"
	"os"
	"runtime"
	"strings"
	"testing"
)

// TestConfigurations: every program verifies the upstream's certificate where
// there is one, asks for HTTP/2 only where that is meant, and stays on loopback.
func TestConfigurations(t *testing.T) {
	s, err := NewScene(t.TempDir(), io.Discard, runtime.NumCPU())
	if err != nil {
		t.Fatal(err)
	}
	s.TokenURL = "http://127.0.0.1:7000/token"
	s.Upstream = map[Link]string{HTTP: "127.0.0.1:7001", HTTPS: "127.0.0.1:7002", H2: "127.0.0.1:7003"}
	h2 := map[string]string{"haproxy.cfg": "alpn h2", "Caddyfile": "versions 2"}
	for _, name := range []string{"nginx.conf", "haproxy.cfg", "Caddyfile", "authproxy.yaml"} {
		for link, address := range s.Upstream {
			f, err := s.fresh("test", link)
			if err != nil {
				t.Fatal(err)
			}
			path, err := f.write(name)
			if err != nil {
				t.Fatal(err)
			}
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			got := string(text)
			if !strings.Contains(got, address) || strings.Contains(got, "no value") || strings.Contains(got, "0.0.0.0") {
				t.Errorf("%s over %s:\n%s", name, link, got)
			}
			if strings.Contains(got, s.CA()) != (link != HTTP) {
				t.Errorf("%s over %s names the authority or not:\n%s", name, link, got)
			}
			if mark := h2[name]; mark != "" && strings.Contains(got, mark) != (link == H2) {
				t.Errorf("%s over %s: %q\n%s", name, link, mark, got)
			}
		}
	}
}

// TestLua: the script asks the scene's token endpoint.
func TestLua(t *testing.T) {
	s := &Scene{Dir: t.TempDir(), TokenURL: "http://127.0.0.1:7000/oauth2/token"}
	f, err := s.fresh("test", HTTP)
	if err != nil {
		t.Fatal(err)
	}
	path, err := f.write("token.lua")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`connect("127.0.0.1", 7000)`, "POST /oauth2/token HTTP/1.0"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
}
