package main_test

import (
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"authproxy/cmd/authproxy/authproxytest"
	"authproxy/proxy/platformtest"
)

// TestShutdownWaitsForNobody: connections on which nothing has come, or half a head, do
// not hold the end.
func TestShutdownWaitsForNobody(t *testing.T) {
	t.Parallel()
	url := authproxytest.Serve(t, platformtest.NewOAuth2(platformtest.Options{}))
	p := authproxytest.Start(t, authproxytest.OAuth2(url, url))
	for _, text := range []string{"", "GET / HTTP/1.1\r\nHost: lo"} {
		c, err := net.Dial("tcp", strings.TrimPrefix(p.Places["main"], "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		_, _ = c.Write([]byte(text))
	}
	p.Good(t) // the connections before are accepted by now
	began := time.Now()
	p.Signal(t, syscall.SIGTERM)
	if code := p.Wait(t); code != 0 || time.Since(began) > 3*time.Second {
		t.Errorf("ended with %d after %v", code, time.Since(began))
	}
}
