package server

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync/atomic"
	"time"

	"authproxy/cmd/authproxy/internal/config"
	"authproxy/cmd/authproxy/internal/listen"
	"authproxy/cmd/authproxy/internal/logs"
	"authproxy/internal/httpsyntax"
	"authproxy/proxy/door"
)

// listener is a socket, who is inside, and whoever serves them: it lives as long
// as the process, and its handler as long as a configuration.
type listener struct {
	socket  net.Listener
	place   string // where it can be reached from this machine
	http    *http.Server
	gate    *door.Gate // nil on the admin listener
	handler atomic.Pointer[http.Handler]
	tls     atomic.Pointer[listen.TLS] // nil: none is spoken from now on
	spoken  atomic.Bool                // TLS, at some time
}

// lead has requests served by h from now on.
func (l *listener) lead(h http.Handler) { l.handler.Store(&h) }

// secure has t spoken on new connections; nil for none.
func (l *listener) secure(t *listen.TLS) {
	if t != nil {
		l.spoken.Store(true)
	}
	l.tls.Store(t)
}

// where is the place at which an application reaches l.
func (l *listener) where() string {
	if l.tls.Load() == nil {
		return l.place
	}
	return strings.Replace(l.place, "http://", "https://", 1)
}

// ServeHTTP implements [http.Handler].
func (l *listener) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if l.spoken.Load() {
		listen.MarkTLS(r)
	}
	(*l.handler.Load()).ServeHTTP(w, r)
}

// serve accepts connections until the listener is closed; a failure is told.
func (l *listener) serve(failed chan<- error) {
	if err := l.http.Serve(l.socket); !errors.Is(err, http.ErrServerClosed) {
		select {
		case failed <- err:
		default: // the first one ends the program
		}
	}
}

// open opens the sockets of cfg. Nobody is served there before they are led to a handler.
func (s *Server) open(cfg *config.Config) error {
	for i := range cfg.Upstreams {
		key := listenerOf(cfg, i)
		if s.listeners[key] != nil {
			continue
		}
		l, err := s.openData(cfg, i)
		if err != nil {
			return err
		}
		s.listeners[key] = l
	}
	if cfg.Admin.Listen == "" {
		return nil
	}
	var err error
	s.admin, err = s.openAdmin(cfg)
	return err
}

// openData opens the listener of the i'th upstream.
func (s *Server) openData(cfg *config.Config, i int) (*listener, error) {
	address := addressOf(listenerOf(cfg, i))
	l, err := s.listenAt(listen.Options{
		Address: address, Key: keyOf(cfg, i), Mode: cfg.SocketMode,
		Anywhere: cfg.AllowNonLoopback, AnywhereKey: "allow_non_loopback", Spare: claimed(cfg),
	})
	if err != nil {
		return nil, err
	}
	l.gate = door.NewGate(l, s.fields, s.metrics.Unrouted(), s.access)
	l.http = s.dataServer(l.gate, cfg)
	l.socket = listen.Watch(l.socket, listen.Watched{Heads: s.heads, Told: s.notHTTP(l), TLS: &l.tls})
	l.http.ConnState = listen.ConnState
	l.http.ConnContext = listen.WithPeer
	return l, nil
}

// openAdmin opens the admin listener.
func (s *Server) openAdmin(cfg *config.Config) (*listener, error) {
	l, err := s.listenAt(listen.Options{
		Address: string(cfg.Admin.Listen), Key: "admin.listen", Mode: cfg.SocketMode,
		Anywhere: cfg.Admin.AllowNonLoopback, AnywhereKey: "admin.allow_non_loopback", Spare: claimed(cfg),
	})
	if err != nil {
		return nil, err
	}
	l.socket = listen.Few(l.socket, adminConns)
	l.http = &http.Server{Handler: l, MaxHeaderBytes: int(cfg.MaxHeader), ErrorLog: s.errorLog(),
		ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second, IdleTimeout: time.Minute}
	l.http.ConnContext = listen.WithPeer
	return l, nil
}

// adminConns is how many connections the admin listener has at a time: its callers are
// a few, and descriptors are for the applications.
const adminConns = 16

func (s *Server) listenAt(o listen.Options) (*listener, error) {
	o.Inherited = s.inherited
	opened, err := listen.Open(o)
	if err != nil {
		return nil, err
	}
	if opened.Warning != "" {
		s.log.Warn(opened.Warning)
	}
	return &listener{socket: opened.Listener, place: listen.Place(o.Address, opened.Listener)}, nil
}

// keyOf is what holds the address of the listener of the i'th upstream.
func keyOf(cfg *config.Config, i int) string {
	if cfg.Upstreams[i].Listen == "" {
		return "listen"
	}
	return fmt.Sprintf("listen of upstream %q", cfg.Upstreams[i].Name)
}

// claimed tells of the addresses that cfg names itself, for a listener or an upstream:
// nothing else is to be opened there.
func claimed(cfg *config.Config) func(netip.AddrPort) bool {
	named := map[string]bool{string(cfg.Listen): true, string(cfg.Admin.Listen): true}
	for _, u := range cfg.Upstreams {
		named[string(u.Listen)] = true
		if u.Socket == "" {
			named[u.URL.Host] = true
		}
	}
	return func(at netip.AddrPort) bool { return named[at.String()] }
}

// all returns every listener, that of the admin pages last.
func (s *Server) all() []*listener {
	all := make([]*listener, 0, len(s.listeners)+1)
	for _, l := range s.listeners {
		all = append(all, l)
	}
	if s.admin != nil {
		all = append(all, s.admin)
	}
	return all
}

// listenerOf returns the key of the listener of the i'th upstream. A port 0
// stands for a listener of its own.
func listenerOf(cfg *config.Config, i int) string {
	own := cfg.Upstreams[i].Listen
	switch {
	case own == "":
		return string(cfg.Listen)
	case own.AnyPort():
		return fmt.Sprint(own, "#", i)
	default:
		return string(own)
	}
}

// addressOf returns the address in the key of a listener.
func addressOf(key string) string {
	if httpsyntax.IsUnix(key) {
		return key // whose path may hold what follows
	}
	address, _, _ := strings.Cut(key, "#")
	return address
}

// dataServer returns the server of a data listener: HTTP/1.1 and HTTP/2 in
// clear text, with limits on the head of a request and none on its body.
func (s *Server) dataServer(h http.Handler, cfg *config.Config) *http.Server {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	return &http.Server{
		Handler: h, Protocols: protocols,
		MaxHeaderBytes: int(cfg.MaxHeader), ReadHeaderTimeout: 30 * time.Second, IdleTimeout: 3 * time.Minute,
		DisableGeneralOptionsHandler: true, // OPTIONS * is for the upstream
		ErrorLog:                     s.errorLog(),
		BaseContext:                  func(net.Listener) context.Context { return s.base },
	}
}

// errorLog is where net/http tells of trouble with connections.
func (s *Server) errorLog() *log.Logger { return logs.NetHTTP(s.log) }
