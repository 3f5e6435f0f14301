package config

import "syscall"

// inMemory says whether the file at path is on a file system that is in memory, as those are that
// Kubernetes, Swarm and systemd mount for secrets.
func inMemory(path string) bool {
	const tmpfs, ramfs = 0x01021994, 0x858458f6 // statfs(2)
	var s syscall.Statfs_t
	if err := syscall.Statfs(path, &s); err != nil {
		return false
	}
	return uint32(s.Type) == tmpfs || uint32(s.Type) == ramfs
}
