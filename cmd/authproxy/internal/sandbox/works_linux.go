package sandbox

import ll "github.com/landlock-lsm/go-landlock/landlock/syscall"

// Works tells whether the system takes anything away.
func Works() bool {
	abi, err := ll.LandlockGetABIVersion()
	return err == nil && abi > 0
}
