package filestore

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"authproxy/tokencache/shared"
	"authproxy/tokencache/storetest"
)

func mustOpen(t *testing.T, path string) *Store {
	t.Helper()
	s, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestStore(t *testing.T) {
	path := filepath.Join(t.TempDir(), "own", "tokens")
	storetest.Run(t, func(t *testing.T) shared.Store { return mustOpen(t, path) })
}

// TestModes: what is made is for its owner alone, and what is not is refused with the mode
// that it should have.
func TestModes(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("modes say nothing here")
	}
	path := filepath.Join(t.TempDir(), "a", "b", "tokens")
	s := mustOpen(t, path)
	if err := s.Save(t.Context(), "k", []byte("v"), time.Minute); err != nil {
		t.Fatal(err)
	}
	unlock, err := s.Lock(t.Context(), "k")
	if err != nil {
		t.Fatal(err)
	}
	unlock()
	files, _ := os.ReadDir(filepath.Dir(path))
	for _, f := range files {
		if info, err := f.Info(); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v %v", f.Name(), info.Mode(), err)
		}
	}
	if info, _ := os.Stat(filepath.Dir(path)); info.Mode().Perm() != 0o700 {
		t.Errorf("the folder: %v", info.Mode())
	}
	for place, c := range map[string]struct {
		mode fs.FileMode
		good fs.FileMode
		want string
	}{path: {0o644, 0o600, "chmod 0600"}, filepath.Dir(path): {0o750, 0o700, "chmod 0700"}} {
		if err := os.Chmod(place, c.mode); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(path); err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), place) {
			t.Errorf("%s: %v", place, err)
		}
		_ = os.Chmod(place, c.good)
	}
	if os.Getuid() != 0 {
		t.Log("not root: a foreign owner is not tried")
		return
	}
	if err := os.Chown(path, 12345, -1); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path); err == nil || !strings.Contains(err.Error(), "belongs to uid 12345") {
		t.Errorf("%v", err)
	}
}

// TestBrokenFiles: whatever stands there, it reads as absent or whole, and is replaced.
func TestBrokenFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s", "tokens")
	s := mustOpen(t, path)
	for _, content := range []string{"", "{", "null", "[]", `{"k":1}`, "\x00", strings.Repeat("x", maxFile+1)} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Load(t.Context(), "k"); !errors.Is(err, shared.ErrNotFound) {
			t.Errorf("%.20q: %v", content, err)
		}
		if err := s.Save(t.Context(), "k", []byte("v"), time.Minute); err != nil {
			t.Errorf("%.20q: %v", content, err)
		}
		if v, err := s.Load(t.Context(), "k"); string(v) != "v" {
			t.Errorf("%.20q: %q %v", content, v, err)
		}
	}
}

// TestFailedWrite leaves the old file, and nothing beside it.
func TestFailedWrite(t *testing.T) {
	if runtime.GOOS == "windows" || os.Getuid() == 0 {
		if os.Getenv("CI") == "true" && runtime.GOOS != "linux" {
			t.Fatal("this must be tried")
		}
	}
	path := filepath.Join(t.TempDir(), "s", "tokens")
	s := mustOpen(t, path)
	if err := s.Save(t.Context(), "k", []byte("old"), time.Minute); err != nil {
		t.Fatal(err)
	}
	if err := s.write(map[string]entry{"k": {Value: []byte("new"), Expires: 1}}); err != nil {
		t.Fatal(err)
	}
	blocked := &Store{filepath.Join(filepath.Dir(path), "folder")}
	if err := os.Mkdir(blocked.path, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := blocked.write(map[string]entry{}); err == nil { // a file cannot take a folder's place
		t.Error("it was written")
	}
	files, _ := filepath.Glob(filepath.Join(filepath.Dir(path), "*.new-*"))
	if len(files) > 0 {
		t.Errorf("%v are left", files)
	}
}

// FuzzPrefix: of a file that was cut at any byte, or changed, nothing is read but what was
// written.
func FuzzPrefix(f *testing.F) {
	whole, err := json.Marshal(map[string]entry{"k": {[]byte("value"), 1 << 60}, "l": {[]byte{0, 1}, 1 << 60}})
	if err != nil {
		f.Fatal(err)
	}
	for n := range len(whole) + 1 {
		f.Add(n)
	}
	f.Fuzz(func(t *testing.T, n int) {
		if n < 0 || n > len(whole) {
			t.Skip()
		}
		if got := parse(whole[:n]); len(got) != 0 && (n < len(whole) || string(got["k"].Value) != "value" || len(got) != 2) {
			t.Errorf("%d bytes: %v", n, got)
		}
	})
}
