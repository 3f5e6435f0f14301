// Command bench measures authproxy against a bare httputil.ReverseProxy on
// this machine: both as processes of their own, in alternating rounds, by the
// CPU time that each has used. Only the ratios mean anything.
//
//	go run ./bench [-rounds 7] [-requests 20000] [-pooled]
package main

import (
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"authproxy/bench/internal/figures"
	"authproxy/bench/internal/proc"
)

func main() {
	rounds := flag.Int("rounds", 7, "rounds of each measurement; the medians are shown")
	requests := flag.Int("requests", 20000, "requests in a round")
	pooled := flag.Bool("pooled", false, "give the bare ReverseProxy a pool of buffers, which it has not by itself")
	flag.Parse()
	if err := measure(*rounds, *requests, *pooled, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// measure builds both programs, runs them and prints the table.
func measure(rounds, requests int, pooled bool, out io.Writer) error {
	if runtime.GOOS != "linux" {
		return fmt.Errorf("CPU time and memory are read from /proc, which %s has not", runtime.GOOS)
	}
	dir, err := os.MkdirTemp("", "authproxy-bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	platform := newPlatform()
	defer platform.Close()
	bare, ours, err := startBoth(dir, platform.URL, pooled)
	if err != nil {
		return err
	}
	defer bare.Stop()
	defer ours.Stop()

	fmt.Fprintf(out, "idle resident memory: bare %.1f MiB, authproxy %.1f MiB\n", bare.RSS(), ours.RSS())
	if err := cold(ours, platform, out); err != nil {
		return err
	}
	fmt.Fprintf(out, "\n%-34s %12s %12s %8s\n", "CPU time per request", "bare", "authproxy", "ratio")
	for _, w := range workloads() {
		if err := compare(w, bare, ours, rounds, max(requests/w.weight, 1), out); err != nil {
			return err
		}
	}
	return growth(ours, out)
}

// platform answers token requests and API requests.
type platform struct {
	*httptest.Server
	tokenRequests atomic.Int64
}

func newPlatform() *platform {
	p := &platform{}
	small := `{"data":{"id":17,"name":"order","state":"open","lines":[1,2,3]},"requestId":"79e7c0fc8286e"}`
	block := []byte(strings.Repeat("0123456789abcdef", 4096))
	mux := http.NewServeMux()
	mux.HandleFunc("/token", func(w http.ResponseWriter, _ *http.Request) {
		p.tokenRequests.Add(1)
		time.Sleep(200 * time.Millisecond) // long enough for every cold caller to arrive
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `{"access_token":"`+strings.Repeat("x", 800)+`","token_type":"Bearer","expires_in":7200}`)
	})
	mux.HandleFunc("/small", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, small)
	})
	mux.HandleFunc("/chunked", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, small)
		_ = http.NewResponseController(w).Flush()
	})
	mux.HandleFunc("/large", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/octet-stream")
		for range 256 { // 16 MiB
			_, _ = w.Write(block)
		}
	})
	mux.HandleFunc("/upload", func(w http.ResponseWriter, r *http.Request) {
		n, _ := io.Copy(io.Discard, r.Body)
		fmt.Fprint(w, n)
	})
	p.Server = httptest.NewServer(mux)
	return p
}

func startBoth(dir, target string, pooled bool) (bare, ours *proc.Process, err error) {
	config := filepath.Join(dir, "authproxy.yaml")
	text := fmt.Sprintf(`listen: 127.0.0.1:0
admin: { listen: "" }
log: { access: errors }
tokens: { t: { token_url: "%s/token", client_id: id, client_secret: secret } }
upstreams:
  - { name: bench, token: t, url: "%s", invalid_token: { status: [401], body: { code: [INVALID_ACCESS_TOKEN] } } }
`, target, target)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		return nil, nil, err
	}
	if bare, err = proc.Start(os.Stderr, dir, "./bench/bare", "-target", target, fmt.Sprint("-pooled=", pooled)); err != nil {
		return nil, nil, err
	}
	if ours, err = proc.Start(os.Stderr, dir, "./cmd/authproxy", "serve", "-c", config); err != nil {
		bare.Stop()
		return nil, nil, err
	}
	return bare, ours, nil
}

// workload is one kind of request.
type workload struct {
	name   string
	method string
	path   string
	body   int64
	weight int // as many times fewer requests in a round
}

func workloads() []workload {
	return []workload{
		{"GET, small JSON with a length", "GET", "/small", 0, 1},
		{"GET, small JSON, chunked", "GET", "/chunked", 0, 1},
		{"POST of 1 KiB, small JSON", "POST", "/small", 1 << 10, 1},
		{"GET of 16 MiB", "GET", "/large", 0, 400},
		{"POST of 16 MiB", "POST", "/upload", 16 << 20, 400},
	}
}

// compare runs w through both in turn and prints the medians.
func compare(w workload, bare, ours *proc.Process, rounds, requests int, out io.Writer) error {
	var b, o, ratio []float64
	for range rounds {
		x, err := bare.CPUOf(func() error { return load(bare.URL, w, requests, 16) })
		if err != nil {
			return err
		}
		y, err := ours.CPUOf(func() error { return load(ours.URL, w, requests, 16) })
		if err != nil {
			return err
		}
		b, o, ratio = append(b, perRequest(x, requests)), append(o, perRequest(y, requests)), append(ratio, float64(y)/float64(x))
	}
	fmt.Fprintf(out, "%-34s %9.1f µs %9.1f µs %8.3f\n", w.name, figures.Median(b), figures.Median(o), figures.Median(ratio))
	return nil
}

func perRequest(d time.Duration, requests int) float64 {
	return float64(d.Nanoseconds()) / 1000 / float64(requests)
}

// cold lets 1,000 callers come at once before there is a token.
func cold(ours *proc.Process, p *platform, out io.Writer) error {
	if err := load(ours.URL, workload{method: "GET", path: "/small"}, 1000, 1000); err != nil {
		return err
	}
	fmt.Fprintf(out, "1000 concurrent cold callers: %d token request(s)\n", p.tokenRequests.Load())
	return nil
}

// growth compares resident memory before and after 100,000 requests.
func growth(ours *proc.Process, out io.Writer) error {
	before := ours.RSS()
	if err := load(ours.URL, workload{method: "GET", path: "/small"}, 100_000, 16); err != nil {
		return err
	}
	fmt.Fprintf(out, "\nresident memory of authproxy: %.1f MiB, after 100,000 more requests %.1f MiB\n", before, ours.RSS())
	return nil
}

// load sends requests from so many workers and fails when one fails.
func load(base string, w workload, requests, workers int) error {
	client := &http.Client{Transport: &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: workers}, Timeout: time.Minute}
	defer client.CloseIdleConnections()
	var left atomic.Int64
	left.Store(int64(requests))
	failed := make(chan error, workers)
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for left.Add(-1) >= 0 {
				if err := send(client, base, w); err != nil {
					failed <- err
					return
				}
			}
		})
	}
	wg.Wait()
	select {
	case err := <-failed:
		return err
	default:
		return nil
	}
}

func send(client *http.Client, base string, w workload) error {
	var body io.Reader
	if w.body > 0 {
		body = io.LimitReader(zeros{}, w.body)
	}
	req, err := http.NewRequest(w.method, strings.TrimSuffix(base, "/")+w.path, body)
	if err != nil {
		return err
	}
	req.ContentLength = w.body
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s %s: %s", w.method, w.path, resp.Status)
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }
