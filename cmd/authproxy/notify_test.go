//go:build linux

package main_test

import (
	"net"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"authproxy/cmd/authproxy/authproxytest"
	"authproxy/proxy/platformtest"
)

// TestServiceManagerIsTold: when requests are served, that a configuration is read and what
// came of it, that the program lives, and that it stops; also in the sandbox.
func TestServiceManagerIsTold(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "notify")
	manager, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = manager.Close() })
	await := func(want string) {
		t.Helper()
		var seen []string
		_ = manager.SetReadDeadline(time.Now().Add(authproxytest.Patience))
		for buf := make([]byte, 4096); ; {
			n, err := manager.Read(buf)
			if err != nil {
				t.Fatalf("%q was not told, only %q", want, seen)
			}
			if seen = append(seen, string(buf[:n])); strings.Contains(string(buf[:n]), want) {
				return
			}
		}
	}
	url := authproxytest.Serve(t, platformtest.NewOAuth2(platformtest.Options{}))
	p := authproxytest.Start(t, "sandbox: required\n"+authproxytest.OAuth2(url, url), "NOTIFY_SOCKET="+path, "WATCHDOG_USEC=200000", "WATCHDOG_PID=")
	await("READY=1\nSTATUS=serving 1 upstream(s), 1 token(s)")
	await("WATCHDOG=1")
	p.Signal(t, syscall.SIGHUP)
	await("RELOADING=1\nMONOTONIC_USEC=")
	await("READY=1\nSTATUS=serving")
	p.Signal(t, syscall.SIGTERM)
	await("STOPPING=1")
	if code := p.Wait(t); code != 0 {
		t.Errorf("exit code %d", code)
	}
}
