package server

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/url"
	"path/filepath"
	"sync/atomic"

	"authproxy/cmd/authproxy/internal/config"
	"authproxy/cmd/authproxy/internal/dial"
	"authproxy/tokencache"
	"authproxy/tokencache/filestore"
	"authproxy/tokencache/redisstore"
	"authproxy/tokencache/shared"
)

// store is where tokens are shared; nil: nowhere.
type store struct {
	shared.Store
	cfg     config.Store
	redis   *redisstore.Store // nil when it is a file
	address []*url.URL        // of Redis, for the sandbox
	anyPort bool              // its nodes say themselves where the others are
}

// openStore opens the store of the configuration; nil for none. A Redis is not connected
// to before it is needed.
func openStore(cfg config.Store) (*store, error) {
	switch {
	case cfg.IsZero():
		return nil, nil
	case cfg.File != "":
		file, err := filestore.Open(cfg.File)
		if err != nil {
			return nil, fmt.Errorf("store.file: %w", err)
		}
		return &store{Store: file, cfg: cfg}, nil
	}
	text, err := cfg.Redis.URL.Read()
	if err != nil {
		return nil, fmt.Errorf("store.redis.url: %w", err)
	}
	secure, err := dial.TLSConfig(tlsOf(cfg.Redis.TLS))
	if err != nil {
		return nil, fmt.Errorf("store.redis.tls: %w", err)
	}
	s, err := redisstore.New(redisstore.Options{URL: text, Prefix: cfg.Redis.KeyPrefix, TLS: secure, Timeout: cfg.Timeout})
	if err != nil {
		return nil, fmt.Errorf("store.redis.url: %w", err)
	}
	opened := &store{Store: s, cfg: cfg, redis: s}
	opened.place(text)
	return opened, nil
}

// place notes where Redis is.
func (s *store) place(text string) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme == "unix" {
		return
	}
	if u.Port() == "" {
		u.Host += ":6379"
	}
	s.address = []*url.URL{{Scheme: "http", Host: u.Host}}
	s.anyPort = u.Query().Has("master_name") || u.Query().Has("addr")
}

// kind is the key of the configuration that names it.
func (s *store) kind() string {
	if s.redis != nil {
		return "redis"
	}
	return "file"
}

// folder is that of the file; empty without one.
func (s *store) folder() string {
	if s == nil || s.cfg.File == "" {
		return ""
	}
	return filepath.Dir(s.cfg.File)
}

// Close gives up the connections.
func (s *store) Close() {
	if s != nil && s.redis != nil {
		_ = s.redis.Close()
	}
}

// share returns source with its tokens shared, and told tells of each operation. One that
// is asked for without credentials has nothing by which it could be sealed, and is not
// shared.
func (s *store) share(t config.Token, source tokencache.Source, told func(shared.Operation)) *shared.Source {
	if s == nil || len(t.Credentials) == 0 {
		return nil
	}
	return shared.New(shared.Options{
		Name: t.Name, Source: source, Store: s.Store, Credential: func() (shared.Credential, error) { return credentialOf(t) },
		Timeout: s.cfg.Timeout, DefaultTTL: t.DefaultTTL, Required: s.cfg.Required, Observer: told,
	})
}

// shareOf is share with what g tells.
func (g *generation) shareOf(t config.Token, source tokencache.Source) *shared.Source {
	if g.store == nil || t.Request == nil { // one that is given is everybody's already
		return nil
	}
	return g.store.share(t, source, g.talk.told)
}

// credentialOf names the credential of t: the same in every process that asks in the same
// way with the same secrets.
func credentialOf(t config.Token) (shared.Credential, error) {
	values, err := readCredentials(t.Credentials)
	if err != nil {
		return shared.Credential{}, err
	}
	secret, err := json.Marshal(values)
	if err != nil {
		return shared.Credential{}, err
	}
	all := []any{1, asked(t.Request), asked(t.Refresh), t.Params, values}
	if len(t.Values) > 0 || t.JWT != nil { // what has neither is known by what it always was
		all = append(all, t.Values, t.JWT)
	}
	way, err := json.Marshal(all)
	if err != nil {
		return shared.Credential{}, err
	}
	sum := sha256.Sum256(way)
	return shared.Credential{Key: hex.EncodeToString(sum[:16]), Secret: secret}, nil
}

// asked is how a request asks.
func asked(r *config.Request) any {
	if r == nil {
		return nil
	}
	return []any{r.Method, r.URL, r.Auth, r.Headers, r.Query, r.Form, r.JSON}
}

// storeTalk tells of the store once when it fails, and once when it works again.
type storeTalk struct {
	log    *slog.Logger
	failed atomic.Bool
	count  func(operation, result string)
	works  func() // it does so again
}

func (s *storeTalk) told(o shared.Operation) {
	s.count(o.Name, o.Result)
	switch {
	case o.Err != nil && s.failed.CompareAndSwap(false, true):
		s.log.Warn("the store cannot be used: tokens are had without it, by each process for itself", "operation", o.Name, "error", o.Err)
	case o.Err == nil && s.failed.CompareAndSwap(true, false):
		s.log.Info("the store works again")
		s.works()
	}
}

// shareIn opens the store, or takes the one of the generation before.
func (g *generation) shareIn(s *Server) (err error) {
	if old := g.previous; old != nil && old.cfg.Store.Digest() == g.cfg.Store.Digest() {
		g.store, g.talk = old.store, old.talk
		return nil
	}
	if g.store, err = openStore(g.cfg.Store); err != nil {
		return err
	}
	if g.store != nil {
		g.talk = &storeTalk{log: s.log, count: s.metrics.Store(), works: func() { s.gen().reunite() }}
	}
	return nil
}

// listenIn has the tokens hear from now on, and for as long as g lives, what other processes
// announce.
func (g *generation) listenIn() {
	for _, t := range g.tokens {
		t.watch(g.watching, g.log.With("token", t.cfg.Name))
	}
}

// reunite tells the tokens that those of other processes are at hand again.
func (g *generation) reunite() {
	for _, t := range g.tokens {
		if t != nil && t.shared != nil {
			t.cache.Reunited()
		}
	}
}

// look is what [tokencache.Options] asks for the tokens of other processes; nil when
// nothing is shared.
func (t *token) look() func(context.Context, tokencache.Token) (tokencache.Token, bool) {
	if t.shared == nil {
		return nil
	}
	return t.shared.Look
}

// watch offers the tokens that other processes announce to t, from now on until the
// credentials change or ctx ends.
func (t *token) watch(ctx context.Context, log *slog.Logger) {
	if t.shared == nil {
		return
	}
	ctx, stop := context.WithCancel(ctx)
	if before := t.stopWatch.Swap(&stop); before != nil {
		(*before)()
	}
	go t.shared.Watch(ctx, t.cache.Held, func(got tokencache.Token) {
		t.cache.Offer(got)
		log.Info("token of another process", "fingerprint", got.Fingerprint(), "expires", got.Expiry)
	})
}

// CheckStore tells whether the store of cfg can be used, and what to do if not.
func CheckStore(ctx context.Context, cfg *config.Config) error {
	s, err := openStore(cfg.Store)
	if err != nil || s == nil {
		return err
	}
	defer s.Close()
	if s.redis == nil {
		return nil
	}
	return s.redis.Ping(ctx)
}
