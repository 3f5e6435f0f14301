// Command siege measures what memory authproxy takes, with its defaults, when somebody
// sends much and nothing that is worth it, before anybody is known: unfinished heads, heads
// of tiny fields, streams on few connections, uploads all at once. Each attack meets a
// process of its own; the most resident memory during it is shown.
//
//	go run ./bench/siege [-limit 256]
//
// With -limit it fails when an attack takes more MiB than that.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"authproxy/bench/internal/proc"
)

func main() {
	limit := flag.Float64("limit", 0, "the most `MiB` that an attack may take; 0: any")
	only := flag.String("only", "", "the `NAME` of one attack")
	flag.Parse()
	if err := siege(*limit, *only); err != nil {
		fmt.Fprintln(os.Stderr, "siege:", err)
		os.Exit(1)
	}
}

func siege(limit float64, only string) error {
	dir, err := os.MkdirTemp("", "authproxy-siege")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	program, err := proc.Build(dir, "./cmd/authproxy")
	if err != nil {
		return err
	}
	up, err := newUpstream()
	if err != nil {
		return err
	}
	defer up.close()
	config := filepath.Join(dir, "authproxy.yaml")
	if err := os.WriteFile(config, []byte(up.config()), 0o600); err != nil {
		return err
	}
	var worst float64
	for _, a := range attacks() {
		if only != "" && a.name != only {
			continue
		}
		idle, peak, err := a.against(program, config, dir)
		if err != nil {
			return fmt.Errorf("%s: %w", a.name, err)
		}
		fmt.Printf("%-52s %6.1f MiB before, %6.1f MiB at most\n", a.name, idle, peak)
		worst = max(worst, peak)
	}
	if limit > 0 && worst > limit {
		return fmt.Errorf("%.1f MiB are more than %.1f", worst, limit)
	}
	return nil
}
