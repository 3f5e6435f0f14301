//go:build unix

package config

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// replaceable says why another user of this machine could put something else in the place of path, or
// "": into a folder that is open to all, or into one above it. Whoever owns a folder may do so as well,
// and is meant to. In a folder with the sticky bit only what does not exist yet can be put there.
func replaceable(path string) string {
	folder, err := filepath.EvalSymlinks(filepath.Dir(path))
	if err != nil {
		return ""
	}
	at := filepath.Join(folder, filepath.Base(path))
	for {
		info, err := os.Stat(folder)
		if err != nil {
			return ""
		}
		open, sticky := info.Mode()&0o002 != 0, info.Mode()&fs.ModeSticky != 0
		if open && (sticky && !ours(at) || !sticky && !isVolume(folder, info)) {
			return fmt.Sprintf("every user of this machine can make files in %s (mode %04o), and so put another in this place", folder, octal(info.Mode()))
		}
		at = folder
		parent := filepath.Dir(folder)
		if parent == folder {
			return ""
		}
		folder = parent
	}
}

// isVolume says whether another file system begins at folder: one that is open to all was made for those
// who have it mounted, as an emptyDir of Kubernetes.
func isVolume(folder string, info fs.FileInfo) bool {
	above, err := os.Stat(filepath.Dir(folder))
	if err != nil {
		return false
	}
	a, okA := info.Sys().(*syscall.Stat_t)
	b, okB := above.Sys().(*syscall.Stat_t)
	return okA && okB && a.Dev != b.Dev
}

// ours says whether there is something at path that nobody but root and this user owns.
func ours(path string) bool {
	info, err := os.Lstat(path)
	if err != nil {
		return false
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	return ok && (owner.Uid == 0 || int(owner.Uid) == os.Getuid())
}

// octal is a mode as chmod takes it.
func octal(mode fs.FileMode) uint32 {
	bits := uint32(mode.Perm())
	if mode&fs.ModeSticky != 0 {
		bits |= 0o1000
	}
	return bits
}
