package main

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"slices"

	"authproxy/cmd/authproxy/internal/admin"
	"authproxy/cmd/authproxy/internal/config"
	"authproxy/cmd/authproxy/internal/dial"
	"authproxy/cmd/authproxy/internal/metrics"
	"authproxy/internal/jsonpath"
	"authproxy/proxy"
	"authproxy/proxy/door"
)

// app is a configuration come to life: this file is the one place that knows
// every room.
type app struct {
	cfg     *config.Config
	log     *slog.Logger
	metrics *metrics.Metrics
	tokens  map[string]*token
	gates   map[string]*door.Gate   // by listener
	doors   map[string]http.Handler // the guard before each gate
	access  *accessLog
	ready   func() error // nil while requests are served
}

func newApp(cfg *config.Config, logTo io.Writer) (*app, error) {
	a := &app{cfg: cfg, log: newLogger(cfg.Log, logTo), tokens: map[string]*token{}, gates: map[string]*door.Gate{}, doors: map[string]http.Handler{}}
	a.access = newAccessLog(a.log, cfg.Log.Access)
	v := thisVersion()
	a.metrics = metrics.New(metrics.BuildInfo{Version: v.Version, Revision: v.Revision})
	for _, t := range cfg.Tokens {
		made, err := a.newToken(t)
		if err != nil {
			return nil, fmt.Errorf("token %q: %w", t.Name, err)
		}
		a.tokens[t.Name] = made
	}
	return a, a.open()
}

// open makes the handlers of the listeners: the guard, the gate, the router
// and behind them the upstreams.
func (a *app) open() error {
	routes := map[string][]door.Route{}
	preserved := map[string]bool{} // listeners whose callers say which Host goes upstream with the token
	hosts := slices.Clone(a.cfg.AllowedHosts)
	for i, u := range a.cfg.Upstreams {
		h, err := a.newUpstream(u)
		if err != nil {
			return fmt.Errorf("upstream %q: %w", u.Name, err)
		}
		hosts = append(hosts, u.Hosts...)
		address := listenerOf(a.cfg, i)
		preserved[address] = preserved[address] || u.PreserveHost
		routes[address] = append(routes[address], door.Route{Hosts: u.Hosts, Path: escaped(u.Path), Strict: len(u.Access) > 0, Handler: h})
	}
	unrouted := []proxy.Observer{a.metrics.Unrouted(), a.access}
	for address, rs := range routes {
		guard := door.Guard{Hosts: hosts, Origins: a.cfg.AllowedOrigins, AnyHost: isUnix(address) && !preserved[address]}
		a.gates[address] = door.NewGate(door.NewRouter(rs, unrouted...), unrouted...)
		known, err := a.onlyCallers(address, a.gates[address], unrouted...)
		if err != nil {
			return err
		}
		a.doors[address] = door.NewGuard(guard, known, unrouted...)
	}
	return nil
}

// escaped returns a path as it stands in a request line.
func escaped(path string) string { return (&url.URL{Path: path}).EscapedPath() }

// newUpstream makes the handler of an upstream.
func (a *app) newUpstream(u config.Upstream) (http.Handler, error) {
	transport, err := follow(u.URL, transportOptions{
		tls: u.TLS, warn: certificateWarning(a.log.With("upstream", u.Name)), proxy: u.ProxyURL, connect: u.ConnectTimeout, header: u.ResponseHeaderTimeout,
		idle: u.MaxIdleConns, h2c: u.Protocol == "h2c", socket: u.Socket,
	})
	if err != nil {
		return nil, err
	}
	authorizer, err := authorizerOf(u.Inject)
	if err != nil {
		return nil, err
	}
	matches := make([]proxy.Match, len(u.InvalidToken.Body))
	for i, m := range u.InvalidToken.Body {
		path, err := jsonpath.Parse(m.Text)
		if err != nil {
			return nil, fmt.Errorf("%q: %w", m.Text, err)
		}
		matches[i] = proxy.Match{Path: path, Values: m.Values}
	}
	strip := ""
	if u.StripPath {
		strip = escaped(u.Path)
	}
	return proxy.New(proxy.Options{
		Name: u.Name, Target: u.URL, Tokens: tokenSource{a.tokens[u.Token].cache}, Transport: dial.Reasoned(transport),
		Authorizer: authorizer,
		Refusal:    proxy.Refusal{Status: u.InvalidToken.Status, Body: matches, Header: u.InvalidToken.Header},
		Retry:      proxy.Retry{Disabled: !u.Retry.Enabled, BodyLimit: u.Retry.BodyLimit},
		Headers:    proxy.Headers(u.Headers), Query: proxy.Query(u.Query),
		StripPrefix: strip, PreserveHost: u.PreserveHost, KeepLocation: !u.RewriteLocation, Upgrades: u.Upgrade,
		Access: accessRules(u.Access), MaxInFlight: u.MaxInFlight, Origins: a.cfg.AllowedOrigins,
		Observers: []proxy.Observer{a.metrics.Upstream(u.Name), a.access},
	})
}

// authorizerOf returns the place of the token.
func authorizerOf(i config.Inject) (proxy.Authorizer, error) {
	if i.Query != "" {
		return proxy.InQuery(i.Query)
	}
	return proxy.InHeader(i.Header, i.Scheme)
}

// adminHandler makes the admin listener's handler.
func (a *app) adminHandler() (http.Handler, error) {
	h := admin.New(admin.Options{
		Metrics: a.metrics.Handler(),
		Ready:   a.ready,
		Tokens:  a.tokenStatus,
	})
	return a.onlyPeers(h)
}
