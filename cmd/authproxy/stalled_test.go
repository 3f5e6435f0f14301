//go:build linux

package main_test

import (
	"net"
	"strings"
	"testing"

	"authproxy/cmd/authproxy/authproxytest"
	"authproxy/proxy/platformtest"
)

// TestStalledAdminConnections: whoever opens the admin port again and again, and says
// nothing, takes no descriptors from the applications, and keeps no probe out.
func TestStalledAdminConnections(t *testing.T) {
	t.Parallel()
	url := authproxytest.Serve(t, platformtest.NewOAuth2(platformtest.Options{}))
	p := authproxytest.StartBy(t, authproxytest.OAuth2(url, url), "sh", "-c", `ulimit -n 64 && exec authproxy "$@"`, "sh")
	for range 100 {
		c, err := net.Dial("tcp", strings.TrimPrefix(p.Admin, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
	}
	for range 20 {
		p.Good(t)
	}
	if a := authproxytest.Ask(t, "GET", p.Admin+"/readyz", nil); a.Status != 200 {
		t.Errorf("readyz: %d", a.Status)
	}
}
