//go:build unix

package listen

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// asUser has curl, as another user of this machine, call the socket at path.
// It returns the body of the answer and curl's exit status.
func asUser(t *testing.T, uid, gid uint32, path string, args ...string) (body string, status int) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("needs root, to be other users")
	}
	curl, err := exec.LookPath("curl")
	if err != nil {
		t.Skip("needs curl: ", err)
	}
	cmd := exec.CommandContext(t.Context(), curl, append([]string{"-sS", "--max-time", "20", "--unix-socket", path, "http://localhost/"}, args...)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: gid}}
	cmd.Dir = "/"
	out, err := cmd.CombinedOutput()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		return string(out), exit.ExitCode()
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(out), 0
}

// openFolder returns a folder that every user can look into.
func openFolder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "authproxy-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestWhomTheModeLetsIn with processes of other users.
func TestWhomTheModeLetsIn(t *testing.T) {
	path := filepath.Join(openFolder(t), "s")
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "served") })}
	defer srv.Close()
	go func() { _ = srv.Serve(mustListen(t, path, 0o660)) }()
	deadline := time.Now().Add(10 * time.Second)
	for _, err := os.Lstat(path); err != nil && time.Now().Before(deadline); _, err = os.Lstat(path) {
		time.Sleep(time.Millisecond)
	}
	const couldNotConnect = 7
	if body, status := asUser(t, 1234, 1234, path); status != couldNotConnect {
		t.Errorf("a user of another group: %d %s", status, body)
	}
	if body, status := asUser(t, 1234, uint32(os.Getgid()), path); body != "served" {
		t.Errorf("a user of the group: %d %s", status, body)
	}
}

// TestAllowedUIDs with processes of other users, over HTTP/1.1 and HTTP/2.
func TestAllowedUIDs(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("needs SO_PEERCRED")
	}
	path := filepath.Join(openFolder(t), "s")
	for _, c := range []struct {
		name    string
		allowed []int
		uid     uint32
		want    string
	}{
		{"a user who is listed", []int{7, 1234}, 1234, "served"},
		{"a user who is not", []int{7, 1234}, 1235, "uid 1235 is not in allowed_uids"},
		{"root has no privilege", []int{7}, 0, "uid 0 is not in allowed_uids"},
	} {
		for _, version := range []string{"--http1.1", "--http2-prior-knowledge"} {
			known := allow(t, c.allowed)
			srv := &http.Server{Protocols: new(http.Protocols), Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if err := known(r); err != nil {
					http.Error(w, err.Error(), http.StatusForbidden)
					return
				}
				_, _ = io.WriteString(w, "served")
			}), ConnContext: WithPeer}
			srv.Protocols.SetHTTP1(true)
			srv.Protocols.SetUnencryptedHTTP2(true)
			l := mustListen(t, path, 0o666)
			go func() { _ = srv.Serve(l) }()
			if body, status := asUser(t, c.uid, c.uid, path, version); !strings.Contains(body, c.want) {
				t.Errorf("%s, %s: %d %s", c.name, version, status, body)
			}
			_ = srv.Close()
		}
	}
}

// TestAPeerThatIsNotKnown: a connection that tells no user lets nobody in.
func TestAPeerThatIsNotKnown(t *testing.T) {
	a, b := net.Pipe()
	defer a.Close()
	defer b.Close()
	for _, ctx := range []context.Context{t.Context(), WithPeer(t.Context(), a)} {
		r, _ := http.NewRequestWithContext(ctx, "GET", "/", nil)
		if err := allow(t, []int{0})(r); err == nil {
			t.Error("a peer without credentials passes")
		}
	}
}

func allow(t *testing.T, uids []int) func(*http.Request) error {
	t.Helper()
	known, err := AllowUIDs(uids)
	if err != nil {
		t.Skip(err)
	}
	return known
}
