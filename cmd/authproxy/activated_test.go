//go:build linux

package main_test

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"authproxy/cmd/authproxy/authproxytest"
	"authproxy/proxy/platformtest"
)

// freePort is one that nobody listens on.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}

// activate has systemd's own tool open the sockets and start the program at the first
// connection to one of them.
func activate(t *testing.T, config, names string, sockets ...string) (exited func()) {
	t.Helper()
	tool, err := exec.LookPath("systemd-socket-activate")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("systemd-socket-activate is missing")
		}
		t.Skip("systemd-socket-activate is not installed")
	}
	program, err := exec.LookPath("authproxy")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "authproxy.yaml")
	authproxytest.Write(t, file, config)
	args := []string{"--fdname=" + names}
	for _, s := range sockets {
		args = append(args, "--listen="+s)
	}
	cmd := exec.Command(tool, append(args, program, "serve", "-c", file)...)
	cmd.Stderr = &authproxytest.Output{}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM) // it has become the program
		<-ended
		if t.Failed() {
			t.Log(cmd.Stderr)
		}
	})
	return func() { <-ended }
}

// TestSocketActivation: the first connection starts the program, and is served.
func TestSocketActivation(t *testing.T) {
	t.Parallel()
	url := authproxytest.Serve(t, platformtest.NewOAuth2(platformtest.Options{}))
	port, adminPort, socket := freePort(t), freePort(t), filepath.Join(t.TempDir(), "app.sock")
	config := "listen: systemd:app\nadmin: { listen: systemd:admin.socket }\nallowed_uids: []\n" +
		strings.Replace(authproxytest.OAuth2(url, url), "upstreams: [", fmt.Sprintf("upstreams: [ { name: local, token: main, url: %q, listen: systemd:local },", url), 1)
	activate(t, config, "app:local:admin.socket", "127.0.0.1:"+port, socket, "127.0.0.1:"+adminPort)
	var a authproxytest.Answer
	authproxytest.Eventually(t, "the sockets", func() bool {
		var err error
		a, err = authproxytest.Try(http.MethodGet, "http://127.0.0.1:"+port+"/x", nil)
		return err == nil
	})
	if a.Status != 200 {
		t.Errorf("%d %s", a.Status, a.Body)
	}
	// Its guard is that of a unix socket: any Host, since no name leads there.
	out, err := exec.Command("curl", "-sS", "--max-time", "20", "--unix-socket", socket, "-w", "%{http_code}", "http://any.example/x").CombinedOutput()
	if err != nil || !strings.HasSuffix(string(out), "200") {
		t.Errorf("%v %s", err, out)
	}
	if a := authproxytest.Ask(t, http.MethodGet, "http://127.0.0.1:"+adminPort+"/readyz", nil); a.Status != 200 {
		t.Errorf("%d %s", a.Status, a.Body)
	}
}

// TestSocketsOfUsers: allowed_uids holds on a unix socket of systemd, and keeps the program
// from starting on another.
func TestSocketsOfUsers(t *testing.T) {
	t.Parallel()
	url := authproxytest.Serve(t, platformtest.NewOAuth2(platformtest.Options{}))
	socket := filepath.Join(t.TempDir(), "app.sock")
	config := fmt.Sprintf("listen: systemd:app\nadmin: { listen: \"\" }\nallowed_uids: [%d]\n", os.Getuid()+1) + authproxytest.OAuth2(url, url)
	activate(t, config, "app", socket)
	var out []byte
	authproxytest.Eventually(t, "the socket", func() bool {
		var err error
		out, err = exec.Command("curl", "-sS", "--max-time", "20", "--unix-socket", socket, "http://localhost/x").CombinedOutput()
		return err == nil
	})
	if !strings.Contains(string(out), "caller_unknown") {
		t.Errorf("%s", out)
	}
	port := freePort(t)
	exited := activate(t, config, "app", "127.0.0.1:"+port)
	authproxytest.Eventually(t, "a connection", func() bool {
		c, err := net.Dial("tcp", "127.0.0.1:"+port)
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	})
	exited()
}
