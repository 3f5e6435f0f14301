package server

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"authproxy/cmd/authproxy/internal/admin"
	"authproxy/cmd/authproxy/internal/config"
	"authproxy/cmd/authproxy/internal/dial"
	"authproxy/cmd/authproxy/internal/follow"
	"authproxy/cmd/authproxy/internal/logs"
	"authproxy/proxy"
	"authproxy/tokencache"
	"authproxy/tokencache/endpoint"
	"authproxy/tokencache/shared"
)

// token is one token of the configuration.
type token struct {
	cfg         config.Token
	connections *dial.Pool // to the endpoint
	endpoint    *endpoint.Endpoint
	cache       *tokencache.Cache
	shared      *shared.Source // nil: its tokens are its own
	stopWatch   atomic.Pointer[context.CancelFunc]
}

// newToken makes a token's endpoint and cache. The cache is told when the secrets
// are exchanged, which are read at each token request anyway.
func (g *generation) newToken(t config.Token) (*token, error) {
	made, log := &token{cfg: t}, g.log.With("token", t.Name)
	g.followToken(made, log)
	var err error
	if made.connections, err = dial.New(tokenDial(t)); err != nil {
		return nil, err
	}
	if made.endpoint, err = newEndpoint(t, made.connections, g.agent, g.log, nil); err != nil {
		return nil, err
	}
	var source tokencache.Source = made.endpoint
	if made.shared = g.shareOf(t, source); made.shared != nil {
		source = made.shared
	}
	made.cache = tokencache.New(tokencache.Options{
		Look: made.look(), Source: source, Timeout: t.Timeout, ExpiryBuffer: t.ExpiryBuffer, DefaultTTL: t.DefaultTTL,
		MinRefreshInterval: t.MinRefreshInterval, Repeats: t.Reissue == config.ReissueSame, Kills: t.OldToken == config.OldTokenDies,
		Observers: []tokencache.Observer{g.metrics.Token(t.Name), g.history.Token(t.Name), logs.Fetches(g.log, t.Name)},
	})
	g.metrics.TokenState(t.Name, made.cache.State)
	return made, nil
}

// tokenOf returns the token of the generation before, with everything it knows, where
// nothing about it has changed, and else a new one.
func (g *generation) tokenOf(t config.Token) (*token, error) {
	if g.previous == nil || g.previous.store != g.store {
		return g.newToken(t)
	}
	kept := g.previous.tokens[t.Name]
	if kept == nil || kept.cfg.Digest() != t.Digest() {
		return g.newToken(t)
	}
	log := g.log.With("token", t.Name)
	g.followToken(kept, log)
	return kept, nil
}

// followToken has the files of t followed for as long as g lives.
func (g *generation) followToken(t *token, log *slog.Logger) {
	g.followTLS(tlsOf(t.cfg.TLS), func() error { return t.connections.Renew() }, func() *slog.Logger { return log })
	if files := secretFiles(t.cfg); len(files) > 0 {
		g.files.Add(files, func() { t.credentialsChanged(log); t.watch(g.watching, log) })
	}
}

// tokenIdle is for how long a connection to a token endpoint is kept: below the
// minute after which most servers close.
const tokenIdle = 50 * time.Second

// tokenDial returns how the token endpoint is spoken to.
func tokenDial(t config.Token) dial.Options {
	return dial.Options{Proxy: text(t.ProxyURL), TLS: tlsOf(t.TLS), Connect: t.Timeout, Idle: 1, IdleTime: tokenIdle}
}

// secretFiles returns the files that hold the credentials of t, in one order.
func secretFiles(t config.Token) []string {
	var files []string
	for _, secret := range t.Credentials {
		if secret.File() != "" {
			files = append(files, secret.File())
		}
	}
	slices.Sort(files)
	return files
}

func (t *token) credentialsChanged(log *slog.Logger) {
	t.cache.CredentialsChanged()
	if _, err := readCredentials(t.cfg.Credentials); err != nil {
		log.Warn("the credentials cannot be read; a token that is held serves until it expires", "error", err, "hint", follow.Hint(err))
		return
	}
	log.Info("credentials changed")
}

func newEndpoint(t config.Token, connections http.RoundTripper, agent string, log *slog.Logger, show func(Exchange)) (*endpoint.Endpoint, error) {
	return endpoint.New(endpoint.Options{
		Show: show,
		Name: t.Name, Params: t.Params, Transport: connections, Observers: []endpoint.Observer{logs.TokenRequests(log, t.Name)},
		UserAgent:   agent,
		Secrets:     t.SecretNames(),
		Values:      endpointValues(t.Values),
		Credentials: func() (map[string]string, error) { return readCredentials(t.Credentials) },
		JWT:         endpointJWT(t.JWT),
		Token:       t.Given,
		Request:     endpointRequestOrNone(t.Request),
		Refresh:     endpointRequest(t.Refresh),
		Force:       endpointRequest(t.Force), ForceInterval: t.MinRefreshInterval,
		Check:  endpointRequest(t.Check),
		Revoke: endpointRequest(t.Revoke),
		Response: endpoint.Response{
			Token: endpoint.Selector(t.Response.Token), TokenType: endpoint.Selector(t.Response.TokenType),
			ExpiresIn: endpoint.Selector(t.Response.ExpiresIn.Place), ExpiresJWT: t.Response.ExpiresIn.JWT,
			ExpiresUnit: t.Response.ExpiresUnit.Word, ExpiresLayout: t.Response.ExpiresUnit.Layout, ExpiresZone: t.Response.ExpiresUnit.Location(),
			RefreshToken: endpoint.Selector(t.Response.RefreshToken),
			Status:       t.Response.Status, OK: t.Response.OK, Refused: t.Response.Refused, Busy: t.Response.Busy,
			Error: selectors(t.Response.Error), Describe: selectors(t.Response.Describe),
		},
	})
}

func endpointValues(values config.Values) []endpoint.Value {
	var all []endpoint.Value
	for _, v := range values {
		all = append(all, endpoint.Value{Name: v.Name, Text: v.Text, Time: v.Time, Zone: v.Location(), Hash: v.Hash, HMAC: v.HMAC, Key: v.Key, As: v.As})
	}
	return all
}

func endpointJWT(j *config.JWT) *endpoint.JWT {
	if j == nil {
		return nil
	}
	return &endpoint.JWT{Alg: j.Alg, Key: j.Key, Header: j.Header, Claims: j.Claims, Lifetime: j.Lifetime, Backdate: j.Backdate}
}

func endpointRequestOrNone(r *config.Request) endpoint.Request {
	if r == nil {
		return endpoint.Request{}
	}
	return *endpointRequest(r)
}

func endpointRequest(r *config.Request) *endpoint.Request {
	if r == nil {
		return nil
	}
	return &endpoint.Request{
		Method: r.Method, URL: r.URL, Auth: r.Auth, Headers: r.Headers, Query: r.Query, Form: r.Form, JSON: r.JSON,
		OK: r.OK,
	}
}

func selectors(places []config.Selector) []endpoint.Selector {
	all := make([]endpoint.Selector, len(places))
	for i, place := range places {
		all[i] = endpoint.Selector(place)
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

func (s tokenSource) ReplaceWhenDue(ctx context.Context, rejected string) (proxy.Token, error) {
	return translate(s.cache.ReplaceWhenDue(ctx, rejected))
}

func (s tokenSource) Accept(value string) { s.cache.Accept(value) }

func (s tokenSource) Cured(t proxy.Token) {
	s.cache.Cured(tokencache.Token{Value: t.Value, Caused: t.Caused})
}

func (s tokenSource) Futile(t proxy.Token) {
	s.cache.Futile(tokencache.Token{Value: t.Value, Caused: t.Caused})
}

func translate(t tokencache.Token, err error) (proxy.Token, error) {
	if errors.Is(err, tokencache.ErrWaited) {
		err = waited{err}
	}
	return proxy.Token{Value: t.Value, Type: t.Type, Fingerprint: t.Fingerprint(), Issued: t.Issued, Caused: t.Caused}, err
}

// waited is an error that the proxy takes for its own ErrTokenTimeout.
type waited struct{ error }

func (w waited) Is(target error) bool { return target == proxy.ErrTokenTimeout }
func (w waited) Unwrap() error        { return w.error }

func (g *generation) tokenStatus() []admin.TokenStatus {
	all := make([]admin.TokenStatus, 0, len(g.tokens))
	for name, t := range g.tokens {
		s := t.cache.State()
		all = append(all, admin.TokenStatus{Name: name, Fingerprint: s.Fingerprint, Expiry: s.Expiry, InUse: s.Used, Err: s.Err})
	}
	return all
}

func (g *generation) revoke(t *token, held tokencache.Token) {
	ctx, cancel := context.WithTimeout(context.Background(), t.cfg.Timeout)
	defer cancel()
	if err := t.endpoint.Revoke(ctx, held); err != nil {
		g.log.Warn("token not revoked", "token", t.cfg.Name, "error", err)
		return
	}
	g.log.Info("token revoked", "token", t.cfg.Name, "fingerprint", held.Fingerprint())
}
