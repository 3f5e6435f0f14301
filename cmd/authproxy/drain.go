package main

import (
	"context"
	"errors"
	"sync"
	"time"
)

// drain ends the service: first readiness; then, after a delay in which new
// connections are still served, the listeners; last the requests that are not
// done in time, streams and switched protocols among them. The admin listener
// goes when all others have gone.
func (s *server) drain() {
	s.serving.Store(false)
	for _, g := range s.gates {
		g.Closing()
	}
	time.Sleep(s.cfg.Shutdown.DrainDelay)
	for _, l := range s.listeners {
		_ = l.Close() // Shutdown closes it again
	}
	for _, g := range s.gates {
		g.Shut()
	}
	ctx, cancel := context.WithTimeout(context.Background(), s.cfg.Shutdown.Timeout)
	defer cancel()
	s.shutdown(ctx)
	s.watch.close()
	s.app.close()
	if s.pages != nil {
		_ = s.pages.Close()
	}
}

// lastWords is how long requests that are cut have to be logged.
const lastWords = time.Second

var errCut = errors.New("cut at the end of shutdown.timeout")

// shutdown waits for the requests in flight and cuts what is left when ctx
// ends. They are counted before the first is cut.
func (s *server) shutdown(ctx context.Context) {
	var servers sync.WaitGroup
	for _, srv := range s.http {
		servers.Go(func() { _ = srv.Shutdown(ctx) }) // what it leaves is closed below
	}
	cut := 0
	for _, g := range s.gates {
		cut += g.Wait(ctx)
	}
	servers.Wait()
	if cut > 0 {
		s.log.Warn("requests were cut", "count", cut)
		s.cut(errCut)
	}
	for _, srv := range s.http {
		_ = srv.Close()
	}
	ctx, cancel := context.WithTimeout(context.Background(), lastWords)
	defer cancel()
	for _, g := range s.gates {
		g.Wait(ctx)
	}
}
