package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"authproxy/bench/internal/proc"
	"authproxy/proxy/platformtest"
)

// scene is what is measured.
type scene struct {
	length   time.Duration
	replicas int
	rate     int
	revoke   time.Duration
}

// outcome is what came of it.
type outcome struct {
	requests, failed    int64
	refused             [3]int64 // before Redis was killed, while it was away and 2 s more, after that
	revocations, tokens int64
	duringOutage        int64 // token requests
}

// play runs the scene once.
func (s scene) play(store bool) (o outcome, err error) {
	dir, err := os.MkdirTemp("", "authproxy-replicas")
	if err != nil {
		return o, err
	}
	defer os.RemoveAll(dir)
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		return o, err
	}
	defer log.Close()
	platform := platformtest.NewGongjiangyun(platformtest.Options{})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return o, err
	}
	server := &http.Server{Handler: platform, ReadHeaderTimeout: time.Minute}
	go func() { _ = server.Serve(l) }()
	defer server.Close()
	config := fmt.Sprintf(`listen: 127.0.0.1:0
admin: { listen: "" }
tokens: { main: { provider: gongjiangyun, params: { base_url: "http://%s" }, client_id: id, client_secret: secret } }
upstreams: [ { name: main, token: main, url: "http://%s" } ]
`, l.Addr(), l.Addr())
	var r *redis
	if store {
		if r, err = startRedis(dir, log); err != nil {
			return o, err
		}
		defer r.stop()
		config = fmt.Sprintf("store: { redis: { url: %q } }\n", "redis://"+r.address) + config
	}
	file := filepath.Join(dir, "authproxy.yaml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		return o, err
	}
	program, err := proc.Build(dir, "./cmd/authproxy")
	if err != nil {
		return o, err
	}
	var urls []string
	for range s.replicas {
		p, err := proc.Run(log, program, "serve", "-c", file)
		if err != nil {
			return o, err
		}
		defer p.Stop()
		urls = append(urls, strings.TrimSuffix(p.URL, "/"))
	}
	s.load(urls, platform, r, &o)
	o.tokens = int64(platform.Counts().TokenRequests)
	return o, nil
}

// recovery is how long after its start it may take until all know of Redis.
const recovery = 2 * time.Second

// load sends at a steady rate, revokes, and has Redis be away in the middle.
func (s scene) load(urls []string, platform *platformtest.Platform, r *redis, o *outcome) {
	var group sync.WaitGroup
	var requests, failed atomic.Int64
	var refused [3]atomic.Int64 // before the outage, in it, after it
	var phase atomic.Int32
	client := &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	one := func(url string) {
		at := phase.Load()
		resp, err := client.Get(url + "/weda/workflow/v1/prod/list")
		if err != nil {
			failed.Add(1)
			return
		}
		defer resp.Body.Close()
		_, _ = io.Copy(io.Discard, resp.Body)
		switch {
		case resp.StatusCode == http.StatusUnauthorized:
			refused[at].Add(1)
		case resp.StatusCode != http.StatusOK:
			failed.Add(1)
		}
	}
	for _, url := range urls { // each has its token before the first revocation
		one(url)
	}
	tick := time.NewTicker(time.Second / time.Duration(s.rate))
	defer tick.Stop()
	revoke := time.NewTicker(s.revoke)
	defer revoke.Stop()
	begin := time.Now()
	away, back := begin.Add(s.length*2/5), begin.Add(s.length*3/5)
	var before int64
	for n := 0; time.Since(begin) < s.length; {
		select {
		case <-revoke.C:
			platform.RevokeAll()
			o.revocations++
		case <-tick.C:
			url := urls[n%len(urls)]
			n++
			requests.Add(1)
			group.Go(func() { one(url) })
		}
		switch now := time.Now(); {
		case r == nil:
		case r.process != nil && now.After(away) && now.Before(back):
			phase.Store(1)
			before = int64(platform.Counts().TokenRequests)
			r.stop()
		case r.process == nil && now.After(back):
			o.duringOutage = int64(platform.Counts().TokenRequests) - before
			if err := r.start(); err != nil {
				failed.Add(1)
			}
			time.AfterFunc(recovery, func() { phase.Store(2) })
		}
	}
	group.Wait()
	o.requests, o.failed = requests.Load(), failed.Load()
	o.refused = [3]int64{refused[0].Load(), refused[1].Load(), refused[2].Load()}
}
