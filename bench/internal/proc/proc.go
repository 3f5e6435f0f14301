// Package proc runs the programs that are measured and reads from /proc what
// they use, together with the processes that they start. It knows Linux only.
package proc

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

const (
	startLimit = 30 * time.Second // for a program to listen
	stopLimit  = 3 * time.Second  // for a program to end when it is asked to
	startPoll  = 2 * time.Millisecond
)

// Process is a program under measurement.
type Process struct {
	// URL is where it listens.
	URL string

	cmd   *exec.Cmd
	said  *tail
	ended chan struct{} // closed when the program has ended
}

// Start builds a package of this module into dir and runs it as [Run] does.
func Start(log io.Writer, dir, pkg string, args ...string) (*Process, error) {
	program, err := Build(dir, pkg)
	if err != nil {
		return nil, err
	}
	return Run(log, program, args...)
}

// Build builds a package of this module into dir, as a release is built.
func Build(dir, pkg string) (program string, err error) {
	return build(dir, pkg, ".")
}

// BuildModule builds the package at the root of the module that lies in folder.
func BuildModule(dir, folder string) (program string, err error) {
	return build(dir, ".", folder)
}

func build(dir, pkg, folder string) (string, error) {
	program := filepath.Join(dir, filepath.Base(filepath.Join(folder, pkg)))
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", program, pkg)
	cmd.Dir = folder
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building %s in %s: %w\n%s", pkg, folder, err, out)
	}
	return program, nil
}

// Run runs a program; the first address that it prints is its URL. What it
// writes to standard error goes to log.
func Run(log io.Writer, program string, args ...string) (*Process, error) {
	said := &listener{found: make(chan string, 1)}
	p, err := launch(said, log, program, args...)
	if err != nil {
		return nil, err
	}
	select {
	case p.URL = <-said.found:
		return p, nil
	case <-p.ended:
		return nil, fmt.Errorf("%s ended before it said where it listens: %v\n%s", program, p.cmd.ProcessState, p.said.text)
	case <-time.After(startLimit):
		p.Stop()
		return nil, fmt.Errorf("%s did not say where it listens", program)
	}
}

// RunAt runs a program that listens on address (host:port) and waits until it
// does. All that it writes goes to log.
func RunAt(log io.Writer, address, program string, args ...string) (*Process, error) {
	p, err := launch(log, log, program, args...)
	if err != nil {
		return nil, err
	}
	p.URL = "http://" + address + "/"
	for end := time.Now().Add(startLimit); time.Now().Before(end); time.Sleep(startPoll) {
		select {
		case <-p.ended:
			return nil, fmt.Errorf("%s ended before it listened: %v\n%s", program, p.cmd.ProcessState, p.said.text)
		default:
		}
		if c, err := net.Dial("tcp", address); err == nil {
			return p, c.Close()
		}
	}
	p.Stop()
	return nil, fmt.Errorf("%s does not listen on %s", program, address)
}

func launch(stdout, stderr io.Writer, program string, args ...string) (*Process, error) {
	p := &Process{cmd: exec.Command(program, args...), said: &tail{to: stderr}, ended: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = stdout, p.said
	p.cmd.WaitDelay = stopLimit // a child that outlives it may hold its standard error
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		defer close(p.ended)
		_ = p.cmd.Wait()
	}()
	return p, nil
}

// Stop ends the program and the processes that it started: it asks, and after
// three seconds it kills.
func (p *Process) Stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.ended:
		return
	case <-time.After(stopLimit):
	}
	for _, pid := range p.tree() {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	<-p.ended
}

// FreeAddress returns an address of 127.0.0.1 on which nobody listens.
func FreeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// Version returns the first line that a program prints about itself, or why
// there is none.
func Version(program string, args ...string) string {
	out, err := exec.Command(program, args...).CombinedOutput()
	if errors.Is(err, exec.ErrNotFound) {
		return "not installed"
	}
	line, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	return line
}

// Executable is the file that the process runs.
func (p *Process) Executable() string {
	path, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", p.cmd.Process.Pid))
	if err != nil {
		return p.cmd.Path
	}
	return path
}
