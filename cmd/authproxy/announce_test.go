package main

import (
	"net"
	"net/url"
	"strings"
	"testing"

	"authproxy/cmd/authproxy/internal/config"
)

// addressed is a listener at an address.
type addressed struct {
	net.Listener
	address string
}

func (a addressed) Addr() net.Addr {
	tcp, _ := net.ResolveTCPAddr("tcp", a.address)
	return tcp
}

// TestAnnounced: what is printed at the start can be called as it stands.
func TestAnnounced(t *testing.T) {
	for address, want := range map[string]string{
		"127.0.0.1:80": "http://127.0.0.1:80", "[::1]:80": "http://[::1]:80", "192.0.2.1:80": "http://192.0.2.1:80",
		"0.0.0.0:80": "http://localhost:80", "[::]:80": "http://localhost:80",
	} {
		if got := place(address, addressed{nil, address}); got != want {
			t.Errorf("%s: %s, want %s", address, got, want)
		}
	}
	if got := place("unix:/run/s", nil); got != "unix:/run/s" {
		t.Error(got)
	}
	api, _ := url.Parse("https://api.example/v1")
	local, _ := url.Parse("http://localhost/v1")
	s := &server{
		app: &app{cfg: &config.Config{Listen: "127.0.0.1:80", Upstreams: []config.Upstream{
			{Name: "a", URL: api, Path: "/a/"}, {Name: "b", URL: local, Socket: "/run/b", Hosts: []string{"b.local", "b"}}, {Name: "c", URL: api, Listen: "unix:/run/c", Path: "/c/"},
		}}},
		places: map[string]string{"127.0.0.1:80": "http://127.0.0.1:80", "unix:/run/c": "unix:/run/c"}, admin: "http://127.0.0.1:81",
	}
	var text strings.Builder
	s.announce(&text)
	_, got, _ := strings.Cut(text.String(), "\n")
	const want = "  a: http://127.0.0.1:80/a/ -> https://api.example/v1\n" +
		"  b: http://127.0.0.1:80 -> unix:/run/b/v1, for Host b.local, b\n" +
		"  c: unix:/run/c -> https://api.example/v1\n" +
		"  admin: http://127.0.0.1:81/metrics /livez /readyz\n"
	if got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	s.admin = "unix:/run/admin"
	if s.announce(&text); !strings.HasSuffix(text.String(), "\n  admin: unix:/run/admin, there /metrics /livez /readyz\n") {
		t.Error(text.String())
	}
}
