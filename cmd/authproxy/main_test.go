package main

import (
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"authproxy/cmd/authproxy/authproxytest"
)

// TestMain makes this test binary the program too: under the name authproxy,
// which is in the PATH of the tests, it runs main. So the program is built the
// way the tests are, with -race where they are.
//
// A process built with -race sleeps for a second at its end, unless told not
// to; these tests end some hundred.
func TestMain(m *testing.M) {
	if os.Getenv("GORACE") == "" {
		os.Setenv("GORACE", "atexit_sleep_ms=0")
	}
	authproxytest.SideBySide()
	testscript.Main(m, map[string]func(){"authproxy": main})
}
