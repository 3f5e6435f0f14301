//go:build unix

package main_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"authproxy/cmd/authproxy/authproxytest"
	"authproxy/proxy/platformtest"
)

// unread starts the program with its output into a pipe, of which the caller has the
// reading end, and returns it with what asks it for a path and for an admin page.
func unread(t *testing.T) (cmd *exec.Cmd, log *os.File, ask, admin func(path string) (int, string)) {
	t.Helper()
	platform, dir := platformtest.NewOAuth2(platformtest.Options{}), t.TempDir()
	url, file := authproxytest.Serve(t, platform), filepath.Join(dir, "c.yaml")
	authproxytest.Write(t, file, fmt.Sprintf("listen: unix:%s/p\nadmin: { listen: 'unix:%s/a' }\nlog: { access: all }\n", dir, dir)+authproxytest.OAuth2(url, url))
	log, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = log.Close() })
	cmd = exec.Command("authproxy", "serve", "-c", file)
	cmd.Stdout, cmd.Stderr = w, w
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = w.Close()
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	over := func(socket string) func(string) (int, string) {
		client := &http.Client{Timeout: authproxytest.Patience, Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", filepath.Join(dir, socket))
		}}}
		t.Cleanup(client.CloseIdleConnections)
		return func(path string) (int, string) {
			resp, err := client.Get("http://localhost" + path)
			if err != nil {
				return 0, err.Error()
			}
			defer resp.Body.Close()
			text, _ := io.ReadAll(resp.Body)
			return resp.StatusCode, string(text)
		}
	}
	ask, admin = over("p"), over("a")
	authproxytest.Eventually(t, "the program", func() bool { status, _ := admin("/readyz"); return status == 200 })
	return cmd, log, ask, admin
}

func ends(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("it ended with %v", err)
		}
	case <-time.After(authproxytest.Patience):
		t.Error("SIGTERM does not end it")
	}
}

// TestNobodyReadsTheLog: requests go on while its pipe is full, what is lost is counted,
// and SIGTERM ends the program.
func TestNobodyReadsTheLog(t *testing.T) {
	t.Parallel()
	cmd, _, ask, admin := unread(t)
	path := "/" + strings.Repeat("x", 2000)
	dropped := func() bool {
		_, text := admin("/metrics")
		return strings.Contains(text, "authproxy_log_lines_dropped_total ") && !strings.Contains(text, "authproxy_log_lines_dropped_total 0\n")
	}
	for i := 0; i%200 != 0 || !dropped(); i++ { // until there is more than the pipe and the queue hold
		if status, text := ask(path); status == 0 || status >= 500 {
			t.Fatalf("request %d: %d %s", i, status, text)
		}
		if i > 10_000 {
			t.Fatal("no line is counted as dropped")
		}
	}
	ends(t, cmd)
}

// TestTheReaderOfTheLogIsGone: the program survives it.
func TestTheReaderOfTheLogIsGone(t *testing.T) {
	t.Parallel()
	cmd, log, ask, _ := unread(t)
	_ = log.Close()
	for i := range 20 {
		if status, text := ask("/x"); status == 0 || status >= 500 {
			t.Fatalf("request %d: %d %s", i, status, text)
		}
	}
	ends(t, cmd)
}
