//go:build unix

package listen

import (
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
)

// mask sets the umask of this process until the end of the test.
func mask(t *testing.T, umask int) {
	before := syscall.Umask(umask)
	t.Cleanup(func() { syscall.Umask(before) })
}

func mustListen(t *testing.T, path string, mode fs.FileMode) net.Listener {
	t.Helper()
	l, err := Open(Options{Address: "unix:" + path, Mode: mode})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

// stale leaves a socket behind to which nobody listens.
func stale(t *testing.T, path string) {
	t.Helper()
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false)
	_ = l.Close()
}

// TestSocketMode: whatever the umask is, a socket gets its mode, and it never
// has a wider one, not even for the moment in which somebody else might look.
func TestSocketMode(t *testing.T) {
	for _, umask := range []int{0, 0o022, 0o077, 0o177} {
		t.Run(fmt.Sprintf("%03o", umask), func(t *testing.T) {
			dir := t.TempDir()
			mask(t, umask)
			for _, mode := range []fs.FileMode{0o600, 0o660, 0o666} {
				path := filepath.Join(dir, "s")
				l := mustListen(t, path, mode)
				info, err := os.Lstat(path)
				if err != nil || info.Mode() != mode|fs.ModeSocket {
					t.Errorf("%v, %v, want %v", info.Mode(), err, mode)
				}
				_ = l.Close()
				if rest, _ := os.ReadDir(dir); len(rest) > 0 {
					t.Errorf("%v is left", rest)
				}
			}
		})
	}
}

func TestSocketIsNeverWider(t *testing.T) {
	dir := t.TempDir()
	mask(t, 0)
	path := filepath.Join(dir, "s")
	var ended atomic.Bool
	var wider, seen atomic.Int64
	var watch sync.WaitGroup
	watch.Go(func() {
		for !ended.Load() {
			info, err := os.Lstat(path)
			if err != nil {
				continue
			}
			seen.Add(1)
			if info.Mode().Perm()&^0o600 != 0 {
				wider.Add(1)
			}
		}
	})
	for n := 0; n < 500 || seen.Load() == 0 && n < 50_000; n++ { // one processor may take a while to look
		l, err := Open(Options{Address: "unix:" + path, Mode: 0o600})
		if err != nil {
			t.Fatal(err)
		}
		_ = l.Close()
	}
	ended.Store(true)
	watch.Wait()
	if wider.Load() > 0 || seen.Load() == 0 {
		t.Errorf("%d of %d looks saw a wider mode", wider.Load(), seen.Load())
	}
}

func TestStaleSocketIsTakenOver(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	stale(t, path)
	mustListen(t, path, 0o600)
	if _, err := net.Dial("unix", path); err != nil {
		t.Error(err)
	}
}

// TestWhatIsNotTakenOver: neither a socket to which somebody listens, nor
// anything that is no socket.
func TestWhatIsNotTakenOver(t *testing.T) {
	dir := t.TempDir()
	live, err := net.Listen("unix", filepath.Join(dir, "live"))
	if err != nil {
		t.Fatal(err)
	}
	defer live.Close()
	datagrams, err := net.ListenPacket("unixgram", filepath.Join(dir, "datagrams"))
	if err != nil {
		t.Fatal(err)
	}
	defer datagrams.Close()
	for name, make := range map[string]func(path string) error{
		"file":    func(path string) error { return os.WriteFile(path, []byte("precious"), 0o600) },
		"empty":   func(path string) error { return os.WriteFile(path, nil, 0o600) },
		"folder":  func(path string) error { return os.Mkdir(path, 0o700) },
		"fifo":    func(path string) error { return syscall.Mkfifo(path, 0o600) },
		"link":    func(path string) error { return os.Symlink("live", path) },
		"nowhere": func(path string) error { return os.Symlink("nothing", path) },
	} {
		if err := make(filepath.Join(dir, name)); err != nil {
			t.Fatal(name, err)
		}
	}
	for name, want := range map[string]string{
		"live": "another program answers there", "datagrams": "cannot tell",
		"file": "a file", "empty": "a file", "folder": "a folder", "fifo": "a file", "link": "a symbolic link", "nowhere": "a symbolic link",
	} {
		path := filepath.Join(dir, name)
		before, err := os.Lstat(path)
		if err != nil {
			t.Fatal(err)
		}
		l, err := Open(Options{Address: "unix:" + path, Mode: 0o600})
		if err == nil {
			_ = l.Close()
			t.Errorf("%s was taken over", name)
			continue
		}
		if !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", name, err)
		}
		if after, err := os.Lstat(path); err != nil || !os.SameFile(before, after) || after.Mode() != before.Mode() {
			t.Errorf("%s is not what it was: %v", name, err)
		}
	}
	if _, err := net.Dial("unix", filepath.Join(dir, "live")); err != nil {
		t.Error(err)
	}
}

// TestRaceForASocket: of those that start at once, over a stale socket or over
// none, one listens, and it can be reached.
func TestRaceForASocket(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the lock is there on Linux only")
	}
	for i := range 30 {
		path := filepath.Join(t.TempDir(), "s")
		if i%2 == 0 {
			stale(t, path)
		}
		var won atomic.Pointer[net.Listener]
		var race sync.WaitGroup
		for range 8 {
			race.Go(func() {
				l, err := Open(Options{Address: "unix:" + path, Mode: 0o600})
				switch {
				case err == nil && !won.CompareAndSwap(nil, &l.Listener):
					t.Error("two listen")
				case err != nil && !strings.Contains(err.Error(), "another program answers there"):
					t.Error(err)
				}
			})
		}
		race.Wait()
		if won.Load() == nil {
			t.Fatal("nobody listens")
		}
		c, err := net.Dial("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		_ = c.Close()
		_ = (*won.Load()).Close()
	}
}

// TestOnlyItsOwnSocketIsRemoved: what stands at the path when the listener
// closes may be somebody else's.
func TestOnlyItsOwnSocketIsRemoved(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	first := mustListen(t, path, 0o600)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	mustListen(t, path, 0o600)
	_ = first.Close()
	if c, err := net.Dial("unix", path); err != nil {
		t.Errorf("the second one's socket: %v", err)
	} else {
		_ = c.Close()
	}
	third := mustListen(t, filepath.Join(t.TempDir(), "t"), 0o600)
	_ = third.Close()
	again := mustListen(t, third.Addr().String(), 0o600)
	_ = third.Close() // a second time, when the number of its inode may be in use again
	if _, err := os.Lstat(again.Addr().String()); err != nil {
		t.Error(err)
	}
}

func TestWhereNoSocketCanBe(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		filepath.Join(dir, "none", "s"): "the folder " + filepath.Join(dir, "none") + " does not exist",
		filepath.Join(dir, "file", "s"): "is not a folder",
		"/proc/s":                       "/proc",
	} {
		_, err := Open(Options{Address: "unix:" + path, Mode: 0o600})
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), ".lock") {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// TestListensOnlyWhereItMay: what a name means can have changed since the
// configuration was read.
func TestListensOnlyWhereItMay(t *testing.T) {
	for _, address := range []string{"0.0.0.0:0", "[::]:0", ":0", "[::ffff:0.0.0.0]:0"} {
		l, err := Open(Options{Address: address, AnywhereKey: "allow_non_loopback"})
		if err == nil {
			_ = l.Close()
		}
		if err == nil || !strings.Contains(err.Error(), "allow_non_loopback") {
			t.Errorf("%s: %v", address, err)
		}
		if l, err = Open(Options{Address: address, Anywhere: true}); err != nil {
			t.Errorf("%s, allowed: %v", address, err)
			continue
		}
		_ = l.Close()
	}
	for _, address := range []string{"127.0.0.1:0", "localhost:0", "127.9.9.9:0", "[::ffff:127.0.0.1]:0"} {
		l, err := Open(Options{Address: address, AnywhereKey: "allow_non_loopback"})
		if err != nil {
			t.Errorf("%s: %v", address, err)
			continue
		}
		_ = l.Close()
	}
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	if _, err := Open(Options{Address: taken.Addr().String()}); err == nil || !strings.Contains(err.Error(), "another authproxy") {
		t.Errorf("%v", err)
	}
}
