package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"sync"
	"time"

	"authproxy/bench/internal/figures"
	"authproxy/bench/internal/loadgen"
	"authproxy/bench/internal/peers"
	"authproxy/bench/internal/proc"
)

const (
	crowd  = 1000            // connections
	settle = time.Second     // before memory is read
	busy   = 5 * time.Second // how long a crowd sends
)

// footprint is what one program takes.
type footprint struct {
	Program string  `json:"program"`
	Version string  `json:"version"`
	Start   float64 `json:"start_to_first_answer_ms"`
	Idle    float64 `json:"idle_mib"`
	Held    float64 `json:"idle_connections_mib"`
	Busy    float64 `json:"busy_connections_mib"`
	Binary  float64 `json:"binary_mb"`
}

func (f footprint) row() []string {
	return []string{f.Program, fmt.Sprintf("%.0f ms", f.Start), fmt.Sprintf("%.1f MiB", f.Idle),
		fmt.Sprintf("%.1f MiB", f.Held), fmt.Sprintf("%.1f MiB", f.Busy), fmt.Sprintf("%.1f MB", f.Binary)}
}

// measure starts p so often, and keeps the last one for its memory.
func measure(ctx context.Context, scene *peers.Scene, p peers.Program, starts int) (footprint, error) {
	f := footprint{Program: p.Name, Version: p.Version(scene)}
	first, err := p.Start(scene, peers.HTTP) // builds it
	if err != nil {
		return f, err
	}
	f.Binary, err = binary(first)
	first.Stop()
	if err != nil {
		return f, err
	}
	var times []float64
	for range starts {
		if ctx.Err() != nil {
			return f, context.Cause(ctx)
		}
		took, err := firstAnswer(scene, p)
		if err != nil {
			return f, err
		}
		times = append(times, float64(took.Microseconds())/1000)
	}
	f.Start = figures.Median(times)
	return f, f.memory(ctx, scene, p)
}

// firstAnswer starts p and returns the time until it has answered a request.
func firstAnswer(scene *peers.Scene, p peers.Program) (time.Duration, error) {
	from := time.Now()
	process, err := p.Start(scene, peers.HTTP)
	if err != nil {
		return 0, err
	}
	defer process.Stop()
	err = get(http.DefaultClient, process.URL)
	took := time.Since(from)
	http.DefaultClient.CloseIdleConnections()
	return took, err
}

func get(client *http.Client, base string) error {
	resp, err := client.Get(base + "small")
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("answered %s", resp.Status)
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}

// memory reads the resident memory a second after the first answer, with a
// crowd whose connections stay open after an answer each, and with one that
// sends all the time.
func (f *footprint) memory(ctx context.Context, scene *peers.Scene, p peers.Program) error {
	generator, err := loadgen.Find(scene.Dir)
	if err != nil {
		return err
	}
	process, err := p.Start(scene, peers.HTTP)
	if err != nil {
		return err
	}
	defer process.Stop()
	client := &http.Client{Transport: &http.Transport{MaxIdleConns: crowd, MaxIdleConnsPerHost: crowd, DisableCompression: true}}
	if err := get(client, process.URL); err != nil {
		return err
	}
	time.Sleep(settle)
	f.Idle = process.RSS()
	if err := together(client, process.URL); err != nil {
		return err
	}
	time.Sleep(settle)
	f.Held = process.RSS()
	client.CloseIdleConnections()
	f.Busy, err = process.PeakRSS(func() error {
		_, err := generator.Run(ctx, loadgen.Request{URL: process.URL + "small"}, crowd, busy)
		return err
	})
	return err
}

// together sends a crowd's requests at the same moment; their connections stay open.
func together(client *http.Client, base string) error {
	failed := make(chan error, crowd)
	var wg sync.WaitGroup
	for range crowd {
		wg.Go(func() {
			if err := get(client, base); err != nil {
				failed <- err
			}
		})
	}
	wg.Wait()
	close(failed)
	return <-failed // nil when there is none
}

// binary returns the size of the program's file in megabytes, without the
// shared libraries that it loads.
func binary(p *proc.Process) (float64, error) {
	info, err := os.Stat(p.Executable())
	if err != nil {
		return 0, err
	}
	return float64(info.Size()) / 1e6, nil
}
