package main

import (
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"authproxy/proxy/platformtest"
)

// The times of a run, by what Redis does.
const (
	before = iota
	outage
	after
)

// recovery is how long after its start it may take until all know of Redis.
const recovery = 2 * time.Second

// load sends at a steady rate, revokes, and has Redis be away in the middle.
type load struct {
	platform *platformtest.Platform
	redis    *redis // nil: there is no store
	client   *http.Client

	requests, failed          atomic.Int64
	refused                   [3]atomic.Int64
	phase                     atomic.Int32
	revocations, asked, spent int64 // spent: token requests during the outage, since asked
}

func (l *load) tokens() int64 { return int64(l.platform.Counts().TokenRequests) }

func (l *load) outcome() outcome {
	return outcome{
		requests: l.requests.Load(), failed: l.failed.Load(), revocations: l.revocations, tokens: l.tokens(), duringOutage: l.spent,
		refused: [3]int64{l.refused[before].Load(), l.refused[outage].Load(), l.refused[after].Load()},
	}
}

func (l *load) run(s scene, urls []string) {
	for _, url := range urls { // each has its token before the first revocation
		l.one(url)
	}
	l.requests.Store(0)
	var group sync.WaitGroup
	tick, revoke := time.NewTicker(time.Second/time.Duration(s.rate)), time.NewTicker(s.revoke)
	defer tick.Stop()
	defer revoke.Stop()
	begin := time.Now()
	for n := 0; time.Since(begin) < s.length; {
		select {
		case <-revoke.C:
			l.platform.RevokeAll()
			l.revocations++
		case <-tick.C:
			url := urls[n%len(urls)]
			n++
			group.Go(func() { l.one(url) })
		}
		l.disturb(time.Since(begin), s.length)
	}
	group.Wait()
}

// disturb kills Redis in the middle of the run, and starts it again.
func (l *load) disturb(now, length time.Duration) {
	switch {
	case l.redis == nil:
	case l.redis.process != nil && l.phase.Load() == before && now > length*2/5:
		l.phase.Store(outage)
		l.asked = l.tokens()
		l.redis.stop()
	case l.redis.process == nil && now > length*3/5:
		l.spent = l.tokens() - l.asked
		if l.redis.start() != nil {
			l.failed.Add(1)
		}
		time.AfterFunc(recovery, func() { l.phase.Store(after) })
	}
}

func (l *load) one(url string) {
	l.requests.Add(1)
	phase := l.phase.Load()
	resp, err := l.client.Get(url + "/weda/workflow/v1/prod/list")
	if err != nil {
		l.failed.Add(1)
		return
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body)
	switch {
	case resp.StatusCode == http.StatusUnauthorized:
		l.refused[phase].Add(1)
	case resp.StatusCode != http.StatusOK:
		l.failed.Add(1)
	}
}
