package server

import (
	"fmt"
	"log/slog"
	"net/http"

	"authproxy/cmd/authproxy/internal/config"
	"authproxy/cmd/authproxy/internal/listen"
	"authproxy/internal/httpsyntax"
	"authproxy/proxy"
)

// onlyCallers returns a handler that passes to next, behind the data listener
// at address, only the requests of those who may call.
func (g *generation) onlyCallers(address string, next http.Handler, observer proxy.Observer) (http.Handler, error) {
	known, err := g.knownPeer(address)
	if err != nil {
		return nil, err
	}
	c := proxy.Callers{Known: known}
	if !g.cfg.CallerToken.IsZero() {
		c.Secret = g.cfg.CallerToken.Read
		c.ErrorLog = slog.NewLogLogger(g.log.Handler(), slog.LevelWarn)
	}
	h, err := proxy.NewCallers(c, next, observer)
	if err != nil {
		return nil, fmt.Errorf("caller_token_file: %w", err)
	}
	return h, nil
}

// onlyPeers does the same for the admin listener, which asks for no token.
func (g *generation) onlyPeers(next http.Handler) (http.Handler, error) {
	known, err := g.knownPeer(g.cfg.Admin.Listen)
	if err != nil {
		return nil, err
	}
	return proxy.NewCallers(proxy.Callers{Known: known}, next, g.metrics.Unrouted())
}

// knownPeer returns the check of who connects to the listener at address; nil
// when everybody may.
func (g *generation) knownPeer(address string) (func(*http.Request) error, error) {
	if len(g.cfg.AllowedUIDs) == 0 || !httpsyntax.IsUnix(address) {
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
		rules[i] = proxy.Access(a)
	}
	return rules
}

// observers tells several of each request.
type observers []proxy.Observer

// Started implements [proxy.Observer].
func (os observers) Started() {
	for _, o := range os {
		o.Started()
	}
}

// Finished implements [proxy.Observer].
func (os observers) Finished(r *proxy.Record) {
	for _, o := range os {
		o.Finished(r)
	}
}
