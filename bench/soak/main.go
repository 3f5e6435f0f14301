// Command soak runs authproxy before a simulated platform that revokes its
// tokens, delays, closes connections, has those by HTTP/2 die unseen, refuses (also
// under other labels and in slow pieces) and restarts, all at random, if you like beside a
// path that refuses every token and with a rival who uses the same credential for a
// while, and counts the failures that a client saw and that were not the platform's own
// doing. It fails when there is one.
//
//	go run ./bench/soak [-for 60s] [-rate 200] [-always] [-rival 10s]
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"authproxy/bench/internal/proc"
)

func main() {
	length := flag.Duration("for", time.Minute, "how long")
	rate := flag.Int("rate", 200, "requests a second")
	always := flag.Bool("always", false, "send one request in ten to a path that refuses every token; then a revocation may cost some requests")
	rival := flag.Duration("rival", 0, "in the middle, another program with the same credential for that long, whose tokens kill ours")
	flag.Parse()
	if err := soak(*length, *rate, *always, *rival, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "soak:", err)
		os.Exit(1)
	}
}

func soak(length time.Duration, rate int, always bool, rival time.Duration, out io.Writer) error {
	dir, err := os.MkdirTemp("", "authproxy-soak")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	p, err := newPlatform()
	if err != nil {
		return err
	}
	defer p.close()
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		return err
	}
	defer log.Close()
	config := filepath.Join(dir, "authproxy.yaml")
	if err := os.WriteFile(config, []byte(p.config()), 0o600); err != nil {
		return err
	}
	proxy, err := proc.Start(log, dir, "./cmd/authproxy", "serve", "-c", config)
	if err != nil {
		return err
	}
	defer proxy.Stop()

	l := newLoad(proxy.URL, p)
	l.always = always
	if err := l.run(3*time.Second, rate); err != nil { // so that pools and buffers have their size
		return err
	}
	l.settle()
	before := usageOf(proxy, l)
	stop := p.misbehave()
	if rival > 0 {
		defer time.AfterFunc((length-rival)/2, func() { p.compete(rival) }).Stop()
	}
	err = l.run(length, rate)
	stop()
	if err != nil {
		return err
	}
	l.settle()
	after := usageOf(proxy, l)
	return l.report(out, before, after)
}

// usage is what the proxy holds.
type usage struct {
	rss               float64
	files, goroutines int
}

func usageOf(proxy *proc.Process, l *load) usage {
	return usage{rss: proxy.RSS(), files: proxy.Files(), goroutines: l.goroutines()}
}
