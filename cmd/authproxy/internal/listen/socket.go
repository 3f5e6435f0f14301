package listen

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// socket is a listener whose file goes when it closes, if it still is its own.
type socket struct {
	*net.UnixListener
	path   string
	made   fs.FileInfo
	remove sync.Once
}

// openUnix makes a socket at path. It takes the place of one to which nobody
// listens any more, and of nothing else. A lock keeps others, who do the same
// at the same time, from taking a socket for dead that is being made.
func openUnix(path string, mode fs.FileMode) (net.Listener, error) {
	unlock, err := lockSocket(path)
	if err != nil {
		return nil, explainSocket(path, cause(err))
	}
	defer unlock()
	if info, err := os.Lstat(path); err == nil {
		if err := removeStale(path, info); err != nil {
			return nil, explainSocket(path, err)
		}
	}
	l, err := bind(path, mode)
	if err != nil {
		return nil, explainSocket(path, cause(err))
	}
	made, err := os.Lstat(path)
	if err != nil {
		_ = l.Close()
		return nil, explainSocket(path, cause(err))
	}
	return &socket{UnixListener: l, path: path, made: made}, nil
}

// Close implements [net.Listener]. The file goes first: as long as somebody
// listens, no other authproxy puts its own in this place.
func (s *socket) Close() error {
	s.remove.Do(func() {
		if info, err := os.Lstat(s.path); err == nil && os.SameFile(info, s.made) {
			_ = os.Remove(s.path) // else the next start takes it over
		}
	})
	return s.UnixListener.Close()
}

// Addr implements [net.Listener].
func (s *socket) Addr() net.Addr { return &net.UnixAddr{Name: s.path, Net: "unix"} }

// answerTime is how long somebody may take to accept a connection before it is
// unknown whether there is anybody.
const answerTime = 2 * time.Second

// removeStale removes the socket at path, of which info was read, when nobody
// listens to it.
func removeStale(path string, info fs.FileInfo) error {
	kind := "file"
	switch info.Mode().Type() {
	case fs.ModeSocket:
		kind = ""
	case fs.ModeDir:
		kind = "folder"
	case fs.ModeSymlink:
		kind = "symbolic link"
	}
	if kind != "" {
		return fmt.Errorf("a %s stands there, which is not removed: move it away, or listen elsewhere", kind)
	}
	c, err := net.DialTimeout("unix", path, answerTime)
	if err == nil {
		_ = c.Close()
		return errors.New("another program answers there: stop it if it is another authproxy, or listen elsewhere")
	}
	if !errors.Is(err, syscall.ECONNREFUSED) {
		return fmt.Errorf("cannot tell whether another program uses the socket there (%w): remove it if none does", cause(err))
	}
	if now, err := os.Lstat(path); err != nil || !os.SameFile(now, info) {
		return errors.New("another program has just made a socket there: try again, or listen elsewhere")
	}
	if err := os.Remove(path); err != nil {
		return cause(err)
	}
	return nil
}

// explainSocket says what to do about an error that kept a socket from being
// made at path.
func explainSocket(path string, err error) error {
	folder := filepath.Dir(path)
	_, missing := os.Stat(folder)
	switch {
	case errors.Is(missing, fs.ErrNotExist):
		err = fmt.Errorf("the folder %s does not exist: make it, with RuntimeDirectory= where systemd starts authproxy", folder)
	case errors.Is(err, syscall.ENOTDIR):
		err = fmt.Errorf("%s is not a folder", folder)
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		err = fmt.Errorf("uid %d may not make files in %s (%w): choose a folder of its own", os.Getuid(), folder, err)
	}
	return fmt.Errorf("cannot listen on unix:%s: %w", path, err)
}

// cause returns the system's word on a failed operation, without the names of
// files and sockets.
func cause(err error) error {
	if number := syscall.Errno(0); errors.As(err, &number) {
		return number
	}
	return err
}
