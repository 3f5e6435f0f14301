package listen

import (
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
)

// noIPv6 skips the test where this machine has no IPv6 loopback.
func noIPv6(t *testing.T) {
	t.Helper()
	l, err := net.Listen("tcp", "[::1]:0")
	if err != nil {
		t.Skip("this machine has no IPv6 loopback:", err)
	}
	_ = l.Close()
}

func other(t *testing.T, l net.Listener) netip.AddrPort {
	t.Helper()
	at, ok := companion(l.Addr().(*net.TCPAddr).AddrPort())
	if !ok {
		t.Fatal(l.Addr(), "has no companion")
	}
	return at
}

// TestLocalhostIsBoth: whichever of the two is configured, requests to the other are
// served as well, and nobody else can listen there.
func TestLocalhostIsBoth(t *testing.T) {
	noIPv6(t)
	for _, address := range []string{"127.0.0.1:0", "[::1]:0", "localhost:0"} {
		l, err := Open(Options{Address: address})
		if err != nil {
			t.Fatal(err)
		}
		s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ours") })}
		go func() { _ = s.Serve(l) }()
		for _, at := range []string{l.Addr().String(), other(t, l.Listener).String()} {
			resp, err := http.Get("http://" + at)
			if err != nil {
				t.Errorf("%s: %v", address, err)
				continue
			}
			if body, _ := io.ReadAll(resp.Body); string(body) != "ours" {
				t.Errorf("%s: %q", address, body)
			}
			_ = resp.Body.Close()
		}
		if thief, err := net.Listen("tcp", other(t, l.Listener).String()); err == nil {
			_ = thief.Close()
			t.Errorf("%s: somebody else can listen on %s", address, other(t, l.Listener))
		}
		if l.Warning != "" {
			t.Errorf("%s: %s", address, l.Warning)
		}
		_ = s.Close()
		again, err := net.Listen("tcp", other(t, l.Listener).String())
		if err != nil {
			t.Errorf("%s: left open: %v", address, err)
			continue
		}
		_ = again.Close()
	}
}

// TestLocalhostIsTaken: by another program that is a warning; where the configuration has
// something else there, nothing is said or done.
func TestLocalhostIsTaken(t *testing.T) {
	noIPv6(t)
	thief, err := net.Listen("tcp", "[::1]:0")
	if err != nil {
		t.Fatal(err)
	}
	defer thief.Close()
	address := "127.0.0.1:" + strings.TrimPrefix(thief.Addr().String(), "[::1]:")
	l, err := Open(Options{Address: address, Key: "upstreams[0].listen"})
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
	for _, part := range []string{"upstreams[0].listen", thief.Addr().String(), "localhost"} {
		if !strings.Contains(l.Warning, part) {
			t.Errorf("%q does not name %s", l.Warning, part)
		}
	}
	l, err = Open(Options{Address: address, Spare: func(at netip.AddrPort) bool { return at.String() == thief.Addr().String() }})
	if err != nil || l.Warning != "" {
		t.Errorf("%q, %v", l.Warning, err)
	}
	_ = l.Close()
}

// TestOthersAreNotLocalhost: an address that the name does not stand for is alone.
func TestOthersAreNotLocalhost(t *testing.T) {
	l, err := Open(Options{Address: "127.0.0.2:0"})
	if err != nil {
		t.Skip("this machine has one loopback address only:", err)
	}
	defer l.Close()
	if _, joined := l.Listener.(*both); joined {
		t.Error("a second socket was opened")
	}
}
