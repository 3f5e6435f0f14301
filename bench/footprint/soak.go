package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"authproxy/bench/internal/figures"
	"authproxy/bench/internal/loadgen"
	"authproxy/bench/internal/peers"
	"authproxy/bench/internal/proc"
)

const (
	soakLifetime    = 10 // seconds of a token, so that it is renewed on the way
	soakConnections = 64
	slice           = 2 * time.Second // of one kind of request
)

// state is what authproxy holds after so many requests.
type state struct {
	Requests int     `json:"requests"`
	Memory   float64 `json:"memory_mib"`
	Files    int     `json:"open_files"`
}

// soak sends authproxy requests without a body and with 16 KiB in turn, and
// fails when one fails or when memory or descriptors grow.
func soak(ctx context.Context, scene *peers.Scene, requests int, command, out string) error {
	generator, err := loadgen.Find(scene.Dir)
	if err != nil {
		return err
	}
	process, err := ours().Start(scene, peers.HTTP)
	if err != nil {
		return err
	}
	defer process.Stop()
	states, err := watch(ctx, generator, process, requests)
	if err != nil {
		return err
	}
	var text strings.Builder
	var rows [][]string
	for _, s := range states {
		rows = append(rows, []string{fmt.Sprint(s.Requests), fmt.Sprintf("%.1f MiB", s.Memory), fmt.Sprint(s.Files)})
	}
	figures.Table(&text, []string{"requests", "memory", "open files"}, rows)
	fmt.Print(text.String())
	if out != "" {
		err = errors.Join(figures.WriteFile(out, "soak.md", []byte(text.String())),
			figures.WriteJSON(out, "soak.json", map[string]any{"command": command, "machine": peers.ThisMachine(), "states": states}))
	}
	return errors.Join(err, grown(states))
}

func ours() peers.Program {
	for _, p := range peers.All() {
		if p.Name == "authproxy" {
			return p
		}
	}
	panic("peers.All has no authproxy")
}

// watch looks at the process after each tenth of the requests, when no
// connection of a client is open.
func watch(ctx context.Context, g loadgen.Generator, p *proc.Process, requests int) ([]state, error) {
	var states []state
	body := []byte(`{"data":"` + strings.Repeat("x", 16<<10) + `"}`)
	kinds := []loadgen.Request{{URL: p.URL + "small"}, {URL: p.URL + "post", Body: body}}
	for sent, turn := 0, 0; sent < requests; turn++ {
		r, err := g.Run(ctx, kinds[turn%len(kinds)], soakConnections, slice)
		if err != nil {
			return nil, fmt.Errorf("after %d requests: %w", sent, err)
		}
		sent += r.Requests
		if turn >= len(kinds)-1 && sent >= requests/10*(len(states)+1) {
			time.Sleep(settle)
			states = append(states, state{sent, p.RSS(), p.Files()})
			fmt.Fprintf(os.Stderr, "%d requests\n", sent)
		}
	}
	return states, nil
}

// Memory goes up and down with the garbage collector, descriptors with the
// connections that the upstream's pool keeps.
const (
	memorySlack = 1.25 // times
	memoryMore  = 8    // MiB
	filesMore   = 32
)

// grown compares the last state with the first.
func grown(states []state) error {
	if len(states) < 2 {
		return errors.New("too few requests to see whether anything grows")
	}
	first, last := states[0], states[len(states)-1]
	if last.Memory > first.Memory*memorySlack+memoryMore {
		return fmt.Errorf("memory grew from %.1f to %.1f MiB", first.Memory, last.Memory)
	}
	if last.Files > first.Files+filesMore {
		return fmt.Errorf("open files grew from %d to %d", first.Files, last.Files)
	}
	return nil
}
