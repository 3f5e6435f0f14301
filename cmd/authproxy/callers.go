package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"

	"authproxy/cmd/authproxy/internal/config"
	"authproxy/proxy"
)

// onlyCallers returns a handler that passes to next, behind the data listener
// at address, only the requests of those who may call.
func (a *app) onlyCallers(address string, next http.Handler, observer proxy.Observer) (http.Handler, error) {
	known, err := a.knownPeer(address)
	if err != nil {
		return nil, err
	}
	c := proxy.Callers{Known: known}
	if !a.cfg.CallerToken.IsZero() {
		c.Secret = a.cfg.CallerToken.Read
		c.ErrorLog = slog.NewLogLogger(a.log.Handler(), slog.LevelWarn)
	}
	h, err := proxy.NewCallers(c, next, observer)
	if err != nil {
		return nil, fmt.Errorf("caller_token_file: %w", err)
	}
	return h, nil
}

// onlyPeers does the same for the admin listener, which asks for no token.
func (a *app) onlyPeers(next http.Handler) (http.Handler, error) {
	known, err := a.knownPeer(a.cfg.Admin.Listen)
	if err != nil {
		return nil, err
	}
	return proxy.NewCallers(proxy.Callers{Known: known}, next, a.metrics.Unrouted())
}

// knownPeer returns the check of who connects to the listener at address; nil
// when everybody may.
func (a *app) knownPeer(address string) (func(*http.Request) error, error) {
	if len(a.cfg.AllowedUIDs) == 0 || !isUnix(address) {
		return nil, nil
	}
	if err := checkPeers(); err != nil {
		return nil, fmt.Errorf("allowed_uids: %w", err)
	}
	return allowUIDs(a.cfg.AllowedUIDs), nil
}

// accessRules are the rules of an upstream as the proxy wants them.
func accessRules(list []config.Access) []proxy.Access {
	rules := make([]proxy.Access, len(list))
	for i, a := range list {
		rules[i] = proxy.Access(a)
	}
	return rules
}

// peerKey is where the context of a connection holds its peer.
type peerKey struct{}

// peer is the user whose process is at the other end of a connection.
type peer struct {
	uid uint32
	err error // why it is not known
}

// withPeer is the ConnContext of servers on unix sockets.
func withPeer(ctx context.Context, c net.Conn) context.Context {
	uid, err := peerUID(c)
	return context.WithValue(ctx, peerKey{}, peer{uid, err})
}

var errNoPeer = errors.New("the user who calls is not known")

// allowUIDs returns a check that lets only requests of these users pass.
func allowUIDs(uids []int) func(*http.Request) error {
	return func(r *http.Request) error {
		p, ok := r.Context().Value(peerKey{}).(peer)
		switch {
		case !ok || p.err != nil:
			return errNoPeer
		case !slices.Contains(uids, int(p.uid)):
			return fmt.Errorf("uid %d is not in allowed_uids: add it if it may use the token", p.uid)
		}
		return nil
	}
}
