package server

import (
	"net/url"
	"strings"
	"testing"

	"authproxy/cmd/authproxy/internal/config"
)

// TestAnnounced: what is printed at the start can be called as it stands.
func TestAnnounced(t *testing.T) {
	api, _ := url.Parse("https://api.example/v1")
	local, _ := url.Parse("http://localhost/v1")
	cfg := &config.Config{Listen: "127.0.0.1:80", Upstreams: []config.Upstream{
		{Name: "a", URL: config.BaseURL{URL: api}, Path: "/a/"}, {Name: "b", URL: config.BaseURL{URL: local}, Socket: "/run/b", Hosts: []string{"b.local", "b"}}, {Name: "c", URL: config.BaseURL{URL: api}, Listen: "unix:/run/c", Path: "/c/"},
	}}
	s := &Server{
		opts:      Options{File: "a.yaml"},
		listeners: map[string]*listener{"127.0.0.1:80": {place: "http://127.0.0.1:80"}, "unix:/run/c": {place: "unix:/run/c"}},
		admin:     &listener{place: "http://127.0.0.1:81"},
	}
	s.current.Store(&generation{cfg: cfg, places: s.announcements(cfg)})
	var text strings.Builder
	s.announce(&text)
	_, got, _ := strings.Cut(text.String(), "\n")
	const want = "  a: http://127.0.0.1:80/a/ -> https://api.example/v1\n" +
		"  b: http://127.0.0.1:80 -> unix:/run/b/v1, for Host b.local, b\n" +
		"  c: unix:/run/c -> https://api.example/v1, under /c/\n" +
		"  configuration: a.yaml\n" +
		"  admin: http://127.0.0.1:81/ (status page) /metrics /livez /readyz\n"
	if got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	s.admin.place = "unix:/run/admin"
	if s.announce(&text); !strings.HasSuffix(text.String(), "\n  admin: unix:/run/admin, there /metrics /livez /readyz\n") {
		t.Error(text.String())
	}
}
