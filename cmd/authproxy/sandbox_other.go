//go:build !linux

package main

import (
	"errors"
	"runtime"
)

func sandboxLevel() string { return "none on " + runtime.GOOS }

// confine does nothing here: there is a sandbox on Linux only.
func confine(required bool, _ confines) error {
	if required {
		return errors.New("sandbox: there is none on " + runtime.GOOS + ": set sandbox: best_effort or off")
	}
	return nil
}
