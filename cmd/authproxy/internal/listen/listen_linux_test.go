package listen

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestALockThatIsGone: who opened the file of a lock before its holder removed
// it, and locks it afterwards, has locked nothing.
func TestALockThatIsGone(t *testing.T) {
	name := filepath.Join(t.TempDir(), "lock")
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if !isAt(f, name) {
		t.Error("the file is not where it is")
	}
	if err := os.Remove(name); err != nil {
		t.Fatal(err)
	}
	if isAt(f, name) {
		t.Error("a file that was removed counts")
	}
	if err := os.WriteFile(name, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if isAt(f, name) {
		t.Error("another file of that name counts")
	}
}

// TestALockThatIsHeld: somebody who stops while opening a socket does not keep
// others waiting for ever.
func TestALockThatIsHeld(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "s")
	f, err := os.OpenFile(filepath.Join(filepath.Dir(path), ".s.lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(Options{Address: "unix:" + path, Mode: 0o600}); err == nil || !strings.Contains(err.Error(), ".s.lock") {
		t.Errorf("%v", err)
	}
	_ = f.Close() // as the kernel does for one that has died
	mustListen(t, path, 0o600)
}
