package follow

import (
	"os"
	"path/filepath"
	"strings"
)

// Link is a symbolic link on the way to a file.
type Link struct {
	// At is the folder that it is in, Target what it leads to; both are absolute.
	At, Target string
}

// maxLinks bounds the links on a way, as the kernel does.
const maxLinks = 40

// Links returns the links on the way to path, in their order. Each of them may
// come to lead elsewhere.
func Links(path string) []Link {
	var all []Link
	at, err := filepath.Abs(path)
	if err != nil {
		return nil
	}
	done, rest := "/", at
	for rest != "" && len(all) < maxLinks {
		var name string
		name, rest, _ = strings.Cut(strings.TrimLeft(rest, "/"), "/")
		here := filepath.Join(done, name)
		target, err := os.Readlink(here)
		if err != nil {
			done = here
			continue
		}
		if !filepath.IsAbs(target) {
			target = filepath.Join(done, target)
		}
		all = append(all, Link{At: done, Target: target})
		done, rest = "/", filepath.Join(target, rest)
	}
	return all
}

// folders returns the folder of file, those of the links on the way to it, and
// the one where it is in the end.
func folders(file string) []string {
	all := []string{filepath.Dir(file)}
	for _, link := range Links(file) {
		all = append(all, link.At)
	}
	if real, err := filepath.EvalSymlinks(file); err == nil {
		all = append(all, filepath.Dir(real))
	}
	return all
}
