package config

import (
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"authproxy/cmd/authproxy/internal/config/tree"
)

// TestGuarded: whom the mode of a secret file lets in, besides owner and group.
func TestGuarded(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("modes of files say nothing here")
	}
	dir := t.TempDir()
	memory := inMemory(dir)
	tests := []struct {
		folder, file fs.FileMode
		want         string
	}{
		{0o755, 0o400, ""},
		{0o755, 0o600, ""},
		{0o755, 0o440, ""},
		{0o755, 0o660, ""},
		{0o755, 0o644, "can read"},
		{0o755, 0o604, "can read"},
		{0o711, 0o644, "can read"},
		{0o755, 0o602, "can write into"},
		{0o755, 0o666, "can write into"},
		{0o700, 0o644, ""}, // nobody else gets there
		{0o750, 0o666, ""},
	}
	for _, tt := range tests {
		file := secretWithMode(t, tt.file, tt.folder)
		want := tt.want
		if memory && want == "can read" {
			want = ""
		}
		cfg := good(t, "tokens:\n  t:\n    token_url: https://x/t\n    client_id: i\n    client_secret_file: "+file+
			"\nupstreams: [{ name: u, token: t, url: 'https://x' }]\n")
		got := strings.Join(cfg.Warnings, "\n")
		if (want == "") != (got == "") || !strings.Contains(got, want) || got != "" && !strings.HasPrefix(got, "test.yaml:5: tokens.t.client_secret_file: every user of this machine ") {
			t.Errorf("folder %o, file %o: %q", tt.folder, tt.file, got)
		}
	}
}

// secretWithMode makes a secret file that everybody reaches if its folder's mode lets them.
func secretWithMode(t *testing.T, mode, folder fs.FileMode) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Chmod(filepath.Dir(dir), 0o755); err != nil {
		t.Fatal(err)
	}
	if !reachable(filepath.Dir(dir)) {
		t.Skip("nobody else reaches the folder for temporary files")
	}
	real := filepath.Join(dir, "data")
	if err := os.WriteFile(real, []byte("hush"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(real, mode); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(dir, "secret") // as Kubernetes has them
	if err := os.Symlink("data", link); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, folder); err != nil {
		t.Fatal(err)
	}
	return link
}

func TestMounted(t *testing.T) {
	for path, want := range map[string]bool{
		"/run/secrets/a": true, "/var/run/secrets/kubernetes.io/a": true,
		"/run/secretsa": false, "/run/authproxy/a": false, "/etc/run/secrets/a": false,
	} {
		if isMounted(path) != want {
			t.Errorf("%s: %v", path, !want)
		}
	}
	if runtime.GOOS == "linux" && inMemory("/") && inMemory("/proc") {
		t.Error("everything is in memory")
	}
}

// TestGuardedInMemory: where Kubernetes and others mount secrets, everybody may read, and nobody write.
func TestGuardedInMemory(t *testing.T) {
	const memory = "/dev/shm"
	if !inMemory(memory) {
		t.Skip("no file system in memory at " + memory)
	}
	dir, err := os.MkdirTemp(memory, "authproxy-test-")
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	file := filepath.Join(dir, "s")
	if err := os.WriteFile(file, []byte("hush"), 0o600); err != nil {
		t.Fatal(err)
	}
	for mode, want := range map[fs.FileMode]int{0o444: 0, 0o644: 0, 0o646: 1} {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(file, mode); err != nil {
			t.Fatal(err)
		}
		p := &parser{}
		p.guarded(&tree.Node{}, file)
		if len(p.warnings) != want {
			t.Errorf("%o: %q", mode, p.warnings)
		}
	}
}
