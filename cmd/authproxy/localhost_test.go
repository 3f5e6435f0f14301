package main_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"authproxy/cmd/authproxy/authproxytest"
	"authproxy/proxy/platformtest"
)

// TestBothAddressesOfLocalhost: a program serves both, and says so when another one has
// the second.
func TestBothAddressesOfLocalhost(t *testing.T) {
	t.Parallel()
	second, err := net.Listen("tcp", "[::1]:0")
	if err != nil {
		t.Skip("this machine has no IPv6 loopback:", err)
	}
	t.Cleanup(func() { _ = second.Close() })
	url := authproxytest.Serve(t, platformtest.NewOAuth2(platformtest.Options{}))
	p := authproxytest.Start(t, authproxytest.OAuth2(url, url))
	for _, place := range []string{p.URL, p.Admin} {
		six := strings.Replace(place, "127.0.0.1", "[::1]", 1)
		if a := authproxytest.Ask(t, http.MethodGet, six+"/readyz", nil); a.Status != 200 {
			t.Errorf("%s: %d %s", six, a.Status, a.Body)
		}
	}
	if strings.Contains(p.Stderr.String(), "localhost") {
		t.Errorf("there is nothing to warn of: %s", p.Stderr)
	}
	address := "127.0.0.1:" + strings.TrimPrefix(second.Addr().String(), "[::1]:")
	p = authproxytest.Start(t, "admin: { listen: "+address+" }\n"+strings.Replace(authproxytest.OAuth2(url, url), "{ name: main", "{ listen: 127.0.0.1:0, name: main", 1))
	if !p.Stderr.Await("another program listens on "+second.Addr().String()) || !strings.Contains(p.Stderr.String(), "admin.listen") {
		t.Errorf("no word of who answers at the other address: %s", p.Stderr)
	}
}

// TestAnUpstreamAtTheOtherAddress is not kept from its place, nor asked for by ourselves.
func TestAnUpstreamAtTheOtherAddress(t *testing.T) {
	t.Parallel()
	place, err := net.Listen("tcp", "[::1]:0")
	if err != nil {
		t.Skip("this machine has no IPv6 loopback:", err)
	}
	at := place.Addr().String()
	_ = place.Close() // the upstream comes later
	platform := platformtest.NewOAuth2(platformtest.Options{})
	url := authproxytest.Serve(t, platform)
	config := strings.Replace(authproxytest.OAuth2(url, "http://"+at), "{ name: main", "{ listen: 127.0.0.1:"+strings.TrimPrefix(at, "[::1]:")+", name: main", 1)
	p := authproxytest.Start(t, config)
	if place, err = net.Listen("tcp", at); err != nil {
		t.Fatal("the place of the upstream is taken:", err)
	}
	s := &httptest.Server{Listener: place, Config: &http.Server{Handler: platform}}
	s.Start()
	t.Cleanup(s.Close)
	p.Good(t)
}
