// Package authproxytest runs the built program, and asks it, for tests that
// know it only from outside. It takes the first "authproxy" in the PATH.
//
// Nothing that is built into the program may import it.
package authproxytest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// Program is a running "authproxy serve".
type Program struct {
	// URL is that of the upstream main, without a slash at the end.
	URL string
	// Admin is the URL of the admin listener, without a slash at the end.
	Admin string
	// Places are the URLs of all upstreams, and of admin, by name.
	Places map[string]string
	// Stdout and Stderr keep what the program writes.
	Stdout, Stderr *Output
	// Cmd is the process; its ProcessState is there once Exited is closed.
	Cmd *exec.Cmd
	// Exited is closed when the program has ended.
	Exited <-chan struct{}

	signalled atomic.Bool
	stopping  sync.Once
}

const anywhere = "listen: 127.0.0.1:0\n"

// Start runs the program until the end of the test, which fails when [Program.Stop]
// finds something. The configuration need not say where to listen; env holds
// NAME=value besides the environment of the test.
func Start(t testing.TB, config string, env ...string) *Program {
	t.Helper()
	return start(t, config, env, "authproxy")
}

// StartBy is [Start] with another program that runs authproxy, whose arguments
// are put behind its own.
func StartBy(t testing.TB, config string, command ...string) *Program {
	t.Helper()
	return start(t, config, nil, command...)
}

func start(t testing.TB, config string, env []string, command ...string) *Program {
	t.Helper()
	file := filepath.Join(t.TempDir(), "authproxy.yaml")
	if !strings.Contains(config, "admin: {") {
		config = "admin: { listen: 127.0.0.1:0 }\n" + config
	}
	Write(t, file, anywhere+withTransport(t, config))
	cmd := exec.Command(command[0], append(command[1:], "serve", "-c", file)...)
	cmd.Env = append(os.Environ(), env...)
	p, err := Launch(cmd)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Stop(t) })
	return p
}

// Launch starts an "authproxy serve" that is the caller's to end, and waits
// until it listens. The error of one that does not quotes what it wrote.
func Launch(cmd *exec.Cmd) (*Program, error) {
	exited := make(chan struct{})
	p := &Program{Cmd: cmd, Exited: exited, Stdout: &Output{ended: exited}, Stderr: &Output{ended: exited}}
	cmd.Stdout, cmd.Stderr = p.Stdout, p.Stderr
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		defer close(exited)
		_ = cmd.Wait() // who wants to know looks at the state
	}()
	if !p.Stdout.Await("livez") {
		_ = cmd.Process.Kill() // an error means that it has ended
		<-p.Exited
		return nil, fmt.Errorf("authproxy did not start: %v: %s%s", cmd.ProcessState, p.Stdout, p.Stderr)
	}
	p.readPlaces()
	return p, nil
}

// placeLine is how an address is told of, in text and in JSON.
var placeLine = regexp.MustCompile(`(?m)(?:^  (\w+): |"upstream":"(\w+)","address":"|"(admin)":")(https?://[^/\s"]+)`)

// readPlaces takes the addresses from what the program says at its start.
func (p *Program) readPlaces() {
	p.Places = map[string]string{}
	for _, m := range placeLine.FindAllStringSubmatch(p.Stdout.String(), -1) {
		p.Places[m[1]+m[2]+m[3]] = m[4]
	}
	p.URL, p.Admin = p.Places["main"], p.Places["admin"]
}

// Signal sends a signal to the program.
func (p *Program) Signal(t testing.TB, s os.Signal) {
	t.Helper()
	p.signalled.Store(true)
	if err := p.Cmd.Process.Signal(s); err != nil {
		t.Error(err)
	}
}

// Wait waits for the end of the program and returns its exit code; -1 after a
// signal. It kills one that does not end, and the test fails.
func (p *Program) Wait(t testing.TB) int {
	t.Helper()
	select {
	case <-p.Exited:
	case <-time.After(Patience):
		_ = p.Cmd.Process.Kill()
		<-p.Exited
		t.Error("authproxy did not end")
	}
	return p.Cmd.ProcessState.ExitCode()
}

// Stop ends the program as an operator does. The test fails when the exit code
// is not 0, or the program has reported a data race or a panic. The exit code of
// one that has ended after [Program.Signal] is for the test to judge. Only the
// first call counts.
func (p *Program) Stop(t testing.TB) {
	t.Helper()
	p.stopping.Do(func() {
		judged := false
		select {
		case <-p.Exited:
			judged = p.signalled.Load()
		default:
			p.Signal(t, syscall.SIGTERM)
		}
		if code := p.Wait(t); code != 0 && !judged {
			t.Errorf("exit code %d; standard error: %s", code, p.Stderr)
		}
		if text := p.Stderr.String(); strings.Contains(text, "DATA RACE") || strings.Contains(text, "goroutine ") {
			t.Errorf("standard error: %s", text)
		}
	})
}
