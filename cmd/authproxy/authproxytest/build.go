package authproxytest

import (
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"testing"
)

// Build builds the program from the module in the working directory, puts it
// first in the PATH, runs the tests of m and returns their exit code. The
// program is built with -race where the tests are.
func Build(m *testing.M) int {
	SideBySide()
	dir, err := os.MkdirTemp("", "authproxy-test-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	args := []string{"build", "-o", filepath.Join(dir, "authproxy")}
	if underRace() {
		args = append(args, "-race") // the program is to be watched, not only its tests
		// Such a process sleeps for a second at its end, unless told not to.
		if err := os.Setenv("GORACE", "atexit_sleep_ms=0 "+os.Getenv("GORACE")); err != nil {
			panic(err)
		}
	}
	build := exec.Command("go", append(args, "./cmd/authproxy")...)
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "go build ./cmd/authproxy:", err)
		return 1
	}
	if err := os.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH")); err != nil {
		panic(err)
	}
	return m.Run()
}

// SideBySide has eight tests run at once, unless the command line says how many:
// these tests wait for processes and for time more than they compute. It is for
// TestMain, before the tests run.
func SideBySide() {
	// The command line is read later, and so has the last word.
	if err := flag.Set("test.parallel", "8"); err != nil {
		panic(err)
	}
}

// LookAtSources has go test forget its cached results when the program
// changes: it knows what files a test looks at, but not what it builds. root is
// the folder of the module.
func LookAtSources(root string) {
	for _, part := range []string{"cmd", "internal", "proxy", "tokencache", "go.mod"} {
		_ = filepath.WalkDir(filepath.Join(root, part), func(string, fs.DirEntry, error) error { return nil }) // looking is all
	}
}

func underRace() bool {
	info, _ := debug.ReadBuildInfo()
	return info != nil && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"})
}
