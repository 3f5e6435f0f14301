// Command token lets the token die under load and counts what it costs the
// clients (failed requests) and the platform (token requests): authproxy,
// nginx with a token in Lua, and an httputil.ReverseProxy with the transport of
// golang.org/x/oauth2, one after the other. See bench/README.md.
//
//	go run ./bench/token [-only authproxy] [-scenarios revocation,cold] [-out dir]
package main

import (
	"context"
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
	"authproxy/bench/internal/proc"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "token:", err)
		os.Exit(1)
	}
}

// result is one program in one scenario.
type result struct {
	Scenario string `json:"scenario"`
	Program  string `json:"program"`
	Left     string `json:"left_out,omitempty"` // why it was not measured
	outcome
}

func run(ctx context.Context, args []string) error {
	f := flag.NewFlagSet("token", flag.ExitOnError)
	only := f.String("only", "", "programs, separated by commas: authproxy, nginx-lua, oauth2; all when empty")
	wanted := f.String("scenarios", "", "scenarios, separated by commas; all when empty: "+strings.Join(names(), ","))
	ours := f.String("authproxy", "", "the authproxy to measure; built when empty")
	out := f.String("out", "", "folder for token.json and token.md")
	_ = f.Parse(args) // it exits
	if runtime.GOOS != "linux" {
		return fmt.Errorf("processes are read from /proc, which %s has not", runtime.GOOS)
	}
	dir, err := os.MkdirTemp("", "token")
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
	var results []result
	for _, s := range scenarios {
		for _, p := range programs() {
			if !chosen(*wanted, s.name) || !chosen(*only, p.Name) {
				continue
			}
			fmt.Fprintf(os.Stderr, "%s: %s\n", s.name, p.Name)
			r, err := one(ctx, scene, s, p)
			if err != nil {
				return err
			}
			results = append(results, r)
		}
	}
	return report(results, args, *out)
}

func chosen(list, name string) bool {
	return list == "" || slices.Contains(strings.Split(list, ","), name)
}

// programs are the ones that fetch a token themselves.
func programs() []peers.Program {
	var all []peers.Program
	for _, p := range peers.All() {
		if p.Name == "nginx-lua" || p.Name == "authproxy" {
			all = append(all, p)
		}
	}
	return append(all, peers.Program{
		Name:  "oauth2",
		Lacks: func(*peers.Scene, peers.Link) string { return "" },
		Start: func(s *peers.Scene, link peers.Link) (*proc.Process, error) {
			path, err := s.Build("oauth2", func() (string, error) { return proc.BuildModule(s.Dir, "bench/oauth2proxy") })
			if err != nil {
				return nil, err
			}
			return proc.Run(s.Log, path, "-target", s.URL(link), "-token", s.TokenURL)
		},
	})
}

// one runs a scenario with a platform and a program of its own.
func one(ctx context.Context, scene *peers.Scene, s scenario, p peers.Program) (result, error) {
	r := result{Scenario: s.title, Program: p.Name}
	if r.Left = p.Lacks(scene, peers.HTTP); r.Left != "" {
		return r, nil
	}
	platform, err := startPlatform(s.lifetime)
	if err != nil {
		return r, err
	}
	defer platform.close()
	scene.Upstream = map[peers.Link]string{peers.HTTP: platform.address}
	scene.TokenURL = "http://" + platform.address + platform.TokenPath()
	platform.tokenDelay.Store(int64(s.tokenDelay))
	process, err := p.Start(scene, peers.HTTP)
	if err != nil {
		return r, err
	}
	defer process.Stop()
	l := newLoad(process.URL, s.connections)
	err = s.run(ctx, platform, l)
	r.outcome = l.outcome(platform)
	return r, err
}

func report(results []result, args []string, dir string) error {
	var rows [][]string
	for _, r := range results {
		if r.Left != "" {
			rows = append(rows, []string{r.Scenario, r.Program, "left out: " + r.Left, "", "", ""})
			continue
		}
		rows = append(rows, []string{r.Scenario, r.Program, fmt.Sprint(r.Requests), fmt.Sprint(r.Failed), fmt.Sprint(r.TokenRequests), r.recovery()})
	}
	var text strings.Builder
	figures.Table(&text, []string{"scenario", "program", "requests", "failed", "token requests", "first success after the outage"}, rows)
	fmt.Print(text.String())
	if dir == "" {
		return nil
	}
	if err := figures.WriteFile(dir, "token.md", []byte(text.String())); err != nil {
		return err
	}
	return figures.WriteJSON(dir, "token.json", map[string]any{
		"command": strings.TrimSpace("go run ./bench/token " + strings.Join(args, " ")),
		"machine": peers.ThisMachine(), "results": results,
	})
}
