package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"authproxy/cmd/authproxy/internal/admin"
	"authproxy/cmd/authproxy/internal/config"
	"authproxy/cmd/authproxy/internal/metrics"
	"authproxy/proxy"
	"authproxy/tokencache"
	"authproxy/tokencache/endpoint"
)

// app is a configuration come to life: this file is the one place that knows
// every room.
type app struct {
	cfg     *config.Config
	log     *slog.Logger
	metrics *metrics.Metrics
	tokens  map[string]*token
	gates   map[string]*proxy.Gate  // by listener
	doors   map[string]http.Handler // the guard before each gate
	ready   func() error            // nil while requests are served
}

// token is one token of the configuration.
type token struct {
	cfg      config.Token
	endpoint *endpoint.Endpoint
	cache    *tokencache.Cache
}

func newApp(cfg *config.Config, logTo io.Writer) (*app, error) {
	a := &app{cfg: cfg, log: newLogger(cfg.Log, logTo), tokens: map[string]*token{}, gates: map[string]*proxy.Gate{}, doors: map[string]http.Handler{}}
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
	routes := map[string][]proxy.Route{}
	hosts := slices.Clone(a.cfg.AllowedHosts)
	for i, u := range a.cfg.Upstreams {
		h, err := a.newUpstream(u)
		if err != nil {
			return fmt.Errorf("upstream %q: %w", u.Name, err)
		}
		hosts = append(hosts, u.Hosts...)
		address := listenerOf(a.cfg, i)
		routes[address] = append(routes[address], proxy.Route{Hosts: u.Hosts, Path: escaped(u.Path), Handler: h})
	}
	unrouted := observers{a.metrics.Unrouted(), newAccessLog(a.log, a.cfg.Log.Access)}
	for address, rs := range routes {
		guard := proxy.Guard{Hosts: hosts, Origins: a.cfg.AllowedOrigins, AnyHost: strings.HasPrefix(address, "unix:")}
		a.gates[address] = proxy.NewGate(proxy.NewRouter(rs, unrouted), unrouted)
		a.doors[address] = proxy.NewGuard(guard, a.gates[address], unrouted)
	}
	return nil
}

// escaped returns a path as it stands in a request line.
func escaped(path string) string { return (&url.URL{Path: path}).EscapedPath() }

// newToken makes a token's endpoint and cache.
func (a *app) newToken(t config.Token) (*token, error) {
	e, err := newEndpoint(t)
	if err != nil {
		return nil, err
	}
	made := &token{cfg: t, endpoint: e}
	var count func(tokencache.Fetch)
	made.cache = tokencache.New(tokencache.Options{
		Source: e, Timeout: t.Timeout, ExpiryBuffer: t.ExpiryBuffer, DefaultTTL: t.DefaultTTL,
		MinRefreshInterval: t.MinRefreshInterval, Repeats: t.Reissue == config.ReissueSame, Kills: t.OldToken == config.OldTokenDies,
		Observe: func(f tokencache.Fetch) {
			count(f)
			logFetch(a.log, t.Name, f)
		},
	})
	count = a.metrics.Token(t.Name, made.cache.State)
	return made, nil
}

func newEndpoint(t config.Token) (*endpoint.Endpoint, error) {
	transport, err := newTransport(transportOptions{tls: t.TLS, proxy: t.ProxyURL, connect: t.Timeout, idle: 1})
	if err != nil {
		return nil, err
	}
	return endpoint.New(endpoint.Options{
		Name: t.Name, Params: t.Params, Transport: transport,
		Credentials: func() (map[string]string, error) { return readCredentials(t.Credentials) },
		Request:     *endpointRequest(&t.Request),
		Refresh:     endpointRequest(t.Refresh),
		Check:       endpointRequest(t.Check),
		Revoke:      endpointRequest(t.Revoke),
		Response: endpoint.Response{
			Token: endpoint.Selector(t.Response.Token), TokenType: endpoint.Selector(t.Response.TokenType),
			ExpiresIn: endpoint.Selector(t.Response.ExpiresIn), ExpiresUnit: t.Response.ExpiresUnit,
			RefreshToken: endpoint.Selector(t.Response.RefreshToken),
			OK:           endpointMatches(t.Response.OK), Error: t.Response.Error,
		},
	})
}

func endpointRequest(r *config.Request) *endpoint.Request {
	if r == nil {
		return nil
	}
	return &endpoint.Request{
		Method: r.Method, URL: r.URL, Auth: r.Auth, Headers: r.Headers, Query: r.Query, Form: r.Form, JSON: r.JSON,
		OK: endpointMatches(r.OK),
	}
}

func endpointMatches(ms []config.Match) []endpoint.Match {
	all := make([]endpoint.Match, len(ms))
	for i, m := range ms {
		all[i] = endpoint.Match{Path: m.Path, Values: m.Values}
	}
	return all
}

func readCredentials(secrets map[string]config.Secret) (map[string]string, error) {
	values := make(map[string]string, len(secrets))
	for name, secret := range secrets {
		v, err := secret.Read()
		if err != nil {
			return nil, err
		}
		values[name] = v
	}
	return values, nil
}

// newUpstream makes the handler of an upstream.
func (a *app) newUpstream(u config.Upstream) (http.Handler, error) {
	transport, err := follow(u.URL, transportOptions{
		tls: u.TLS, proxy: u.ProxyURL, connect: u.ConnectTimeout, header: u.ResponseHeaderTimeout,
		idle: u.MaxIdleConns, h2c: u.Protocol == "h2c", socket: u.Socket,
	})
	if err != nil {
		return nil, err
	}
	matches := make([]proxy.Match, len(u.InvalidToken.Body))
	for i, m := range u.InvalidToken.Body {
		matches[i] = proxy.Match{Path: m.Path, Values: m.Values}
	}
	strip := ""
	if u.StripPath {
		strip = escaped(u.Path)
	}
	return proxy.New(proxy.Options{
		Name: u.Name, Target: u.URL, Tokens: tokenSource{a.tokens[u.Token].cache}, Transport: transport,
		Inject:  proxy.Inject(u.Inject),
		Refusal: proxy.Refusal{Status: u.InvalidToken.Status, Body: matches, Header: u.InvalidToken.Header},
		Retry:   proxy.Retry{Disabled: !u.Retry.Enabled, BodyLimit: u.Retry.BodyLimit},
		Headers: proxy.Headers(u.Headers), Query: proxy.Query(u.Query),
		StripPrefix: strip, PreserveHost: u.PreserveHost, KeepLocation: !u.RewriteLocation, Upgrades: u.Upgrade,
		MaxInFlight: u.MaxInFlight, Origins: a.cfg.AllowedOrigins,
		Observer: observers{a.metrics.Upstream(u.Name), newAccessLog(a.log, a.cfg.Log.Access)},
		ErrorLog: slog.NewLogLogger(a.log.Handler(), slog.LevelDebug),
	})
}

// tokenSource is a cache as the proxy wants it.
type tokenSource struct{ cache *tokencache.Cache }

func (s tokenSource) Token(ctx context.Context) (proxy.Token, error) {
	return translate(s.cache.Token(ctx))
}

func (s tokenSource) Replace(ctx context.Context, rejected string) (proxy.Token, error) {
	return translate(s.cache.Replace(ctx, rejected))
}

func (s tokenSource) Accept(value string) { s.cache.Accept(value) }

func translate(t tokencache.Token, err error) (proxy.Token, error) {
	if errors.Is(err, tokencache.ErrWaited) {
		err = waited{err}
	}
	return proxy.Token{Value: t.Value, Type: t.Type, Fingerprint: t.Fingerprint()}, err
}

// waited is an error that the proxy takes for its own ErrTokenTimeout.
type waited struct{ error }

func (w waited) Is(target error) bool { return target == proxy.ErrTokenTimeout }
func (w waited) Unwrap() error        { return w.error }

// observers tells several of each request.
type observers []proxy.Observer

func (os observers) Started() {
	for _, o := range os {
		o.Started()
	}
}

func (os observers) Finished(r *proxy.Record) {
	for _, o := range os {
		o.Finished(r)
	}
}

// adminHandler makes the admin listener's handler.
func (a *app) adminHandler() http.Handler {
	return admin.New(admin.Options{
		Metrics: a.metrics.Handler(),
		Ready:   a.ready,
		Tokens:  a.tokenStatus,
	})
}

func (a *app) tokenStatus() []admin.TokenStatus {
	all := make([]admin.TokenStatus, 0, len(a.tokens))
	for name, t := range a.tokens {
		s := t.cache.State()
		all = append(all, admin.TokenStatus{Name: name, Fingerprint: s.Fingerprint, Expiry: s.Expiry, InUse: s.Used, Err: s.Err})
	}
	return all
}

// close ends what goes on without requests, and gives back the tokens that
// are to be revoked on exit.
func (a *app) close() {
	for name, t := range a.tokens {
		t.cache.Close()
		held := t.cache.Held()
		if !t.cfg.RevokeOnExit || held.Value == "" || time.Now().After(held.Expiry) {
			continue
		}
		ctx, cancel := context.WithTimeout(context.Background(), t.cfg.Timeout)
		if err := t.endpoint.Revoke(ctx, held); err != nil {
			a.log.Warn("token not revoked", "token", name, "error", err)
		}
		cancel()
	}
}
