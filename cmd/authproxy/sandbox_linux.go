package main

import (
	"crypto/x509"
	"fmt"
	"time"

	"github.com/landlock-lsm/go-landlock/landlock"
)

// landlockLevel is the ABI that the rules are written for: 4 brought TCP
// ports, 6 signals and abstract sockets. Older kernels do with less when the
// best effort is enough.
var landlockLevel = landlock.V6

// confine gives up everything but c for the rest of the process's life, and
// with it the gaining of privileges (PR_SET_NO_NEW_PRIVS). required fails where
// the kernel cannot do all of it.
func confine(required bool, c confines) error {
	// Read now what is read once, at its first use.
	if c.roots {
		_, _ = x509.SystemCertPool()
	}
	_ = time.Now().Local().String()

	rules := []landlock.Rule{
		landlock.RODirs(c.folders...).IgnoreIfMissing(),
		landlock.ROFiles(c.files...).IgnoreIfMissing(),
		landlock.RWDirs(c.sockets...).IgnoreIfMissing(),
	}
	for _, port := range c.ports {
		rules = append(rules, landlock.ConnectTCP(port))
	}
	level := landlockLevel
	if !required {
		level = level.BestEffort()
	}
	if err := level.Restrict(rules...); err != nil {
		return fmt.Errorf("sandbox: %w: this kernel offers less than sandbox: required asks for; use best_effort", err)
	}
	return nil
}
