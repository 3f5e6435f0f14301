package server

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"authproxy/cmd/authproxy/internal/admin"
	"authproxy/cmd/authproxy/internal/config"
	"authproxy/cmd/authproxy/internal/dial"
	"authproxy/cmd/authproxy/internal/follow"
	"authproxy/proxy"
	"authproxy/proxy/door"
)

// newGeneration makes everything that serves cfg; it neither listens nor sends
// anything. What old has and cfg did not change is taken from there; nil for nothing. This
// file is the one place that knows every room: how each is made,
// and who gets what from whom.
func (s *Server) newGeneration(cfg *config.Config, old *generation) (g *generation, err error) {
	g = &generation{
		cfg: cfg, file: s.ownFile(), log: s.log, agent: agent(s.opts.Version), metrics: s.metrics, access: s.access, history: s.history, made: time.Now(), files: follow.New(s.log),
		replay:    proxy.NewMemory(cfg.ReplayMemory),
		inherited: s.inherited,
		previous:  old, tokens: map[string]*token{}, pools: map[dial.Options]*pool{}, handlers: map[string]http.Handler{},
	}
	g.watching, g.deafen = context.WithCancel(context.Background())
	defer func(made *generation) {
		made.previous = nil
		switch {
		case err == nil:
		case old == nil:
			made.close()
		default:
			made.drop(old)
			s.forget(cfg, old.cfg)
		}
	}(g)
	if err = g.shareIn(s); err != nil {
		return nil, err
	}
	if cfg.Reload.Watch && g.file != "" {
		g.files.Add([]string{g.file}, s.fileChanged)
	}
	for _, t := range cfg.Tokens {
		if g.tokens[t.Name], err = g.tokenOf(t); err != nil {
			return nil, fmt.Errorf("token %q: %w", t.Name, err)
		}
	}
	if err = g.followCallers(); err != nil {
		return nil, err
	}
	if err = g.speakTLS(); err != nil {
		return nil, err
	}
	if err = g.newDoors(); err != nil {
		return nil, err
	}
	if g.pages, err = g.onlyPeers(s.newPages(g)); err != nil {
		return nil, err
	}
	g.files.Start()
	return g, nil
}

// newPages makes what the admin listener answers.
func (s *Server) newPages(g *generation) http.Handler {
	return admin.New(admin.Options{
		Metrics: s.metrics.Handler(), Ready: s.readiness, Tokens: g.tokenStatus, Status: func() admin.Status { return s.status(g) },
		Pprof: g.cfg.Admin.Pprof, Guard: g.guardPages, GuardPage: g.guardPage, Reload: s.reloadEndpoint(),
	})
}

// newDoors makes the handlers of the listeners: the guard, the callers, the
// router, and behind them the upstreams.
func (g *generation) newDoors() (err error) {
	routes, routers := map[string][]door.Route{}, map[string]*door.Router{} // of each listener
	preserved := map[string]bool{}                                          // listeners whose callers say which Host goes upstream with the token
	hosts := slices.Clone([]string(g.cfg.AllowedHosts))
	for i, u := range g.cfg.Upstreams {
		key := listenerOf(g.cfg, i)
		var h http.Handler
		h, err := g.newUpstream(u, func(client *http.Request, path string) bool { return routers[key].Handler(client, path) == h })
		if err != nil {
			return fmt.Errorf("upstream %q: %w", u.Name, err)
		}
		g.upstreams = append(g.upstreams, h)
		hosts = append(hosts, u.Hosts...)
		preserved[key] = preserved[key] || u.PreserveHost
		routes[key] = append(routes[key], door.Route{Hosts: u.Hosts, Path: escaped(u.Path), Strict: len(u.Access) > 0, Handler: h})
	}
	for key, rs := range routes {
		routers[key] = door.NewRouter(rs, g.unrouted()...)
		known, err := g.onlyCallers(addressOf(key), routers[key])
		if err != nil {
			return err
		}
		guard := door.Guard{Hosts: hosts, Origins: g.cfg.AllowedOrigins, AnyHost: g.isUnix(key) && !preserved[key]}
		g.handlers[key] = door.NewGuard(guard, known, g.unrouted()...)
	}
	return nil
}

// guardPages keeps web pages away from what is not for probes and scrapers, which come
// by any address.
func (g *generation) guardPages(next http.Handler) http.Handler {
	return door.NewGuard(g.adminGuard(), next, g.metrics.Unrouted())
}

// guardPage is guardPages for what shows nothing by itself, to which any page may lead.
func (g *generation) guardPage(next http.Handler) http.Handler {
	guard := g.adminGuard()
	guard.Links = true
	return door.NewGuard(guard, next, g.metrics.Unrouted())
}

func (g *generation) adminGuard() door.Guard {
	return door.Guard{Hosts: g.cfg.AllowedHosts, AnyHost: g.isUnix(string(g.cfg.Admin.Listen)), OwnAddress: true}
}

// escaped returns a path as it stands in a request line.
func escaped(path string) string { return (&url.URL{Path: path}).EscapedPath() }

// newUpstream makes the handler of an upstream, to which comesBack tells what comes.
func (g *generation) newUpstream(u config.Upstream, comesBack func(*http.Request, string) bool) (http.Handler, error) {
	transport, err := g.pool(u.Name, upstreamDial(u))
	if err != nil {
		return nil, err
	}
	authorizer, err := authorizerOf(u.Inject)
	if err != nil {
		return nil, err
	}
	strip := ""
	if u.StripPath {
		strip = escaped(u.Path)
	}
	return proxy.New(proxy.Options{
		Name: u.Name, Target: u.URL.URL, Tokens: tokenSource{g.tokens[u.Token].cache}, Transport: transport,
		Authorizer: authorizer,
		Refusal:    refusalOf(u.InvalidToken),
		Retry:      proxy.Retry{Disabled: !u.Retry.Enabled, BodyLimit: u.Retry.BodyLimit, Memory: g.replay},
		Headers:    proxy.Headers(u.Headers), Query: proxy.Query(u.Query),
		StripPrefix: strip, PathPrefix: escaped(u.Path), ComesBack: comesBack, PreserveHost: u.PreserveHost, Upgrades: u.Upgrade,
		KeepLocation: !u.RewriteLocation, AddressHeaders: u.RewriteHeaders, KeepCookies: !u.RewriteCookies,
		Access: accessRules(u.Access), MaxInFlight: u.MaxInFlight, Origins: g.cfg.AllowedOrigins,
		Observers: []proxy.Observer{g.metrics.Upstream(u.Name), g.history.Upstream(u.Name), g.access},
	})
}

// refusalOf returns what counts as 'the token was refused'.
func refusalOf(i config.InvalidToken) proxy.Refusal {
	return proxy.Refusal{
		Rules: proxy.Rules{Status: i.Status, Body: i.Body, Header: i.Header},
		Not:   proxy.Rules{Status: i.Not.Status, Body: i.Not.Body, Header: i.Not.Header},
		Wait:  i.Wait,
	}
}

// authorizerOf returns the place of the token.
func authorizerOf(i config.Inject) (proxy.Authorizer, error) {
	if i.Query != "" {
		return proxy.InQuery(i.Query)
	}
	if i.Cookie != "" {
		return proxy.InCookie(i.Cookie)
	}
	return proxy.InHeader(i.Header, i.Scheme)
}

// upstreamDial returns how an upstream is spoken to.
func upstreamDial(u config.Upstream) dial.Options {
	return dial.Options{
		Scheme: u.URL.Scheme, Host: u.URL.Host, Socket: u.Socket, Proxy: text(u.ProxyURL), TLS: tlsOf(u.TLS),
		Connect: u.ConnectTimeout, Header: u.ResponseHeaderTimeout, Idle: u.MaxIdleConns, IdleTime: u.IdleTimeout, H2C: u.Protocol == "h2c", Std: u.Transport == "std", Resolve: true,
	}
}

// versionOf is the number of a version of TLS (RFC 8446 section 4.2.1); 0 for the default.
func versionOf(name string) uint16 {
	return map[string]uint16{"1.0": tls.VersionTLS10, "1.1": tls.VersionTLS11, "1.2": tls.VersionTLS12, "1.3": tls.VersionTLS13}[name]
}

// tlsOf returns how TLS is spoken.
func tlsOf(t config.TLS) dial.TLS {
	return dial.TLS{
		CAFile: t.CAFile, CertFile: t.CertFile, KeyFile: t.KeyFile, ServerName: t.ServerName,
		MinVersion: versionOf(t.MinVersion), CipherSuites: strings.Join(t.CipherSuites, ","), InsecureSkipVerify: t.InsecureSkipVerify,
	}
}
