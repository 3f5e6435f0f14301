// Package proc runs programs of this module and reads from /proc what they
// use. It knows Linux only.
package proc

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Process is a program under measurement.
type Process struct {
	// URL is where it listens.
	URL string

	cmd *exec.Cmd
}

var address = regexp.MustCompile(`http://127\.0\.0\.1:\d+/`)

// Start builds a package of this module into dir and runs it; the first
// address that it prints is its URL. What it writes to standard error goes to
// log.
func Start(log io.Writer, dir, pkg string, args ...string) (*Process, error) {
	program := filepath.Join(dir, filepath.Base(pkg))
	if out, err := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", program, pkg).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("building %s: %w\n%s", pkg, err, out)
	}
	p := &Process{cmd: exec.Command(program, args...)}
	p.cmd.Stderr = log
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		if p.URL = address.FindString(lines.Text()); p.URL != "" {
			go func() { _, _ = io.Copy(io.Discard, stdout) }()
			return p, nil
		}
	}
	p.Stop()
	return nil, fmt.Errorf("%s did not say where it listens", pkg)
}

// Stop ends the program at once.
func (p *Process) Stop() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
}

// CPUOf returns the CPU time, of user and system, that p uses during f.
func (p *Process) CPUOf(f func() error) (time.Duration, error) {
	before, err := p.cpu()
	if err != nil {
		return 0, err
	}
	if err := f(); err != nil {
		return 0, err
	}
	after, err := p.cpu()
	return after - before, err
}

// cpu returns the CPU time used so far, summed over the threads: schedstat
// counts in nanoseconds where stat counts in hundredths of a second.
func (p *Process) cpu() (time.Duration, error) {
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", p.cmd.Process.Pid))
	if err != nil || len(tasks) == 0 {
		return 0, fmt.Errorf("no threads of process %d: %v", p.cmd.Process.Pid, err)
	}
	var sum time.Duration
	for _, task := range tasks {
		text, err := os.ReadFile(task)
		if err != nil {
			return 0, err
		}
		first, _, _ := strings.Cut(string(text), " ")
		ns, err := strconv.ParseInt(first, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("%s: %w", task, err)
		}
		sum += time.Duration(ns)
	}
	return sum, nil
}

// RSS returns the resident memory in MiB; 0 when it cannot be read.
func (p *Process) RSS() float64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kib, _ := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			return kib / 1024
		}
	}
	return 0
}

// Files returns the number of open files; 0 when it cannot be read.
func (p *Process) Files() int {
	files, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", p.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	return len(files)
}
