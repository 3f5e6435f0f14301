//go:build unix

package filestore

import (
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// ownedByUs says why what another user owns must not be used.
func ownedByUs(path string, info fs.FileInfo) error {
	owner, ok := info.Sys().(*syscall.Stat_t)
	if ok && int(owner.Uid) != os.Geteuid() {
		return fmt.Errorf("%s belongs to uid %d, and this runs as uid %d: run chown %d on it, or choose another place", path, owner.Uid, os.Geteuid(), os.Geteuid())
	}
	return nil
}
