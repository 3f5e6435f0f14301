package follow

import (
	"os"
	"path/filepath"
	"strings"
)

// maxLinks bounds the links on a way, as the kernel does.
const maxLinks = 40

// folders returns the folder of file, and those of the links on the way to it.
func folders(file string) []string {
	all := []string{filepath.Dir(file)}
	at, err := filepath.Abs(file)
	if err != nil {
		return all
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
		all = append(all, done)
		if !filepath.IsAbs(target) {
			target = filepath.Join(done, target)
		}
		done, rest = "/", filepath.Join(target, rest)
	}
	if len(all) == 1 {
		return all
	}
	return append(all, filepath.Dir(done))
}
