// Command compare measures authproxy beside other reverse proxies on this
// machine: one nginx as the upstream, one load generator (wrk, or hey), each
// program in turn, in rounds. It prints a table and, with -out, writes
// compare.json, compare.md and compare.svg. See bench/README.md.
//
//	go run ./bench/compare [-rounds 5] [-duration 2s] [-only nginx,authproxy] [-cases get] [-connections 16] [-upstream http] [-out dir]
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"authproxy/bench/internal/peers"
)

// options are what the flags say.
type options struct {
	rounds      int
	duration    time.Duration
	only        []string
	cases       []string
	connections []int
	links       []string
	authproxy   string
	before      string
	workers     int
	out         string
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "compare:", err)
		os.Exit(1)
	}
}

func flags(args []string) (options, error) {
	var o options
	f := flag.NewFlagSet("compare", flag.ExitOnError)
	f.IntVar(&o.rounds, "rounds", 5, "rounds; the medians are shown")
	f.DurationVar(&o.duration, "duration", 2*time.Second, "of each program's turn in a round, in whole seconds")
	only := f.String("only", "", "programs, separated by commas; all when empty")
	cases := f.String("cases", "", "cases, separated by commas; all when empty: "+caseNames())
	connections := f.String("connections", "1,16,64", "numbers of connections")
	links := f.String("upstream", "http,https,h2", "how the upstream is reached")
	f.StringVar(&o.authproxy, "authproxy", "", "the authproxy to measure; built when empty")
	f.StringVar(&o.before, "before", "", "another authproxy, measured beside it as authproxy-before")
	f.IntVar(&o.workers, "workers", runtime.NumCPU(), "threads or processes that each program may run at once")
	f.StringVar(&o.out, "out", "", "folder for compare.json, compare.md and compare.svg")
	_ = f.Parse(args) // it exits
	o.only, o.cases, o.links = list(*only), list(*cases), list(*links)
	if o.before != "" && len(o.only) > 0 {
		o.only = append(o.only, "authproxy-before")
	}
	for _, text := range list(*connections) {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			return o, fmt.Errorf("-connections: %q is no number of connections", text)
		}
		o.connections = append(o.connections, n)
	}
	if o.rounds < 1 || o.duration < time.Second || o.workers < 1 {
		return o, fmt.Errorf("-rounds and -workers are at least 1, -duration at least 1s")
	}
	return o, nil
}

// list splits at commas; an empty text is an empty list.
func list(text string) []string {
	return strings.FieldsFunc(text, func(c rune) bool { return c == ',' || c == ' ' })
}

func run(ctx context.Context, args []string) error {
	if runtime.GOOS != "linux" {
		return fmt.Errorf("CPU time and memory are read from /proc, which %s has not", runtime.GOOS)
	}
	o, err := flags(args)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "compare")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		return err
	}
	defer log.Close()
	scene, err := peers.NewScene(dir, log, o.workers)
	if err != nil {
		return err
	}
	scene.Built = map[string]string{"authproxy": o.authproxy, "authproxy-before": o.before}
	b, err := newBench(o, scene, dir)
	if err != nil {
		return err
	}
	upstream, err := scene.StartUpstream(7200)
	if err != nil {
		return err
	}
	defer upstream.Stop()
	interrupted := b.measure(ctx)
	if err := b.report(os.Stdout, args); err != nil {
		return err
	}
	if interrupted != nil {
		return interrupted
	}
	return b.failure()
}
