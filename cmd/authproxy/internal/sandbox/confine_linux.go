package sandbox

import (
	"crypto/x509"
	"fmt"
	"syscall"
	"time"

	"github.com/landlock-lsm/go-landlock/landlock"
	ll "github.com/landlock-lsm/go-landlock/landlock/syscall"
)

// landlockLevel is the ABI that the rules are written for: 4 brought TCP
// ports, 6 signals and abstract sockets. Older kernels do with less when the
// best effort is enough.
var landlockLevel = landlock.V6

// Level says what the kernel offers.
func Level() string {
	abi, err := ll.LandlockGetABIVersion()
	if err != nil {
		return "none on this kernel"
	}
	return fmt.Sprint("ABI ", abi)
}

func confine(required bool, c confines) error {
	// Read now what is read once, at its first use.
	if c.roots {
		_, _ = x509.SystemCertPool()
	}
	_ = time.Now().Local().String()

	rules := []landlock.Rule{
		landlock.PathAccess(ll.AccessFSReadFile|ll.AccessFSReadDir, c.folders...).IgnoreIfMissing(),
		landlock.PathAccess(ll.AccessFSReadFile, c.files...).IgnoreIfMissing(),
		landlock.PathAccess(ll.AccessFSRemoveFile, c.sockets...).IgnoreIfMissing(),
	}
	if len(c.write) > 0 {
		rules = append(rules, landlock.RWDirs(c.write...))
	}
	level := landlockLevel
	if c.anyPort {
		level = landlock.V3 // the last that knows of files alone
	} else {
		for _, port := range c.ports {
			rules = append(rules, landlock.ConnectTCP(port))
		}
	}
	if !required {
		level = level.BestEffort()
	}
	err := level.Restrict(rules...)
	if err != nil && required {
		return fmt.Errorf("sandbox: %w: this kernel offers less than sandbox: required asks for; use best_effort", err)
	}
	if err != nil {
		return fmt.Errorf("sandbox: %w: set sandbox: off if it cannot be mended", err)
	}
	return noNewPrivs()
}

// noNewPrivs keeps the process and what it starts from gaining privileges, also
// on a kernel without Landlock. With cgo the call is not to be had, and the
// library above has made it.
func noNewPrivs() error {
	const prSetNoNewPrivs = 38 // prctl(2)
	_, _, errno := syscall.AllThreadsSyscall(syscall.SYS_PRCTL, prSetNoNewPrivs, 1, 0)
	if errno != 0 && errno != syscall.ENOTSUP {
		return fmt.Errorf("sandbox: no_new_privs: %w", errno)
	}
	return nil
}
