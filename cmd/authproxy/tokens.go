package main

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/ohler55/ojg/jp"

	"authproxy/cmd/authproxy/internal/admin"
	"authproxy/cmd/authproxy/internal/config"
	"authproxy/internal/jsonpath"
	"authproxy/proxy"
	"authproxy/tokencache"
	"authproxy/tokencache/endpoint"
)

// token is one token of the configuration.
type token struct {
	cfg      config.Token
	endpoint *endpoint.Endpoint
	cache    *tokencache.Cache
}

// newToken makes a token's endpoint and cache.
func (a *app) newToken(t config.Token) (*token, error) {
	e, err := newEndpoint(t, a.log)
	if err != nil {
		return nil, err
	}
	made := &token{cfg: t, endpoint: e}
	var count func(tokencache.Fetch)
	made.cache = tokencache.New(tokencache.Options{
		Source: e, Timeout: t.Timeout, ExpiryBuffer: t.ExpiryBuffer, DefaultTTL: t.DefaultTTL,
		MinRefreshInterval: t.MinRefreshInterval, Repeats: t.Reissue == config.ReissueSame, Kills: t.OldToken == config.OldTokenDies,
		Observers: []tokencache.Observer{tokencache.ObserverFunc(func(tokencache.Start) func(tokencache.Fetch) {
			return func(f tokencache.Fetch) {
				count(f)
				logFetch(a.log, t.Name, f)
			}
		})},
	})
	count = a.metrics.Token(t.Name, made.cache.State)
	return made, nil
}

func newEndpoint(t config.Token, log *slog.Logger) (*endpoint.Endpoint, error) {
	transport, err := newTransport(transportOptions{
		tls: t.TLS, warn: certificateWarning(log.With("token", t.Name)), proxy: t.ProxyURL, connect: t.Timeout, idle: 1,
	})
	if err != nil {
		return nil, err
	}
	return endpoint.New(endpoint.Options{
		Name: t.Name, Params: t.Params, Transport: transport,
		Observers: []endpoint.Observer{endpoint.ObserverFunc(func(endpoint.Start) func(endpoint.Record) {
			return func(r endpoint.Record) { logTokenRequest(log, t.Name, r) }
		})},
		Secrets:     []string{"client_id", "client_secret", "username", "password"},
		Credentials: func() (map[string]string, error) { return readCredentials(t.Credentials) },
		Request:     *endpointRequest(&t.Request),
		Refresh:     endpointRequest(t.Refresh),
		Check:       endpointRequest(t.Check),
		Revoke:      endpointRequest(t.Revoke),
		Response: endpoint.Response{
			Token: endpointSelector(t.Response.Token), TokenType: endpointSelector(t.Response.TokenType),
			ExpiresIn: endpointSelector(t.Response.ExpiresIn), ExpiresUnit: t.Response.ExpiresUnit,
			RefreshToken: endpointSelector(t.Response.RefreshToken),
			OK:           endpointMatches(t.Response.OK), Error: endpointPaths(t.Response.Error),
		},
	})
}

func endpointSelector(s config.Selector) endpoint.Selector {
	return endpoint.Selector{Path: endpointPath(s.Path), Header: s.Header}
}

func endpointPaths(exprs []jp.Expr) []jsonpath.Path {
	var paths []jsonpath.Path
	for _, e := range exprs {
		paths = append(paths, endpointPath(e))
	}
	return paths
}

// endpointPath is the path that the configuration has checked.
func endpointPath(e jp.Expr) jsonpath.Path {
	path, _ := jsonpath.Parse(e.String())
	return path
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
		all[i] = endpoint.Match{Path: endpointPath(m.Path), Values: m.Values}
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
	return proxy.Token{Value: t.Value, Type: t.Type, Fingerprint: t.Fingerprint(), Issued: t.Issued}, err
}

// waited is an error that the proxy takes for its own ErrTokenTimeout.
type waited struct{ error }

func (w waited) Is(target error) bool { return target == proxy.ErrTokenTimeout }
func (w waited) Unwrap() error        { return w.error }

func (a *app) tokenStatus() []admin.TokenStatus {
	all := make([]admin.TokenStatus, 0, len(a.tokens))
	for name, t := range a.tokens {
		s := t.cache.State()
		all = append(all, admin.TokenStatus{Name: name, Fingerprint: s.Fingerprint, Expiry: s.Expiry, InUse: s.Used, Err: s.Err})
	}
	return all
}

// close ends what goes on without requests, and gives back the tokens that
// are to be revoked on exit, all at once.
func (a *app) close() {
	var ending sync.WaitGroup
	for _, t := range a.tokens {
		ending.Go(func() {
			t.cache.Close()
			if held := t.cache.Held(); t.cfg.RevokeOnExit && held.Value != "" && time.Now().Before(held.Expiry) {
				a.revoke(t, held)
			}
			t.endpoint.Close()
		})
	}
	ending.Wait()
	a.access.close()
}

func (a *app) revoke(t *token, held tokencache.Token) {
	ctx, cancel := context.WithTimeout(context.Background(), t.cfg.Timeout)
	defer cancel()
	if err := t.endpoint.Revoke(ctx, held); err != nil {
		a.log.Warn("token not revoked", "token", t.cfg.Name, "error", err)
		return
	}
	a.log.Info("token revoked", "token", t.cfg.Name, "fingerprint", held.Fingerprint())
}
