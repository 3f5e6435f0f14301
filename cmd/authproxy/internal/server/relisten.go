package server

import (
	"context"
	"time"

	"authproxy/cmd/authproxy/internal/config"
)

// missing are the addresses of cfg where nobody listens yet, by the key that holds them.
func (s *Server) missing(cfg *config.Config) map[string]string {
	all := map[string]string{}
	for i := range cfg.Upstreams {
		if key := listenerOf(cfg, i); s.listeners[key] == nil {
			all[keyOf(cfg, i)] = key
		}
	}
	if at := cfg.Admin.Listen; at != "" && at != s.gen().cfg.Admin.Listen {
		all["admin.listen"] = string(at)
	}
	return all
}

// openNew opens the listeners of cfg that are not open yet, or none.
func (s *Server) openNew(cfg *config.Config) (opened map[string]*listener, err error) {
	opened = map[string]*listener{}
	defer func() {
		if err != nil {
			for _, l := range opened {
				_ = l.socket.Close()
			}
		}
	}()
	for i := range cfg.Upstreams {
		key := listenerOf(cfg, i)
		if s.listeners[key] != nil || opened[key] != nil {
			continue
		}
		l, err := s.openData(cfg, i)
		if err != nil {
			return nil, err
		}
		opened[key] = l
	}
	if at := cfg.Admin.Listen; at != "" && at != s.gen().cfg.Admin.Listen {
		l, err := s.openAdmin(cfg)
		if err != nil {
			return nil, err
		}
		opened[""] = l
	}
	return opened, nil
}

// replaceListeners takes in those that were opened, and returns those that cfg has no more.
func (s *Server) replaceListeners(cfg *config.Config, opened map[string]*listener) (gone []*listener) {
	named := map[string]bool{}
	for i := range cfg.Upstreams {
		named[listenerOf(cfg, i)] = true
	}
	for key, l := range s.listeners {
		if !named[key] {
			gone = append(gone, l)
			delete(s.listeners, key)
		}
	}
	if s.admin != nil && cfg.Admin.Listen != s.gen().cfg.Admin.Listen {
		gone = append(gone, s.admin)
		s.admin = nil
	}
	for key, l := range opened {
		if key == "" {
			s.admin = l
			continue
		}
		s.listeners[key] = l
	}
	return gone
}

// retire closes a listener that is gone, and waits for the requests in it.
func (l *listener) retire(limit time.Duration) {
	if l.gate != nil {
		l.gate.Closing()
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	if l.http.Shutdown(ctx) != nil {
		_ = l.http.Close()
	}
}
