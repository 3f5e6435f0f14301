package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"authproxy/cmd/authproxy/internal/config"
)

// serve runs the proxy of cfg until ctx ends, and then drains it.
func serve(ctx context.Context, cfg *config.Config, std streams) error {
	s, err := start(cfg, std.err)
	if err != nil {
		return err
	}
	defer s.surviveHangups()()
	if cfg.Sandbox != "off" {
		if err := confine(cfg.Sandbox == "required", confinesOf(s.app)); err != nil {
			s.drain()
			return err
		}
		s.log.Info("sandbox", "mode", cfg.Sandbox, "landlock", sandboxLevel())
	}
	debug.FreeOSMemory() // what reading the configuration and the certificates took
	s.announce(std.out)
	return s.run(ctx)
}

// server is an app with its listeners.
type server struct {
	*app
	http      []*http.Server    // of the data listeners
	listeners []net.Listener    // theirs
	pages     *http.Server      // of the admin listener; nil without one
	places    map[string]string // listen address of the configuration -> where it listens
	admin     string            // where; "" without an admin listener
	failed    chan error
	base      context.Context // of all requests
	cut       context.CancelCauseFunc
	serving   atomic.Bool
	watch     *secretWatch
}

// start opens every listener and serves on it. When one cannot be opened,
// none stays open.
func start(cfg *config.Config, logTo io.Writer) (*server, error) {
	a, err := newApp(cfg, logTo)
	if err != nil {
		return nil, usageError{err}
	}
	s := &server{app: a, places: map[string]string{}, failed: make(chan error, 1)}
	s.base, s.cut = context.WithCancelCause(context.Background())
	a.ready = s.readiness
	for _, w := range cfg.Warnings {
		a.log.Warn(w)
	}
	if err := s.listen(); err != nil {
		for _, srv := range s.http {
			_ = srv.Close()
		}
		return nil, err
	}
	s.watch = watchSecrets(a)
	s.serving.Store(true)
	return s, nil
}

var errNotServing = errors.New("shutting down")

func (s *server) readiness() error {
	if !s.serving.Load() {
		return errNotServing
	}
	return nil
}

func (s *server) listen() error {
	for i := range s.cfg.Upstreams {
		address := listenerOf(s.cfg, i)
		if _, open := s.places[address]; open {
			continue
		}
		srv := dataServer(s.doors[address], s.log)
		srv.BaseContext = func(net.Listener) context.Context { return s.base }
		l, err := s.serve(listenAddress(address), srv)
		if err != nil {
			return err
		}
		s.http, s.listeners = append(s.http, srv), append(s.listeners, l)
		s.places[address] = place(listenAddress(address), l)
	}
	if s.cfg.Admin.Listen == "" {
		return nil
	}
	h, err := s.adminHandler()
	if err != nil {
		return err
	}
	s.pages = &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelWarn)}
	l, err := s.serve(s.cfg.Admin.Listen, s.pages)
	if err == nil {
		s.admin = place(s.cfg.Admin.Listen, l)
	}
	return err
}

// place returns where l, opened for an address, can be reached from this machine.
func place(address string, l net.Listener) string {
	if isUnix(address) {
		return address
	}
	at := l.Addr().String()
	if host, port, err := net.SplitHostPort(at); err == nil && net.ParseIP(host).IsUnspecified() {
		at = net.JoinHostPort("localhost", port)
	}
	return "http://" + at
}

// listenerOf returns the key of the listener of the i'th upstream. A port 0
// stands for a listener of its own.
func listenerOf(cfg *config.Config, i int) string {
	own := cfg.Upstreams[i].Listen
	switch {
	case own == "":
		return cfg.Listen
	case !isUnix(own) && strings.HasSuffix(own, ":0"):
		return fmt.Sprint(own, "#", i)
	default:
		return own
	}
}

// listenAddress returns the address in the key of a listener.
func listenAddress(key string) string {
	if isUnix(key) {
		return key
	}
	address, _, _ := strings.Cut(key, "#")
	return address
}

// dataServer returns the server of a data listener: HTTP/1.1 and HTTP/2 in
// clear text, with limits on the head of a request and none on its body.
func dataServer(h http.Handler, log *slog.Logger) *http.Server {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	return &http.Server{
		Handler: h, Protocols: protocols,
		ReadHeaderTimeout: 30 * time.Second, IdleTimeout: 3 * time.Minute,
		DisableGeneralOptionsHandler: true, // OPTIONS * is for the upstream
		ErrorLog:                     slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
}

// serve listens at address and serves there in the background.
func (s *server) serve(address string, srv *http.Server) (net.Listener, error) {
	l, err := listen(address, s.cfg.SocketMode, s.cfg.AllowNonLoopback)
	if err != nil {
		return nil, err
	}
	if isUnix(address) {
		srv.ConnContext = withPeer
	}
	go func() {
		if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			select {
			case s.failed <- err:
			default:
			}
		}
	}()
	return l, nil
}

// announce says where to point the application at.
func (s *server) announce(w io.Writer) {
	fmt.Fprintf(w, "authproxy %s is running (pid %d)\n", thisVersion().Version, os.Getpid())
	for i, u := range s.cfg.Upstreams {
		place := s.places[listenerOf(s.cfg, i)]
		if !strings.HasPrefix(place, "unix:") {
			place += u.Path
		}
		only := ""
		if len(u.Hosts) > 0 {
			only = ", for Host " + strings.Join(u.Hosts, ", ")
		}
		to := u.URL.String()
		if u.Socket != "" {
			to = unixPrefix + u.Socket + u.URL.Path
		}
		fmt.Fprintf(w, "  %s: %s -> %s%s\n", u.Name, place, to, only)
	}
	switch {
	case s.admin == "":
	case isUnix(s.admin):
		fmt.Fprintf(w, "  admin: %s, there /metrics /livez /readyz\n", s.admin)
	default:
		fmt.Fprintf(w, "  admin: %s/metrics /livez /readyz\n", s.admin)
	}
}

// surviveHangups keeps SIGHUP, which a closed terminal or the wish for a reload
// sends, from ending the program without draining, until stop is called.
func (s *server) surviveHangups() (stop func()) {
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	go func() {
		for range hangups {
			s.log.Warn("SIGHUP: there is no reload; restart to have a changed configuration read")
		}
	}()
	return func() { signal.Stop(hangups); close(hangups) }
}

// run waits for the end of ctx or the failure of a listener, and drains.
func (s *server) run(ctx context.Context) error {
	var failure error
	select {
	case <-ctx.Done():
		s.log.Info("shutting down", "drain_delay", s.cfg.Shutdown.DrainDelay.String(), "timeout", s.cfg.Shutdown.Timeout.String())
	case err := <-s.failed:
		failure = fmt.Errorf("a listener failed: %w", err)
	}
	s.drain()
	s.log.Info("stopped")
	return failure
}
