package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
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
	config := ""
	var r *redis
	if store {
		if r, err = startRedis(dir, log); err != nil {
			return o, err
		}
		defer r.stop()
		config = fmt.Sprintf("store: { redis: { url: %q } }\n", "redis://"+r.address)
	}
	urls, stop, err := s.start(dir, log, config+configOf(l.Addr().String()))
	if err != nil {
		return o, err
	}
	defer stop()
	run := &load{platform: platform, redis: r, client: &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 64}}}
	run.run(s, urls)
	return run.outcome(), nil
}

func configOf(platform string) string {
	return fmt.Sprintf(`listen: 127.0.0.1:0
admin: { listen: "" }
tokens: { main: { provider: gongjiangyun, params: { base_url: "http://%s" }, client_id: id, client_secret: secret } }
upstreams: [ { name: main, token: main, url: "http://%s" } ]
`, platform, platform)
}

// start runs all replicas.
func (s scene) start(dir string, log io.Writer, config string) (urls []string, stop func(), err error) {
	file := filepath.Join(dir, "authproxy.yaml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		return nil, nil, err
	}
	program, err := proc.Build(dir, "./cmd/authproxy")
	if err != nil {
		return nil, nil, err
	}
	var all []*proc.Process
	stop = func() {
		for _, p := range all {
			p.Stop()
		}
	}
	for range s.replicas {
		p, err := proc.Run(log, program, "serve", "-c", file)
		if err != nil {
			stop()
			return nil, nil, err
		}
		all = append(all, p)
		urls = append(urls, strings.TrimSuffix(p.URL, "/"))
	}
	return urls, stop, nil
}
