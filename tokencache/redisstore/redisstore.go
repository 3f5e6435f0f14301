// Package redisstore shares tokens over Redis, or what speaks its protocol.
package redisstore

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/bsm/redislock"
	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"authproxy/tokencache/shared"
)

// Options describe a [Store].
type Options struct {
	// URL is redis://user:password@host:port/db, or rediss:// for TLS, or unix://path;
	// master_name=NAME in its query makes the hosts (those of addr= as well) Sentinels, and
	// addr=host:port alone a Cluster.
	URL string
	// Prefix begins every key and channel.
	Prefix string
	// TLS is used with rediss://; nil: that of crypto/tls.
	TLS *tls.Config
	// Timeout bounds connecting, each command, and the wait for a connection.
	Timeout time.Duration
}

// Store is a [shared.Store] and a [shared.Herald]. It is safe for concurrent use.
type Store struct {
	client redis.UniversalClient
	locks  *redislock.Client
	prefix string
	limit  time.Duration
}

var (
	_ shared.Store  = (*Store)(nil)
	_ shared.Herald = (*Store)(nil)
)

// ErrURL is the error of [New] for a URL that is none; it says nothing of the password.
var ErrURL = errors.New("is not a URL of Redis: write redis://[user:password@]host:port[/db], rediss:// for TLS; master_name=NAME behind a ? for Sentinel, addr=host:port for further nodes of a Cluster")

// quiet keeps the client from writing to standard error, which is a log of ours.
type quiet struct{}

// Printf writes nothing.
func (quiet) Printf(context.Context, string, ...any) {}

var silence = sync.OnceFunc(func() { redis.SetLogger(quiet{}) })

// New returns a store, and connects to nothing yet.
func New(o Options) (*Store, error) {
	silence()
	client, err := o.client()
	if err != nil {
		return nil, ErrURL
	}
	return &Store{client: client, locks: redislock.New(client), prefix: o.Prefix, limit: o.Timeout}, nil
}

// client returns the client of the kind that the URL asks for.
func (o Options) client() (redis.UniversalClient, error) {
	u, err := url.Parse(o.URL)
	if err != nil {
		return nil, err
	}
	none := &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	switch query := u.Query(); {
	case query.Has("master_name"):
		f, err := redis.ParseFailoverURL(o.URL)
		if err != nil {
			return nil, err
		}
		f.DialTimeout, f.ReadTimeout, f.WriteTimeout, f.PoolTimeout = o.Timeout, o.Timeout, o.Timeout, o.Timeout
		f.MaxRetries, f.DialerRetries, f.DisableIdentity = -1, 1, true
		f.TLSConfig = o.secure(f.TLSConfig)
		return redis.NewFailoverClient(f), nil
	case query.Has("addr"):
		c, err := redis.ParseClusterURL(o.URL)
		if err != nil {
			return nil, err
		}
		c.DialTimeout, c.ReadTimeout, c.WriteTimeout, c.PoolTimeout = o.Timeout, o.Timeout, o.Timeout, o.Timeout
		c.DialerRetries, c.DisableIdentity, c.MaintNotificationsConfig = 1, true, none
		c.TLSConfig = o.secure(c.TLSConfig)
		return redis.NewClusterClient(c), nil
	}
	c, err := redis.ParseURL(o.URL)
	if err != nil {
		return nil, err
	}
	c.DialTimeout, c.ReadTimeout, c.WriteTimeout, c.PoolTimeout = o.Timeout, o.Timeout, o.Timeout, o.Timeout
	c.MaxRetries, c.DialerRetries, c.DisableIdentity, c.MaintNotificationsConfig = -1, 1, true, none
	c.TLSConfig = o.secure(c.TLSConfig)
	return redis.NewClient(c), nil
}

// secure returns our TLS for the one that the URL asked for; nil when it did not.
func (o Options) secure(asked *tls.Config) *tls.Config {
	if asked == nil || o.TLS == nil {
		return asked
	}
	own := o.TLS.Clone()
	if own.ServerName == "" {
		own.ServerName = asked.ServerName
	}
	return own
}

// Close gives up all connections.
func (s *Store) Close() error { return s.client.Close() }

// Ping tells whether the store can be used: its error says what to do.
func (s *Store) Ping(ctx context.Context) error {
	const key, life = "check", time.Second
	ctx, cancel := context.WithTimeout(ctx, 4*s.limit)
	defer cancel()
	if err := s.Save(ctx, key, []byte("1"), life); err != nil {
		return err
	}
	if _, err := s.Load(ctx, key); err != nil && !errors.Is(err, shared.ErrNotFound) {
		return err
	}
	unlock, err := s.Lock(ctx, key)
	if err != nil {
		return err
	}
	unlock()
	return s.Announce(ctx, key)
}

// Load implements [shared.Store].
func (s *Store) Load(ctx context.Context, key string) ([]byte, error) {
	value, err := s.client.Get(ctx, s.prefix+key).Bytes()
	if errors.Is(err, redis.Nil) {
		return nil, shared.ErrNotFound
	}
	return value, s.explain(err)
}

// Save implements [shared.Store].
func (s *Store) Save(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	return s.explain(s.client.Set(ctx, s.prefix+key, value, max(ttl, time.Millisecond)).Err())
}

// How long a lock lasts whose owner has died, how often a living one renews it, and how
// often it is asked for.
const (
	lockLife  = 5 * time.Second
	lockRenew = lockLife / 3
	lockRetry = 25 * time.Millisecond
)

// Lock implements [shared.Store].
func (s *Store) Lock(ctx context.Context, key string) (unlock func(), err error) {
	lock, err := s.locks.Obtain(ctx, s.prefix+key+":lock", lockLife, &redislock.Options{RetryStrategy: redislock.LinearBackoff(lockRetry)})
	if err != nil {
		return nil, s.explain(err)
	}
	renewing, stop := context.WithCancel(context.Background())
	go s.renew(renewing, lock)
	return func() {
		stop()
		ctx, cancel := context.WithTimeout(context.Background(), s.limit)
		defer cancel()
		_ = lock.Release(ctx) // else it ends by itself
	}, nil
}

// renew keeps lock until ctx ends.
func (s *Store) renew(ctx context.Context, lock *redislock.Lock) {
	tick := time.NewTicker(lockRenew)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			_ = lock.Refresh(ctx, lockLife, nil) // one that is lost is taken by another: then both ask
		}
	}
}

// Announce implements [shared.Herald]. What is told is that there is something new.
func (s *Store) Announce(ctx context.Context, key string) error {
	return s.explain(s.client.Publish(ctx, s.channel(key), "new").Err())
}

func (s *Store) channel(key string) string { return s.prefix + key + ":news" }

// Watch implements [shared.Herald]. It connects again by itself.
func (s *Store) Watch(ctx context.Context, key string, heard func()) {
	news := s.client.Subscribe(ctx, s.channel(key))
	defer news.Close()
	// Redis keeps nothing for those who do not listen, so each new subscription counts as news.
	all := news.ChannelWithSubscriptions()
	for {
		select {
		case <-ctx.Done():
			return
		case _, open := <-all:
			if !open {
				return
			}
			heard()
		}
	}
}

// explain returns err with what to do about it. What the server says is quoted: it names
// commands, keys and users, and no password.
func (s *Store) explain(err error) error {
	var todo string
	switch {
	case err == nil:
		return nil
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return fmt.Errorf("redis did not answer in time: see whether it is overloaded, or raise store.timeout: %w", err)
	case redis.IsAuthError(err):
		todo = "check user and password in store.redis.url"
	case redis.IsPermissionError(err), strings.Contains(err.Error(), "can't run this command"):
		todo = fmt.Sprintf("give this user what it needs: ACL SETUSER NAME ~%s* &%s* +get +set +getrange +pexpire +del +eval +evalsha +publish +subscribe", s.prefix, s.prefix)
	case redis.IsReadOnlyError(err):
		todo = "it is a replica: give the address of the master, or Sentinel's with master_name"
	case redis.IsOOMError(err):
		todo = "it is full: give it more memory, or a maxmemory-policy that evicts"
	case redis.IsLoadingError(err), redis.IsMasterDownError(err), redis.IsClusterDownError(err), redis.IsTryAgainError(err):
		todo = "it is starting or failing over: wait"
	case errors.Is(err, io.EOF), errors.Is(err, redis.ErrClosed):
		todo = "it closed the connection: see its log, and whether it wants TLS (rediss://)"
	default:
		todo = "check host and port in store.redis.url, the network, and tls"
	}
	return fmt.Errorf("redis: %w: %s", err, todo)
}
