package server

import (
	"fmt"
	"net/http"
	"time"

	"authproxy/cmd/authproxy/internal/config"
	"authproxy/cmd/authproxy/internal/follow"
	"authproxy/cmd/authproxy/internal/listen"
	"authproxy/internal/httpsyntax"
	"authproxy/proxy"
	"authproxy/proxy/door"
)

// recheck bounds how often guesses make the token of callers be read.
const recheck = 10 * time.Millisecond

// followCallers reads the token of callers, and again when its file changes.
func (g *generation) followCallers() error {
	if g.cfg.CallerToken.IsZero() {
		return nil
	}
	secret, read := new(door.Secret), g.cfg.CallerToken.Read
	set := g.files.Add([]string{g.cfg.CallerToken.File()}, func() {
		value, err := read()
		if err != nil {
			g.log.Warn("the token of callers cannot be read; the previous one goes on counting", "error", err, "hint", follow.Hint(err))
			return
		}
		secret.Set(value)
		g.log.Info("the token of callers has changed")
	})
	value, err := read()
	if err != nil {
		return fmt.Errorf("caller_token_file: %w", err)
	}
	secret.Set(value)
	g.callers = door.Callers{Secret: secret, Recheck: func() { set.Look(recheck) }}
	return nil
}

// onlyCallers returns a handler that passes to next, behind the data listener
// at address, only the requests of those who may call.
func (g *generation) onlyCallers(address string, next http.Handler) (http.Handler, error) {
	callers := g.callers
	var err error
	if callers.Known, err = g.knownPeer(address); err != nil {
		return nil, err
	}
	if name, ok := httpsyntax.SystemdName(address); ok && callers.Known == nil && len(g.cfg.AllowedUIDs) > 0 && len(g.inherited[name]) > 0 {
		return nil, fmt.Errorf("allowed_uids: cannot be checked on %s, which is no unix socket: write ListenStream=/run/NAME.sock into the socket unit, or use caller_token_file", address)
	}
	if callers.Known == nil {
		callers.Known = g.onlyCertified(address)
	}
	return door.NewCallers(callers, next, g.unrouted()...)
}

// onlyPeers does the same for the admin listener, which asks for no token.
func (g *generation) onlyPeers(next http.Handler) (http.Handler, error) {
	known, err := g.knownPeer(string(g.cfg.Admin.Listen))
	if err != nil {
		return nil, err
	}
	return door.NewCallers(door.Callers{Known: known}, next, g.metrics.Unrouted())
}

// isUnix tells whether the listener at address is a unix socket.
func (g *generation) isUnix(address string) bool {
	name, ok := httpsyntax.SystemdName(address)
	return httpsyntax.IsUnix(address) || ok && g.inherited.IsUnix(name)
}

// knownPeer returns the check of who connects to the listener at address; nil
// when everybody may.
func (g *generation) knownPeer(address string) (func(*http.Request) error, error) {
	if len(g.cfg.AllowedUIDs) == 0 {
		return nil, nil
	}
	if !g.isUnix(address) {
		return nil, nil
	}
	known, err := listen.AllowUIDs(g.cfg.AllowedUIDs)
	if err != nil {
		return nil, fmt.Errorf("allowed_uids: %w", err)
	}
	return known, nil
}

// accessRules are the rules of an upstream as the proxy wants them.
func accessRules(list []config.Access) []proxy.Access {
	rules := make([]proxy.Access, len(list))
	for i, a := range list {
		rules[i] = proxy.Access{Methods: a.Methods, Paths: a.Paths, Hosts: a.Hosts}
	}
	return rules
}
