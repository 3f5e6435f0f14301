package server

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
)

// Drain ends the service: first readiness; then, after a delay in which new
// connections are still served, the listeners; last the requests that are not
// done in time, streams and switched protocols among them. The admin listener
// goes when all others have gone.
func (s *Server) Drain() {
	s.drain(s.gen().cfg.Shutdown.DrainDelay)
	s.queue.Close(lastWords)
}

func (s *Server) drain(delay time.Duration) {
	notify(daemon.SdNotifyStopping)
	s.reloading.Lock() // one that is under way comes to its end, and none begins
	s.serving.Store(false)
	s.reloading.Unlock()
	for _, l := range s.listeners {
		l.gate.Closing()
	}
	time.Sleep(delay)
	for _, l := range s.listeners {
		_ = l.socket.Close() // Shutdown closes it again
	}
	for _, l := range s.listeners {
		l.gate.Shut()
	}
	ctx, cancel := context.WithTimeout(context.Background(), s.gen().cfg.Shutdown.Timeout)
	defer cancel()
	s.shutdown(ctx)
	s.gen().close()
	s.access.Close()
	if s.admin != nil {
		_ = s.admin.http.Close()
	}
}

// lastWords is how long requests that are cut have to be logged.
const lastWords = time.Second

// lastBytes is how long connections are waited for when nobody is inside any more: the
// end of an answer may be on its way, but who has sent nothing, or half a head, is not
// waited for, as net/http would for five seconds.
const lastBytes = 250 * time.Millisecond

var errCut = errors.New("cut at the end of shutdown.timeout")

// shutdown waits for the requests in flight and cuts what is left when ctx
// ends. They are counted before the first is cut.
func (s *Server) shutdown(ctx context.Context) {
	var servers sync.WaitGroup
	waiting, stop := context.WithCancel(ctx)
	defer stop()
	for _, l := range s.listeners {
		servers.Go(func() { _ = l.http.Shutdown(waiting) }) // what it leaves is closed below
	}
	cut := 0
	for _, l := range s.listeners {
		cut += l.gate.Wait(ctx)
	}
	defer time.AfterFunc(lastBytes, stop).Stop()
	servers.Wait()
	if cut > 0 {
		s.log.Warn("requests were cut", "count", cut)
		s.cut(errCut)
	}
	for _, l := range s.listeners {
		_ = l.http.Close()
	}
	ctx, cancel := context.WithTimeout(context.Background(), lastWords)
	defer cancel()
	for _, l := range s.listeners {
		l.gate.Wait(ctx)
	}
}
