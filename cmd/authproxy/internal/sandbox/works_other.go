//go:build !linux

package sandbox

// Works tells whether the system takes anything away.
func Works() bool { return false }
