// Package server is a running authproxy: sockets that live as long as the
// process, and a generation of handlers, transports and tokens that lives as
// long as a configuration.
package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"authproxy/cmd/authproxy/internal/config"
	"authproxy/cmd/authproxy/internal/history"
	"authproxy/cmd/authproxy/internal/listen"
	"authproxy/cmd/authproxy/internal/logs"
	"authproxy/cmd/authproxy/internal/metrics"
	"authproxy/cmd/authproxy/internal/sandbox"
	"authproxy/proxy/door"
)

// Options are what a [Server] gets from the program around it.
type Options struct {
	// Version and Revision name the program, for the metrics and the start.
	Version, Revision string
	// Log is where the log goes. Whether and when it takes what is written there does
	// not matter to the service.
	Log io.Writer
	// File is the configuration's, and Load reads it; nil: there is no reload, and File says
	// where the configuration came from.
	File string
	Load func() (*config.Config, error)
}

// Server serves a configuration.
type Server struct {
	opts    Options
	log     *slog.Logger
	queue   *logs.Queue // before Options.Log; nil when nothing is served
	level   *slog.LevelVar
	access  *logs.Access
	metrics *metrics.Metrics
	history *history.History
	started time.Time

	inherited listen.Inherited     // sockets of the service manager
	heads     *listen.Heads        // of the requests on all of them
	fields    *door.Fields         // likewise
	listeners map[string]*listener // for applications, by key
	admin     *listener            // nil without one
	current   atomic.Pointer[generation]
	serving   atomic.Bool
	reloading sync.Mutex            // of one reload at a time
	notTaken  atomic.Pointer[error] // why the last one failed; nil when it did not
	granted   *sandbox.Needs        // what the sandbox left; nil without one

	failed chan error
	base   context.Context // of all requests
	cut    context.CancelCauseFunc
}

// ConfigurationError is what keeps a configuration from being served that read
// well: a file was exchanged meanwhile, or this system lacks what it asks for.
type ConfigurationError struct{ error }

// Unwrap returns the cause.
func (e ConfigurationError) Unwrap() error { return e.error }

// Start opens every listener of cfg and serves there. When one cannot be
// opened, none stays open. The error is a [ConfigurationError] where no listener
// is to blame.
func Start(cfg *config.Config, o Options) (*Server, error) {
	var s *Server
	queue := logs.NewQueue(o.Log, func(n uint64) {
		s.log.Warn("log lines were dropped, because nobody read them in time", "count", n)
	})
	o.Log = queue
	s = newServer(cfg, o)
	s.inherited = listen.Inherit()
	s.queue = queue
	s.metrics.LogLinesDropped(queue.Dropped)
	g, err := s.newGeneration(cfg, nil)
	if err != nil {
		queue.Close(lastWords)
		return nil, ConfigurationError{err}
	}
	for _, w := range cfg.Warnings {
		s.log.Warn(w)
	}
	if err := s.open(cfg); err != nil {
		for _, l := range s.all() {
			_ = l.http.Close()
			_ = l.socket.Close()
		}
		g.close()
		queue.Close(lastWords)
		return nil, err
	}
	s.swap(g)
	s.serving.Store(true)
	for _, l := range s.all() {
		go l.serve(s.failed)
	}
	return s, nil
}

// Check tells whether cfg can be served, without listening anywhere.
func Check(cfg *config.Config) error {
	g, err := newServer(cfg, Options{Log: io.Discard}).newGeneration(cfg, nil)
	if err != nil {
		return err
	}
	g.close()
	return nil
}

func newServer(cfg *config.Config, o Options) *Server {
	s := &Server{opts: o, started: time.Now(), listeners: map[string]*listener{}, failed: make(chan error, 1)}
	s.log, s.level = logs.New(logs.Options(cfg.Log), o.Log)
	s.access = logs.NewAccess(s.log, cfg.Log.Access, listen.Peer)
	s.metrics = metrics.New(metrics.BuildInfo{Version: o.Version, Revision: o.Revision})
	s.history = history.New()
	s.fields = door.NewFields()
	s.heads = listen.NewHeads(s.headCut())
	s.base, s.cut = context.WithCancelCause(context.Background())
	return s
}

// gen is the generation that is served.
func (s *Server) gen() *generation { return s.current.Load() }

// swap has all requests from now on served by g.
func (s *Server) swap(g *generation) {
	for address, l := range s.listeners {
		l.secure(g.tls)
		l.lead(g.handlers[address])
	}
	g.places = s.announcements(g.cfg)
	if s.admin != nil {
		s.admin.lead(g.pages)
	}
	s.metrics.ReplayMemory(g.replay.Used)
	s.current.Store(g)
	g.listenIn() // those it took from another heard for that one until now
}

// Serve gives up what the program does not need any more, announces itself to
// out, waits until ctx ends or a listener fails, and drains.
func (s *Server) Serve(ctx context.Context, out io.Writer) error {
	defer s.queue.Close(lastWords)
	defer s.surviveHangups()()
	if err := s.confine(); err != nil {
		s.drain(0)
		return err
	}
	debug.FreeOSMemory() // what reading the configuration and the certificates took
	console := logs.NewQueue(out, func(uint64) {})
	s.announce(console)
	console.Close(lastWords)
	s.gen().lookAhead(s.base)
	s.notifyReady("serving ")
	watched, rest := context.WithCancel(context.Background())
	defer rest()
	go feedWatchdog(watched)
	var failure error
	select {
	case <-ctx.Done():
		end := s.gen().cfg.Shutdown
		s.log.Info("shutting down", "drain_delay", end.DrainDelay.String(), "timeout", end.Timeout.String())
	case err := <-s.failed:
		failure = fmt.Errorf("a listener failed: %w", err)
	}
	s.drain(s.gen().cfg.Shutdown.DrainDelay)
	s.log.Info("stopped")
	return failure
}

func (s *Server) confine() error {
	mode := s.gen().cfg.Sandbox
	if mode == "off" {
		return nil
	}
	needs := s.gen().needs()
	if err := sandbox.Confine(mode == "required", needs); err != nil {
		return err
	}
	if sandbox.Works() {
		s.granted = &needs
	}
	s.log.Info("sandbox", "mode", mode, "landlock", sandbox.Level())
	return nil
}

// surviveHangups has SIGHUP, which the wish for a reload or a closed terminal sends, read
// the configuration again instead of ending the program without draining, until stop is
// called.
func (s *Server) surviveHangups() (stop func()) {
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	go func() {
		for range hangups {
			if !s.serving.Load() {
				s.log.Warn("SIGHUP: the program is shutting down, and reads no configuration")
				continue
			}
			if s.opts.Load != nil {
				s.log.Info("SIGHUP: the configuration is read again")
			}
			if err := s.Reload(); errors.Is(err, errNoReload) {
				s.log.Warn("SIGHUP: " + err.Error())
			}
		}
	}()
	return func() { signal.Stop(hangups); close(hangups) }
}

var errNotServing = errors.New("shutting down")

func (s *Server) readiness() error {
	if !s.serving.Load() {
		return errNotServing
	}
	return nil
}
