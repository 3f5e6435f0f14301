package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"
)

// outcome is what a scenario cost.
type outcome struct {
	Requests      int `json:"requests"`
	Failed        int `json:"failed"`
	TokenRequests int `json:"token_requests"`
	// FirstSuccess is how long after the outage's end a request succeeded; nil
	// when the scenario has no outage, below zero when none did.
	FirstSuccess *float64 `json:"first_success_s,omitempty"`
}

func (o outcome) recovery() string {
	switch {
	case o.FirstSuccess == nil:
		return ""
	case *o.FirstSuccess < 0:
		return "never"
	}
	return fmt.Sprintf("%.1f s", *o.FirstSuccess)
}

// load sends requests over so many connections.
type load struct {
	base        string
	connections int
	client      *http.Client

	mu        sync.Mutex
	sent      int
	failed    int
	outageEnd time.Time
	recovered time.Time // the first success of a request that was sent after outageEnd
}

// interval is the least time between two requests of one connection, so that a
// program that fails fast is not asked more often than one that works.
const interval = 50 * time.Millisecond

func newLoad(base string, connections int) *load {
	t := &http.Transport{MaxIdleConns: connections, MaxIdleConnsPerHost: connections, DisableCompression: true}
	return &load{base: base, connections: connections, client: &http.Client{Transport: t, Timeout: 30 * time.Second}}
}

// steady sends at 20 requests a second from each connection, for the given
// time. path names where request n of a connection goes.
func (l *load) steady(ctx context.Context, length time.Duration, path func(n int) (path string, want int)) error {
	ctx, cancel := context.WithTimeout(ctx, length)
	defer cancel()
	var wg sync.WaitGroup
	for i := range l.connections {
		wg.Go(func() {
			time.Sleep(interval * time.Duration(i) / time.Duration(l.connections)) // spread
			tick := time.NewTicker(interval)
			defer tick.Stop()
			for n := 0; ; n++ {
				l.send(path(n))
				select {
				case <-ctx.Done():
					return
				case <-tick.C:
				}
			}
		})
	}
	wg.Wait()
	l.client.CloseIdleConnections()
	return interrupted(ctx)
}

// interrupted is no error when the time is over.
func interrupted(ctx context.Context) error {
	if err := context.Cause(ctx); err != context.DeadlineExceeded {
		return err
	}
	return nil
}

// once sends one request over each connection, all at the same moment.
func (l *load) once(path string) {
	start := make(chan struct{})
	var wg sync.WaitGroup
	for range l.connections {
		wg.Go(func() {
			<-start
			l.send(path, http.StatusOK)
		})
	}
	close(start)
	wg.Wait()
	l.client.CloseIdleConnections()
}

func (l *load) send(path string, want int) {
	from := time.Now()
	status := 0
	if resp, err := l.client.Get(l.base + path); err == nil {
		_, err = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
		if err == nil {
			status = resp.StatusCode
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sent++
	if status != want {
		l.failed++
		return
	}
	if !l.outageEnd.IsZero() && from.After(l.outageEnd) && l.recovered.IsZero() {
		l.recovered = time.Now()
	}
}

// endOutage begins to wait for a success.
func (l *load) endOutage() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.outageEnd = time.Now()
}

func (l *load) outcome(p *platform) outcome {
	l.mu.Lock()
	defer l.mu.Unlock()
	o := outcome{Requests: l.sent, Failed: l.failed, TokenRequests: p.Counts().TokenRequests}
	if !l.outageEnd.IsZero() {
		seconds := -1.0
		if !l.recovered.IsZero() {
			seconds = l.recovered.Sub(l.outageEnd).Seconds()
		}
		o.FirstSuccess = &seconds
	}
	return o
}
