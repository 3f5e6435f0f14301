package server

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"authproxy/cmd/authproxy/internal/config"
	"authproxy/cmd/authproxy/internal/dial"
	"authproxy/cmd/authproxy/internal/follow"
	"authproxy/cmd/authproxy/internal/history"
	"authproxy/cmd/authproxy/internal/listen"
	"authproxy/cmd/authproxy/internal/logs"
	"authproxy/cmd/authproxy/internal/metrics"
	"authproxy/cmd/authproxy/internal/sandbox"
	"authproxy/internal/httpsyntax"
	"authproxy/proxy"
	"authproxy/proxy/door"
)

// generation is what lives as long as a configuration.
type generation struct {
	cfg     *config.Config
	file    string // that cfg came from; empty for none
	log     *slog.Logger
	agent   string // the User-Agent of token requests
	access  *logs.Access
	metrics *metrics.Metrics
	history *history.History
	made    time.Time

	replay *proxy.Memory
	tokens map[string]*token
	pools  map[dial.Options]*pool // to upstreams
	// upstreams are their handlers, in the order of the configuration.
	upstreams []http.Handler
	handlers  map[string]http.Handler // of the listeners for applications, by key
	pages     http.Handler            // of the admin listener
	places    []announcement          // of upstreams, once it is served
	callers   door.Callers            // but for who is at the other end
	files     *follow.Follower
	tls       *listen.TLS // that callers speak; nil for none
	inherited listen.Inherited

	previous *generation // while this one is made, what it may take things from; else nil
	store    *store      // nil: nothing is shared
	talk     *storeTalk
	watching context.Context // of what other processes announce
	deafen   context.CancelFunc
}

// unrouted are the observers of the requests that no upstream has claimed.
func (g *generation) unrouted() []proxy.Observer {
	return []proxy.Observer{g.metrics.Unrouted(), g.access, g.history.Door()}
}

// pool is the connections that upstreams share.
type pool struct {
	*dial.Pool
	users []string // their names
}

// pool returns the connections that o asks for, which are shared with every
// upstream that asks for the same.
func (g *generation) pool(upstream string, o dial.Options) (*dial.Pool, error) {
	if p := g.pools[o]; p != nil {
		p.users = append(p.users, upstream)
		return p.Pool, nil
	}
	if g.previous != nil && g.previous.pools[o] != nil {
		kept := &pool{Pool: g.previous.pools[o].Pool, users: []string{upstream}}
		g.followTLS(o.TLS, kept.Renew, func() *slog.Logger { return g.log.With("upstream", strings.Join(kept.users, ", ")) })
		g.pools[o] = kept
		return kept.Pool, nil
	}
	p := &pool{users: []string{upstream}}
	g.followTLS(o.TLS, func() error { return p.Renew() }, func() *slog.Logger { return g.log.With("upstream", strings.Join(p.users, ", ")) })
	var err error
	if p.Pool, err = dial.New(o); err != nil {
		return nil, err
	}
	g.pools[o] = p
	return p.Pool, nil
}

// followTLS has renew called when a certificate is exchanged.
func (g *generation) followTLS(t dial.TLS, renew func() error, log func() *slog.Logger) {
	files := t.Files()
	if len(files) == 0 {
		return
	}
	g.files.Add(files, func() {
		if err := renew(); err != nil {
			log().Warn("the certificates cannot be used; the previous ones go on counting", "error", err, "hint", follow.Hint(err))
			return
		}
		log().Info("certificates changed")
	})
}

// needs is what the sandbox must leave to g.
func (g *generation) needs() sandbox.Needs {
	var all sandbox.Needs
	for _, n := range g.needsByKey() {
		all.Files = append(all.Files, n.Files...)
		all.Sockets = append(all.Sockets, n.Sockets...)
		all.URLs = append(all.URLs, n.URLs...)
		all.Folders = append(all.Folders, n.Folders...)
		all.AnyPort = all.AnyPort || n.AnyPort
	}
	return all
}

// needsByKey is needs by the key that asks for it.
func (g *generation) needsByKey() map[string]sandbox.Needs {
	all := map[string]sandbox.Needs{
		"caller_token_file": {Files: []string{g.cfg.CallerToken.File()}},
		"the configuration": {Files: []string{g.file}},
		"listen_tls":        {Files: listenFiles(g.cfg.ListenTLS).Paths()},
	}
	for _, t := range g.tokens {
		all["tokens."+t.cfg.Name] = sandbox.Needs{
			Files: append(secretFiles(t.cfg), tlsOf(t.cfg.TLS).Files()...), URLs: append(t.endpoint.Bases(), t.cfg.ProxyURL),
		}
	}
	for _, u := range g.cfg.Upstreams {
		n := sandbox.Needs{Files: tlsOf(u.TLS).Files()}
		if u.Socket == "" {
			n.URLs = append(n.URLs, u.URL.URL, u.ProxyURL)
		}
		all[fmt.Sprintf("upstream %q", u.Name)] = n
	}
	if g.store != nil {
		all["store"] = sandbox.Needs{
			Folders: []string{g.store.folder()}, URLs: g.store.address, AnyPort: g.store.anyPort,
			Files: append(tlsOf(g.cfg.Store.Redis.TLS).Files(), g.cfg.Store.Redis.URL.File()),
		}
	}
	listens := []config.Address{g.cfg.Listen, g.cfg.Admin.Listen}
	for _, u := range g.cfg.Upstreams {
		listens = append(listens, u.Listen)
	}
	var sockets sandbox.Needs
	for _, listen := range listens {
		if path, ok := httpsyntax.UnixPath(string(listen)); ok {
			sockets.Sockets = append(sockets.Sockets, path)
		}
	}
	all["listen"] = sockets
	return all
}

// close ends what goes on without requests, and gives back the tokens that are
// to be revoked on exit, all at once.
func (g *generation) close() {
	g.files.Close()
	g.deafen()
	var closing sync.WaitGroup
	for _, t := range g.tokens {
		if t != nil {
			closing.Go(func() { g.closeToken(t) })
		}
	}
	closing.Wait()
	for _, p := range g.pools {
		p.CloseIdleConnections()
	}
	g.store.Close()
}

func (g *generation) closeToken(t *token) {
	t.cache.Close()
	if t.shared != nil {
		t.shared.Close()
	}
	if held := t.cache.Held(); t.cfg.RevokeOnExit && t.shared == nil && held.Value != "" && time.Now().Before(held.Expiry) {
		g.revoke(t, held)
	}
	t.endpoint.Close() // after the last request that is told of
	t.connections.CloseIdleConnections()
}

// text returns a URL as it was written, with its password; "" for nil.
func text(u *url.URL) string {
	if u == nil {
		return ""
	}
	return u.String()
}
