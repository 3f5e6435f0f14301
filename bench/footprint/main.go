// Command footprint measures what programs take before they do anything: time
// from the start to the first answer, memory (idle, with 1,000 connections) and
// the size of the binary. With -requests it sends authproxy so many requests
// and fails when memory or descriptors grow. See bench/README.md.
//
//	go run ./bench/footprint [-only authproxy,bare] [-starts 11] [-out dir]
//	go run ./bench/footprint -requests 1000000
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"

	"authproxy/bench/internal/figures"
	"authproxy/bench/internal/peers"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "footprint:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	f := flag.NewFlagSet("footprint", flag.ExitOnError)
	only := f.String("only", "", "programs, separated by commas; all when empty")
	starts := f.Int("starts", 11, "how often each program is started; the median is shown")
	requests := f.Int("requests", 0, "when above zero: send authproxy so many requests instead, and watch memory and descriptors")
	ours := f.String("authproxy", "", "the authproxy to measure; built when empty")
	out := f.String("out", "", "folder for footprint.json and footprint.md, or soak.json and soak.md")
	_ = f.Parse(args) // it exits
	if runtime.GOOS != "linux" {
		return fmt.Errorf("memory is read from /proc, which %s has not", runtime.GOOS)
	}
	if *starts < 1 {
		return errors.New("-starts is at least 1")
	}
	dir, err := os.MkdirTemp("", "footprint")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		return err
	}
	defer log.Close()
	scene, err := peers.NewScene(dir, log, runtime.NumCPU())
	if err != nil {
		return err
	}
	scene.Built = map[string]string{"authproxy": *ours}
	lifetime := 7200
	if *requests > 0 {
		lifetime = soakLifetime
	}
	upstream, err := scene.StartUpstream(lifetime)
	if err != nil {
		return err
	}
	defer upstream.Stop()
	command := strings.TrimSpace("go run ./bench/footprint " + strings.Join(args, " "))
	if *requests > 0 {
		return soak(ctx, scene, *requests, command, *out)
	}
	return compare(ctx, scene, *only, *starts, command, *out)
}

// compare measures the programs and prints a table.
func compare(ctx context.Context, scene *peers.Scene, only string, starts int, command, out string) error {
	var all []footprint
	var rows [][]string
	for _, p := range peers.All() {
		if only == "" && p.Extra || only != "" && !slices.Contains(strings.Split(only, ","), p.Name) {
			continue
		}
		if left := p.Lacks(scene, peers.HTTP); left != "" {
			rows = append(rows, []string{p.Name, "left out: " + left, "", "", "", ""})
			continue
		}
		fmt.Fprintln(os.Stderr, p.Name)
		f, err := measure(ctx, scene, p, starts)
		if err != nil {
			return fmt.Errorf("%s: %w", p.Name, err)
		}
		all = append(all, f)
		rows = append(rows, f.row())
	}
	var text strings.Builder
	figures.Table(&text, []string{"program", "start to first answer", "memory, idle", "1,000 idle connections", "1,000 busy connections", "binary"}, rows)
	fmt.Print(text.String())
	if out == "" {
		return nil
	}
	if err := figures.WriteFile(out, "footprint.md", []byte(text.String())); err != nil {
		return err
	}
	return figures.WriteJSON(out, "footprint.json", map[string]any{"command": command, "machine": peers.ThisMachine(), "programs": all})
}
