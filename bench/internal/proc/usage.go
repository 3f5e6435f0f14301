package proc

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// CPUOf returns the CPU time, of user and system, that p and its children use
// during f.
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

// RSS returns the resident memory of p and its children in MiB; what they
// share counts for each. 0 when it cannot be read.
func (p *Process) RSS() float64 {
	var sum float64
	for _, pid := range p.tree() {
		sum += rss(pid)
	}
	return sum
}

// PeakRSS calls f and returns the largest [Process.RSS] seen meanwhile.
func (p *Process) PeakRSS(f func() error) (float64, error) {
	const interval = 100 * time.Millisecond
	stop, peak := make(chan struct{}), make(chan float64)
	go func() {
		most := p.RSS()
		for {
			select {
			case <-stop:
				peak <- max(most, p.RSS())
				return
			case <-time.After(interval):
				most = max(most, p.RSS())
			}
		}
	}()
	err := f()
	close(stop)
	return <-peak, err
}

// Files returns the number of open files of p and its children.
func (p *Process) Files() int {
	sum := 0
	for _, pid := range p.tree() {
		if files, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid)); err == nil {
			sum += len(files)
		}
	}
	return sum
}

// tree returns the ids of p and of all processes below it.
func (p *Process) tree() []int {
	below := map[int][]int{}
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, file := range stats {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // it has ended meanwhile
		}
		if pid, parent, ok := parents(string(text)); ok {
			below[parent] = append(below[parent], pid)
		}
	}
	all := []int{p.cmd.Process.Pid}
	for i := 0; i < len(all); i++ {
		all = append(all, below[all[i]]...)
	}
	return all
}

// parents reads a process's id and its parent's from /proc/PID/stat, where the
// name may hold spaces and parentheses (proc_pid_stat(5)).
func parents(stat string) (pid, parent int, ok bool) {
	id, _, _ := strings.Cut(stat, " ")
	fields := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
	if len(fields) < 2 {
		return 0, 0, false
	}
	pid, err := strconv.Atoi(id)
	parent, other := strconv.Atoi(fields[1])
	return pid, parent, err == nil && other == nil
}

// cpu returns the CPU time used so far, summed over the threads: schedstat
// counts in nanoseconds where stat counts in hundredths of a second.
func (p *Process) cpu() (time.Duration, error) {
	var sum time.Duration
	for _, pid := range p.tree() {
		tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
		if err != nil || len(tasks) == 0 {
			return 0, fmt.Errorf("no threads of process %d: %v", pid, err)
		}
		for _, task := range tasks {
			used, err := onCPU(task)
			if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH) {
				continue // the thread has ended meanwhile
			}
			if err != nil {
				return 0, err
			}
			sum += used
		}
	}
	return sum, nil
}

func onCPU(schedstat string) (time.Duration, error) {
	text, err := os.ReadFile(schedstat)
	if err != nil {
		return 0, err
	}
	first, _, _ := strings.Cut(string(text), " ")
	ns, err := strconv.ParseInt(first, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", schedstat, err)
	}
	return time.Duration(ns), nil
}

func rss(pid int) float64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
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
