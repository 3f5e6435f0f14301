//go:build !linux

package listen

import (
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"runtime"
)

// bind makes a socket at path that has at no moment a wider mode than mode: in
// a folder that nobody else can look into, from where it moves to its place.
// Windows knows no modes; there the folder's access list decides.
func bind(path string, mode fs.FileMode) (*net.UnixListener, error) {
	if runtime.GOOS == "windows" {
		return bindAt(path)
	}
	private, err := os.MkdirTemp(filepath.Dir(path), ".s")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(private)
	within := filepath.Join(private, "s")
	l, err := bindAt(within)
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(within, mode.Perm()); err != nil {
		_ = l.Close()
		return nil, err
	}
	if err := os.Rename(within, path); err != nil {
		_ = l.Close()
		return nil, err
	}
	return l, nil
}

func bindAt(path string) (*net.UnixListener, error) {
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err == nil {
		l.SetUnlinkOnClose(false)
	}
	return l, err
}

// lockSocket does nothing here: of two processes that start at the same moment
// over a stale socket, one may lose its own.
func lockSocket(string) (unlock func(), err error) { return func() {}, nil }
