package main

import (
	"context"
	"net/http"
	"time"

	"authproxy/proxy/platformtest"
)

// scenario is one way in which a token dies.
type scenario struct {
	name        string // in flags
	title       string // in tables
	connections int
	lifetime    time.Duration // of a token
	tokenDelay  time.Duration // before the token endpoint answers
	run         func(context.Context, *platform, *load) error
}

const (
	steadyConnections = 64
	long              = time.Hour // a lifetime that does not end here
	outage            = 10 * time.Second
	afterOutage       = 20 * time.Second
)

var scenarios = []scenario{
	{"revocation", "5 revocations in 10 s", steadyConnections, long, 20 * time.Millisecond, revocation},
	// golang.org/x/oauth2 renews 10 s before the end: with a shorter life it would ask for each request.
	{"expiry", "tokens of 15 s for 40 s", steadyConnections, 15 * time.Second, 20 * time.Millisecond, expiry},
	{"cold", "1,000 callers, no token yet", 1000, long, 200 * time.Millisecond, cold},
	{"outage", "token revoked, endpoint down for 10 s", steadyConnections, long, 0, down},
	{"refusing", "1 request in 10 to a path that always answers 401", steadyConnections, long, 20 * time.Millisecond, refusing},
}

func names() []string {
	var names []string
	for _, s := range scenarios {
		names = append(names, s.name)
	}
	return names
}

func anywhere(int) (string, int) { return "orders", http.StatusOK }

func revocation(ctx context.Context, p *platform, l *load) error {
	const every = 2 * time.Second
	done := make(chan struct{})
	go func() {
		defer close(done)
		for n := range 5 {
			if !sleep(ctx, every/2+every/2*time.Duration(min(n, 1))) {
				return
			}
			p.RevokeAll()
		}
	}()
	err := l.steady(ctx, 10*time.Second, anywhere)
	<-done
	return err
}

func expiry(ctx context.Context, _ *platform, l *load) error {
	return l.steady(ctx, 40*time.Second, anywhere)
}

func cold(_ context.Context, _ *platform, l *load) error {
	l.once("orders")
	return nil
}

// down revokes the token when the endpoint goes down: nothing can succeed
// before it is back. What is told apart is how often it is asked meanwhile, and
// how soon afterwards requests succeed.
func down(ctx context.Context, p *platform, l *load) error {
	const before = 2 * time.Second
	done := make(chan struct{})
	go func() {
		defer close(done)
		if !sleep(ctx, before) {
			return
		}
		p.SetTokenFault(&platformtest.Fault{Status: http.StatusServiceUnavailable})
		p.RevokeAll()
		if sleep(ctx, outage) {
			p.SetTokenFault(nil)
			l.endOutage()
		}
	}()
	err := l.steady(ctx, before+outage+afterOutage, anywhere)
	<-done
	return err
}

func refusing(ctx context.Context, _ *platform, l *load) error {
	return l.steady(ctx, 10*time.Second, func(n int) (string, int) {
		if n%10 == 9 {
			return always[1:] + "report", http.StatusUnauthorized
		}
		return anywhere(n)
	})
}

// sleep reports whether d has passed before ctx ended.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
