// Package loadgen runs a load generator that others wrote, wrk or hey, and
// reads what it says. An answer that is not a success makes a run fail.
package loadgen

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// Request is what is sent over and over.
type Request struct {
	URL string
	// Authorization is sent when it is not empty.
	Authorization string
	// Body makes it a POST of JSON.
	Body []byte
}

// Result is what a run gave.
type Result struct {
	Requests  int
	PerSecond float64
	P50, P99  time.Duration
}

// Generator is an installed load generator.
type Generator struct {
	// Name is wrk or hey.
	Name string

	path string
	dir  string // for the files that it reads
}

// Find returns wrk, or hey where wrk is missing; it keeps its files in dir.
func Find(dir string) (Generator, error) {
	for _, name := range []string{"wrk", "hey"} {
		if path, err := exec.LookPath(name); err == nil {
			return Generator{Name: name, path: path, dir: dir}, nil
		}
	}
	return Generator{}, errors.New("neither wrk nor hey is installed")
}

// Run sends r from so many connections for the given time.
func (g Generator) Run(ctx context.Context, r Request, connections int, length time.Duration) (Result, error) {
	var args []string
	var err error
	parse := parseHey
	if g.Name == "wrk" {
		parse = parseWrk
		args, err = g.wrkArgs(r, connections, length)
	} else {
		args, err = g.heyArgs(r, connections, length)
	}
	if err != nil {
		return Result{}, err
	}
	out, err := exec.CommandContext(ctx, g.path, args...).CombinedOutput()
	if ctx.Err() != nil {
		return Result{}, context.Cause(ctx)
	}
	if err != nil {
		return Result{}, fmt.Errorf("%s: %w: %.300s", g.Name, err, out)
	}
	return parse(string(out))
}

// wrkArgs gives the request in a script: wrk has no flag for a body.
func (g Generator) wrkArgs(r Request, connections int, length time.Duration) ([]string, error) {
	script := fmt.Sprintf("wrk.headers[\"Authorization\"] = %q\n", r.Authorization)
	if r.Authorization == "" {
		script = ""
	}
	if r.Body != nil {
		body := filepath.Join(g.dir, "body.json")
		if err := os.WriteFile(body, r.Body, 0o600); err != nil {
			return nil, err
		}
		script += fmt.Sprintf("wrk.method = \"POST\"\nwrk.headers[\"Content-Type\"] = \"application/json\"\nwrk.body = io.open(%q, \"rb\"):read(\"*a\")\n", body)
	}
	file := filepath.Join(g.dir, "wrk.lua")
	err := os.WriteFile(file, []byte(script), 0o600)
	return []string{"-t1", fmt.Sprintf("-c%d", connections), fmt.Sprintf("-d%ds", seconds(length)), "--timeout", "10s", "--latency", "-s", file, r.URL}, err
}

func (g Generator) heyArgs(r Request, connections int, length time.Duration) ([]string, error) {
	args := []string{"-z", length.String(), "-c", fmt.Sprint(connections), "-t", "10", "-disable-redirects"}
	if r.Authorization != "" {
		args = append(args, "-H", "Authorization: "+r.Authorization)
	}
	if r.Body != nil {
		body := filepath.Join(g.dir, "body.json")
		if err := os.WriteFile(body, r.Body, 0o600); err != nil {
			return nil, err
		}
		args = append(args, "-m", "POST", "-T", "application/json", "-D", body)
	}
	return append(args, r.URL), nil
}

// seconds rounds up: wrk counts in whole ones.
func seconds(length time.Duration) int {
	return int((length + time.Second - 1) / time.Second)
}
