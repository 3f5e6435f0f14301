package server

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"syscall"
	"time"

	"authproxy/cmd/authproxy/internal/config"
	"authproxy/cmd/authproxy/internal/dial"
	"authproxy/cmd/authproxy/internal/logs"
	"authproxy/cmd/authproxy/internal/sandbox"
	"authproxy/internal/httpsyntax"
)

var errNoReload = errors.New("which cannot be read again: restart to change it")

// Reload reads the configuration again and has it served from now on: all of it, or, when
// anything about it is wrong, nothing. Tokens whose credentials and requests did not change
// go on with everything that is known of them; requests in flight end as they began;
// listeners that did not change stay open. The error is told of in the log and the metrics.
func (s *Server) Reload() error {
	if s.opts.Load == nil {
		return fmt.Errorf("the configuration came from %s, %w", s.opts.File, errNoReload)
	}
	s.reloading.Lock()
	defer s.reloading.Unlock()
	notifyReloading()
	cfg, err := s.opts.Load()
	if err == nil {
		err = s.take(cfg)
	} else if s.granted != nil {
		err = keptAway(err)
	}
	s.metrics.ConfigLoaded(err == nil)
	s.notTaken.Store(nil)
	if err != nil {
		s.notTaken.Store(&err)
		s.notifyReady("the changed configuration is faulty, and the one before is served: ")
		s.log.Error("the configuration is not taken over, and the one before is served on", "error", err)
		return err
	}
	s.notifyReady("serving ")
	for _, w := range cfg.Warnings {
		s.log.Warn(w)
	}
	s.log.Info("configuration taken over", "upstreams", len(cfg.Upstreams), "tokens", len(cfg.Tokens))
	return nil
}

// keptAway says of files that could not be read that the sandbox may be why.
func keptAway(err error) error {
	faults, ok := errors.AsType[config.Faults](err)
	if !ok {
		return err
	}
	for i, f := range faults {
		if strings.Contains(f.What, syscall.EACCES.Error()) {
			faults[i].Fix += "; or the sandbox leaves no other folder than at the start: restart to have it"
		}
	}
	return faults
}

// take has cfg served. s.reloading is held.
func (s *Server) take(cfg *config.Config) error {
	old := s.gen()
	if !s.serving.Load() {
		return errNotServing
	}
	if keys := needRestart(old.cfg, cfg); len(keys) > 0 {
		return ConfigurationError{fmt.Errorf("%s cannot be changed while the program runs: restart it", strings.Join(keys, ", "))}
	}
	g, err := s.newGeneration(cfg, old)
	if err != nil {
		return ConfigurationError{err}
	}
	if err := s.beyondSandbox(g); err != nil {
		g.drop(old)
		return ConfigurationError{err}
	}
	opened, err := s.openNew(cfg)
	if err != nil {
		g.drop(old)
		return err
	}
	s.level.Set(levelOf(cfg))
	s.access.SetMode(cfg.Log.Access)
	gone := s.replaceListeners(cfg, opened)
	s.swap(g)
	for _, l := range opened {
		go l.serve(s.failed)
	}
	for _, l := range gone {
		go l.retire(cfg.Shutdown.Timeout)
	}
	s.forget(old.cfg, cfg)
	if g.store == nil {
		s.metrics.NoStore()
	}
	old.drop(g)
	g.lookAhead(s.base)
	return nil
}

// needRestart are the keys that differ and that the process took in at its start.
func needRestart(old, next *config.Config) []string {
	var keys []string
	for key, changed := range map[string]bool{
		"sandbox":     old.Sandbox != next.Sandbox,
		"log.format":  old.Log.Format != next.Log.Format,
		"max_header":  old.MaxHeader != next.MaxHeader,
		"socket_mode": old.SocketMode != next.SocketMode,
	} {
		if changed {
			keys = append(keys, key)
		}
	}
	return keys
}

// beyondSandbox says what g needs of files and ports that the process has given up.
func (s *Server) beyondSandbox(g *generation) error {
	if s.granted == nil {
		return nil
	}
	var faults []error
	for key, needs := range g.needsByKey() {
		for _, missing := range sandbox.Beyond(*s.granted, needs) {
			faults = append(faults, fmt.Errorf("%s: the sandbox leaves no %s: restart to have it", key, missing))
		}
	}
	for key, at := range s.missing(g.cfg) {
		if _, inherited := httpsyntax.SystemdName(at); inherited {
			continue // it is open
		}
		faults = append(faults, fmt.Errorf("%s: the sandbox lets no other place be listened on: restart to have it", key))
	}
	return errors.Join(faults...)
}

// forget takes the series of what is gone away.
func (s *Server) forget(old, next *config.Config) {
	upstreams, tokens := map[string]bool{}, map[string]bool{}
	for _, u := range next.Upstreams {
		upstreams[u.Name] = true
	}
	for _, t := range next.Tokens {
		tokens[t.Name] = true
	}
	for _, u := range old.Upstreams {
		if !upstreams[u.Name] {
			s.metrics.ForgetUpstream(u.Name)
			s.history.ForgetUpstream(u.Name)
		}
	}
	for _, t := range old.Tokens {
		if !tokens[t.Name] {
			s.metrics.ForgetToken(t.Name)
			s.history.ForgetToken(t.Name)
		}
	}
}

// drop closes what g has and kept has not. Requests that are in g go on, and g itself is not
// changed: others may look at it.
func (g *generation) drop(kept *generation) {
	rest := &generation{cfg: g.cfg, log: g.log, files: g.files, deafen: g.deafen, tokens: map[string]*token{}, pools: map[dial.Options]*pool{}}
	for name, t := range g.tokens {
		if kept.tokens[name] != t {
			rest.tokens[name] = t
		}
	}
	for o, p := range g.pools {
		if other := kept.pools[o]; other == nil || other.Pool != p.Pool {
			rest.pools[o] = p
		}
	}
	if g.store != kept.store {
		rest.store = g.store
	}
	go rest.close() // it waits for what observers are told
}

// ownFile is the file of the configuration, if it can be read again, as a pipe cannot; else empty.
func (s *Server) ownFile() string {
	if info, err := os.Stat(s.opts.File); s.opts.Load == nil || err != nil || !info.Mode().IsRegular() {
		return ""
	}
	return s.opts.File
}

// wholeAfter is when a file that could not be read well after a change is looked at once
// more: it may have been written in two steps.
const wholeAfter = 300 * time.Millisecond

// fileChanged takes over what stands in the file of the configuration now.
func (s *Server) fileChanged() {
	if s.opts.Load == nil {
		return
	}
	if _, err := s.opts.Load(); err != nil {
		time.Sleep(wholeAfter)
	}
	if cfg, err := s.opts.Load(); err == nil && cfg.Equal(s.gen().cfg) && s.notTaken.Load() == nil {
		return
	}
	_ = s.Reload() // which tells
}

func levelOf(cfg *config.Config) slog.Level { return logs.Level(cfg.Log.Level) }
