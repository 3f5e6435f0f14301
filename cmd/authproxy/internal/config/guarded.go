package config

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"authproxy/cmd/authproxy/internal/config/tree"
)

// guarded warns when users of this machine whom a secret is not meant for can read or replace it in the
// file at path, which n names. Platforms that mount secrets make them readable by all, in a place that
// nobody else sees; and what the group may do is how the owner and authproxy share a file.
func (p *parser) guarded(n *tree.Node, path string) {
	const fix = "give it to the user whom authproxy runs as, and run chmod 600 on it"
	if p.guard(n, path, "every user of this machine can read the file", fix) || isMounted(path) {
		return
	}
	if why := replaceable(path); why != "" {
		p.warn(n, why, "move it into a folder that only its owner writes into")
	}
}

// guard is guarded in these words, and says whether it has warned.
func (p *parser) guard(n *tree.Node, path, what, fix string) bool {
	target, err := filepath.EvalSymlinks(path)
	if err == nil {
		target, err = filepath.Abs(target)
	}
	if err != nil || runtime.GOOS == "windows" || !reachable(filepath.Dir(target)) {
		return false
	}
	info, err := os.Stat(target)
	if err != nil {
		return false
	}
	switch mounted := isMounted(path) || inMemory(target); {
	case info.Mode()&0o002 != 0:
		p.warn(n, strings.Replace(what, "can read", "can write into", 1), fix)
		return true
	case info.Mode()&0o004 != 0 && !mounted:
		p.warn(n, what, fix)
		return true
	}
	return false
}

// isMounted says whether path is where containers find secrets.
func isMounted(path string) bool {
	return strings.HasPrefix(path, "/run/secrets/") || strings.HasPrefix(path, "/var/run/secrets/")
}

// reachable says whether every user may look into the folder dir.
func reachable(dir string) bool {
	for {
		info, err := os.Stat(dir)
		if err != nil || info.Mode()&0o001 == 0 {
			return false
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return true
		}
		dir = parent
	}
}
