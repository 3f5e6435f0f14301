package listen

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// bind makes a socket at path that has at no moment a wider mode than mode.
// Linux gives the file the mode that the socket has before it is bound, less
// the umask; what that took away is given back afterwards. So neither the
// umask, which is one for the whole process, has to change, nor has the socket
// to be made elsewhere and moved, after which ss(8) and lsof(8) would show it
// where it is not.
func bind(path string, mode fs.FileMode) (*net.UnixListener, error) {
	config := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		var failed error
		err := c.Control(func(fd uintptr) { failed = syscall.Fchmod(int(fd), uint32(mode.Perm())) })
		return errors.Join(err, failed)
	}}
	l, err := config.Listen(context.Background(), "unix", path)
	if err != nil {
		return nil, err
	}
	u := l.(*net.UnixListener)
	if err := os.Chmod(path, mode.Perm()); err != nil {
		_ = u.Close()
		return nil, err
	}
	u.SetUnlinkOnClose(false)
	return u, nil
}

// lockTime is how long another process may take to open the same socket; it
// does not wait longer than answerTime for anything itself.
const lockTime = 2 * answerTime

// lockSocket waits until no other process is opening the socket at path, and
// keeps others from it until unlock is called. The lock is a file of its own
// that only this user can open: whoever can read a folder could lock that.
func lockSocket(path string) (unlock func(), err error) {
	name := filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".lock")
	for deadline := time.Now().Add(lockTime); ; time.Sleep(5 * time.Millisecond) {
		f, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR|syscall.O_NOFOLLOW, 0o600)
		if err != nil {
			return nil, err
		}
		if err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err == nil && isAt(f, name) {
			return func() {
				_ = os.Remove(name)
				_ = f.Close()
			}, nil
		}
		_ = f.Close()
		if time.Now().After(deadline) {
			return nil, fmt.Errorf("another process holds %s: wait for it, or end it", name)
		}
	}
}

// isAt tells whether f is the file of that name, and not one that the holder of
// the lock before has removed.
func isAt(f *os.File, name string) bool {
	mine, err := f.Stat()
	if err != nil {
		return false
	}
	there, err := os.Lstat(name)
	return err == nil && os.SameFile(mine, there)
}
