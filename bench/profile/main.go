// Command profile makes the profile with which authproxy is built (cmd/authproxy/default.pgo,
// see https://go.dev/doc/pgo): where its CPU time goes under the loads of bench/compare. See
// bench/README.md.
//
//	go run ./bench/profile [-duration 10s] [-out cmd/authproxy/default.pgo]
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"authproxy/bench/internal/loadgen"
	"authproxy/bench/internal/peers"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "profile:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	length := flag.Duration("duration", 10*time.Second, "of each load")
	out := flag.String("out", "cmd/authproxy/default.pgo", "where the profile goes")
	flag.Parse()
	dir, err := os.MkdirTemp("", "profile")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	scene, err := peers.NewScene(dir, io.Discard, 2)
	if err != nil {
		return err
	}
	generator, err := loadgen.Find(dir)
	if err != nil {
		return err
	}
	upstream, err := scene.StartUpstream(7200)
	if err != nil {
		return err
	}
	defer upstream.Stop()
	var files []string
	for _, l := range loads() {
		file := filepath.Join(dir, fmt.Sprint(len(files), ".pb.gz"))
		if err := l.record(ctx, scene, generator, *length, file); err != nil {
			return fmt.Errorf("%s by %s: %w", l.path, l.link, err)
		}
		files = append(files, file)
	}
	return merge(files, *out)
}

// load is what is sent while a profile is taken.
type load struct {
	link        peers.Link
	path        string
	body        int // bytes
	connections int
}

// loads are those of bench/compare that matter most: small requests, by each link.
func loads() []load {
	var all []load
	for _, link := range []peers.Link{peers.HTTP, peers.HTTPS, peers.H2} {
		all = append(all, load{link, "small", 0, 16}, load{link, "post", 1 << 10, 16})
	}
	return append(all, load{peers.HTTPS, "small", 0, 64}, load{peers.HTTPS, "post", 64 << 10, 16}, load{peers.HTTPS, "large", 0, 4})
}

// record writes where the CPU time goes under l into a file.
func (l load) record(ctx context.Context, scene *peers.Scene, g loadgen.Generator, length time.Duration, file string) error {
	program, admin, err := peers.StartProfiled(scene, l.link)
	if err != nil {
		return err
	}
	defer program.Stop()
	r := loadgen.Request{URL: program.URL + l.path}
	if l.body > 0 {
		r.Body = []byte(strings.Repeat("x", l.body))
	}
	if _, err := g.Run(ctx, r, l.connections, time.Second); err != nil {
		return err
	}
	sent := make(chan error, 1)
	go func() {
		_, err := g.Run(ctx, r, l.connections, length+time.Second)
		sent <- err
	}()
	err = save(ctx, fmt.Sprintf("http://%s/debug/pprof/profile?seconds=%d", admin, int(length.Seconds())), file)
	return errors.Join(err, <-sent)
}

func save(ctx context.Context, url, file string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %.200s", resp.Status, data)
	}
	return os.WriteFile(file, data, 0o600)
}

// merge adds profiles up.
func merge(files []string, out string) error {
	merged, err := exec.Command("go", append([]string{"tool", "pprof", "-proto", "-symbolize=none"}, files...)...).Output()
	if err != nil {
		if exit, ok := errors.AsType[*exec.ExitError](err); ok {
			return fmt.Errorf("go tool pprof: %w: %s", err, exit.Stderr)
		}
		return err
	}
	return os.WriteFile(out, merged, 0o644)
}
