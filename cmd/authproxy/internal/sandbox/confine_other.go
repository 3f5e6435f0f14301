//go:build !linux

package sandbox

import (
	"errors"
	"runtime"
)

// Level says what the kernel offers.
func Level() string { return "none on " + runtime.GOOS }

func confine(required bool, _ confines) error {
	if required {
		return errors.New("sandbox: there is none on " + runtime.GOOS + ": set sandbox: best_effort or off")
	}
	return nil
}
