package config

import (
	"net/url"
	"strings"
	"time"

	"authproxy/cmd/authproxy/internal/config/tree"
)

// Store is where tokens are shared; at most one of File and Redis is set, and none: in memory alone.
type Store struct {
	File  string `yaml:"file"` // seen from the folder of the configuration file
	Redis Redis  `yaml:"redis"`
	// Timeout bounds each operation of the store.
	Timeout time.Duration `yaml:"timeout" default:"250ms" rule:"positive"`
	// Required: no fetch without the store.
	Required bool `yaml:"required"`
}

// IsZero says whether nothing is shared.
func (s Store) IsZero() bool { return s.File == "" && s.Redis.URL.IsZero() }

// Digest identifies the store, as [Token.Digest] does a token.
func (s Store) Digest() string { return digest(s) }

// Redis is a server of Redis, or of what speaks its protocol.
type Redis struct {
	URL       Secret    `yaml:"url"` // may hold a password; parser.store
	URLFile   elsewhere `yaml:"url_file"`
	KeyPrefix string    `yaml:"key_prefix" default:"authproxy:"` // begins every key and channel
	TLS       TLS       `yaml:"tls"`
}

// store reads what takes more than its own node.
func (p *parser) store(root *tree.Node, cfg *Config) {
	n := root.Child("store")
	cfg.Store.File = p.resolvePath(cfg.Store.File)
	at := n.Child("redis")
	off := at.Get("url") != nil && at.Get("url").Blank()
	if off {
		at = at.Without("url")
	}
	secret, given := p.secret(at, "url")
	cfg.Store.Redis.URL = secret
	p.tls(at.Child("tls"), &cfg.Store.Redis.TLS)
	switch {
	case given && cfg.Store.File != "":
		p.fault(n.Get("file"), "stands beside redis", "give the tokens one place")
	case at.Kind == tree.Mapping && !at.Empty() && !given && !off:
		p.fault(at.Missing("url", tree.Scalar), missing, "write redis://host:6379, or rediss:// for TLS; or url_file")
	case cfg.Store.Required && cfg.Store.IsZero():
		p.fault(n.Get("required"), "has no effect: there is no store", "name a file or a redis, or remove it")
	}
	if given {
		p.redisURL(at, secret)
	}
}

// redisURL judges the URL of a Redis. What it holds is not told.
func (p *parser) redisURL(at *tree.Node, secret Secret) {
	n := at.Get("url")
	if n == nil {
		n = at.Get("url_file")
	}
	text, err := secret.Read()
	if err != nil {
		return // a fault already
	}
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" && u.Scheme != "unix" || !contains([]string{"redis", "rediss", "unix"}, u.Scheme):
		p.fault(n, "is not a URL of Redis", "write redis://[user:password@]host:port[/db], or rediss:// for TLS; master_name=NAME behind a ? for Sentinel, addr=host:port for further nodes of a Cluster")
	case u.Scheme == "redis" && !isNear(u.Hostname()) && strings.Contains(u.Hostname(), "."):
		p.warn(n, "redis without TLS beyond loopback and private networks: its password can be read on the way", "use rediss:// if it speaks TLS")
	case u.Scheme != "rediss" && !at.Get("tls").Empty():
		p.warn(at.Get("tls"), "has no effect without TLS", "write rediss:// in url")
	}
}
