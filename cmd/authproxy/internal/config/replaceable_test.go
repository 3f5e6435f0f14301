//go:build unix

package config

import (
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// folderWith makes a folder with that mode, in one that others cannot write into.
func folderWith(t *testing.T, mode fs.FileMode) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "authproxy")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, mode); err != nil {
		t.Fatal(err)
	}
	return dir
}

// socketIn makes a socket, of that user where this process may give it away.
func socketIn(t *testing.T, dir string, owner int) string {
	t.Helper()
	path := filepath.Join(dir, "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	if owner != os.Getuid() {
		if os.Getuid() != 0 {
			t.Skip("needs root, to give a file away")
		}
		if err := os.Chown(path, owner, -1); err != nil {
			t.Fatal(err)
		}
	}
	return path
}

// TestReplaceable: a socket in a folder that is open to all, but for one of ours under the sticky bit.
func TestReplaceable(t *testing.T) {
	const other = 12345
	for name, c := range map[string]struct {
		mode   fs.FileMode
		exists bool
		owner  int
		want   bool
	}{
		"own folder":                     {0o755, false, 0, false},
		"group":                          {0o770, false, 0, false},
		"open to all":                    {0o777, false, 0, true},
		"open to all, there":             {0o777, true, os.Getuid(), true},
		"sticky, not there":              {0o777 | fs.ModeSticky, false, 0, true},
		"sticky, ours":                   {0o777 | fs.ModeSticky, true, os.Getuid(), false},
		"sticky, another user's":         {0o777 | fs.ModeSticky, true, other, true},
		"own folder, another user's":     {0o755, true, other, false},
		"folder of another user's alone": {0o700, true, other, false},
	} {
		t.Run(name, func(t *testing.T) {
			dir := folderWith(t, c.mode)
			path := filepath.Join(dir, "s")
			if c.exists {
				path = socketIn(t, dir, c.owner)
			}
			if why := replaceable(path); (why != "") != c.want || c.want && !strings.Contains(why, dir) {
				t.Errorf("%q", why)
			}
			if why := replaceable(filepath.Join(dir, "s")); c.want && !strings.Contains(why, "mode ") {
				t.Errorf("%q", why)
			}
		})
	}
	inner := filepath.Join(folderWith(t, 0o777), "a")
	if err := os.Mkdir(inner, 0o755); err != nil {
		t.Fatal(err)
	}
	if why := replaceable(filepath.Join(inner, "s")); why == "" {
		t.Error("the folder above may be replaced")
	}
}

// TestPlacesOfSockets: it is told of which key.
func TestPlacesOfSockets(t *testing.T) {
	dir := folderWith(t, 0o777|fs.ModeSticky)
	for text, want := range map[string]string{
		strings.Replace(withToken("token_url: https://id.example/t", "client_id: a", "client_secret: b"), "https://a.example", "unix:"+dir+"/up", 1): "upstreams[0].url: the token may go to another user's program: every user of this machine can make files in " + dir,
		"listen: unix:" + dir + "/own\n" + withToken("token_url: https://id.example/t", "client_id: a", "client_secret: b"):                          "listen: callers may reach another user's program",
		"admin: { listen: unix:" + dir + "/own }\n" + withToken("token_url: https://id.example/t", "client_id: a", "client_secret: b"):               "admin.listen: callers",
		withToken("token_url: https://id.example/t", "client_id: a", "client_secret_file: "+secretIn(t, dir)):                                        "client_secret_file: every user of this machine can make files in " + dir,
	} {
		cfg := good(t, text)
		if got := strings.Join(cfg.Warnings, "\n"); !strings.Contains(got, want) || strings.Contains(got, "\n") {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// secretIn makes a secret of another user's.
func secretIn(t *testing.T, dir string) string {
	t.Helper()
	path := filepath.Join(dir, "secret")
	if err := os.WriteFile(path, []byte("hush"), 0o600); err != nil {
		t.Fatal(err)
	}
	if os.Getuid() != 0 {
		t.Skip("needs root, to give a file away")
	}
	if err := os.Chown(path, 12345, -1); err != nil {
		t.Fatal(err)
	}
	return path
}
