package config

import (
	"fmt"
	"net/url"
	"path"
	"strings"
	"time"
)

// Upstream is a platform to forward to, and which requests go there.
type Upstream struct {
	Name  string   `yaml:"name" rule:"required,name"` // unique
	Token string   `yaml:"token" rule:"required"`     // names a member of Config.Tokens
	URL   *url.URL `yaml:"url" manual:""`             // http or https, with a host; no query, no fragment

	// Socket is the path of the unix socket behind a url such as unix:/run/app.sock; URL then is
	// http://localhost.
	Socket string

	// Which requests: those to an own listener (like Config.Listen; empty: the common one; port 0 is
	// never shared), with one of these Host names (none: any), under this path ("/": any).
	Listen    string   `yaml:"listen" manual:""`
	Hosts     []string `yaml:"hosts" manual:""` // lower case, without port
	Path      string   `yaml:"path" default:"/" rule:"nonempty"`
	StripPath bool     `yaml:"strip_path"`

	Inject                Inject        `yaml:"inject"`
	InvalidToken          InvalidToken  `yaml:"invalid_token"`
	Retry                 Retry         `yaml:"retry"`
	Headers               Headers       `yaml:"headers"`
	Query                 Query         `yaml:"query"`
	Access                []Access      `yaml:"access"`                                     // none: everything passes
	Upgrade               []string      `yaml:"upgrade" default:"websocket" rule:"upgrade"` // Upgrade values that pass
	Protocol              string        `yaml:"protocol" default:"auto" oneof:"auto|h2c"`
	PreserveHost          bool          `yaml:"preserve_host"`
	RewriteLocation       bool          `yaml:"rewrite_location" default:"true"`
	AllowPlainHTTP        bool          `yaml:"allow_plain_http"`
	MaxInFlight           int           `yaml:"max_in_flight" default:"1024" rule:"positive"`
	ConnectTimeout        time.Duration `yaml:"connect_timeout" default:"5s" rule:"positive"`
	ResponseHeaderTimeout time.Duration `yaml:"response_header_timeout" default:"60s"` // 0: no limit
	MaxIdleConns          int           `yaml:"max_idle_conns" default:"256" rule:"positive"`
	ProxyURL              *url.URL      `yaml:"proxy_url"` // nil: none; may hold a password
	TLS                   TLS           `yaml:"tls"`
}

// InvalidToken says which answers mean that the token was refused. Any one of them is enough.
type InvalidToken struct {
	Status []int               `yaml:"status" default:"401" rule:"status"`
	Body   []Match             `yaml:"body"`                 // at any status
	Header map[string][]string `yaml:"header" keys:"header"` // header name to values
}

// Retry says whether a refused request is sent again.
type Retry struct {
	Enabled   bool  `yaml:"enabled" default:"true"`
	BodyLimit int64 `yaml:"body_limit" default:"1MiB"` // bytes of a request body that are kept for it
}

// inherited are the keys that an upstream takes from its token where it does not say otherwise.
type inherited struct {
	URL            string       `yaml:"url"`
	Inject         Inject       `yaml:"inject"`
	InvalidToken   InvalidToken `yaml:"invalid_token"`
	Headers        Headers      `yaml:"headers"`
	Query          Query        `yaml:"query"`
	AllowPlainHTTP bool         `yaml:"allow_plain_http"`
}

func (p *parser) upstreams(root *node, cfg *Config, tokens map[string]builtToken) {
	n := root.child("upstreams")
	if n.empty() {
		p.fault(n, "missing", "name at least one upstream")
	} else if n.kind != list {
		p.fault(n, "must be a list, not "+n.kind.String(), "begin each upstream with '- name: ...'")
	}
	first := map[string]string{}
	for _, item := range n.items {
		u := p.upstream(item, cfg, tokens)
		if at, taken := first[u.Name]; taken && u.Name != "" {
			p.fault(item.child("name"), "the same name as "+at, "give each upstream a name of its own")
		} else {
			first[u.Name] = item.path
		}
		cfg.Upstreams = append(cfg.Upstreams, u)
	}
}

func (p *parser) upstream(own *node, cfg *Config, tokens map[string]builtToken) Upstream {
	var u Upstream
	if own.kind != mapping {
		p.fault(own, "must be a mapping, not "+own.kind.String(), "")
		return u
	}
	token, known := tokens[own.child("token").text]
	n := own
	if token.upstream != nil && token.upstream.kind == mapping {
		n = layer(token.upstream, own, mergeUpstream)
	}
	p.fill(n, &u)
	if at := own.get("token"); at != nil && at.text != "" && !known {
		names := make([]string, 0, len(tokens))
		for name := range tokens {
			names = append(names, name)
		}
		p.fault(at, "unknown token "+at.quote(), suggest(at.raw, "tokens", names))
	}
	p.tls(own.child("tls"), &u.TLS)
	p.ownValues(n, u.Inject)
	p.claim(own, cfg, &u)
	p.access(own, &u)
	if known || n.has("url") {
		p.upstreamURL(n, token.params, &u)
	}
	return u
}

// claim reads which requests go to u.
func (p *parser) claim(n *node, cfg *Config, u *Upstream) {
	u.Hosts = p.hosts(n.child("hosts"))
	if at := n.get("listen"); !at.empty() {
		u.Listen = p.address(at, cfg.AllowNonLoopback)
		p.notAdmin(at, u.Listen, cfg)
	}
	clean := u.Path == "/" || path.Clean(u.Path) == strings.TrimSuffix(u.Path, "/")
	if at := n.get("path"); u.Path != "" && (!strings.HasPrefix(u.Path, "/") || !clean || strings.ContainsAny(u.Path, "?#%\\;*")) {
		p.fault(at, "is not a path prefix", "begin it with / and write it decoded, without '..', '//' or wildcards")
	}
}

// upstreamURL reads the base URL, which the token's block may bring as a template.
func (p *parser) upstreamURL(n *node, s *params, u *Upstream) {
	at := n.get("url")
	if at.empty() {
		if s != nil {
			p.fault(n.child("url"), "missing", "give the base URL of the platform; provider brings none")
		}
		return
	}
	if s == nil || !p.single(at, "") {
		return
	}
	for _, name := range placeholders(at.text) {
		if _, known := s.byName[name]; !known {
			p.unknownName(at, name, s.names())
			return
		}
	}
	text, ok := p.render(at, s)
	if !ok {
		return
	}
	at = s.blame(at)
	if path, ok := strings.CutPrefix(text, unixPrefix); ok {
		u.Socket = strings.TrimPrefix(p.socket(at, path), unixPrefix)
		u.URL = &url.URL{Scheme: "http", Host: "localhost"}
		return
	}
	u.URL = p.checkURL(at, text)
	p.plain(at, u.URL, u.AllowPlainHTTP, n.path)
	p.throughProxy(n.child("proxy_url"), u.URL, u.ProxyURL, u.AllowPlainHTTP, n.path)
	switch {
	case u.URL == nil:
	case u.URL.RawQuery != "" || u.URL.Fragment != "" || u.URL.ForceQuery:
		p.fault(at, "a base URL has neither query nor fragment", "write parameters into query.set")
	case u.Protocol == "h2c" && u.URL.Scheme == "https":
		p.fault(n.child("protocol"), "h2c is for http:// only", "write auto: https:// speaks HTTP/2 by itself")
	}
}

// claims records a fault when upstream i claims the same requests as one before it.
func (p *parser) claims(root *node, cfg *Config, i int) {
	for j := range i {
		if what := same(cfg, cfg.Upstreams[j], cfg.Upstreams[i]); what != "" {
			p.fault(root.child("upstreams").items[i], fmt.Sprintf("claims the same requests as upstreams[%d]: %s", j, what),
				"give one of them its own listen, hosts or path")
			return
		}
	}
}

// same says which requests both a and b claim: on one listener, for one Host, under one path. It
// returns "" when there is none. A path with and without a slash at the end is the same.
func same(cfg *Config, a, b Upstream) string {
	ownPort := strings.HasSuffix(a.Listen, ":0") || strings.HasSuffix(b.Listen, ":0")
	shared := a.Listen == b.Listen || a.Listen+b.Listen == cfg.Listen
	if !shared || ownPort || a.Path == "" || strings.TrimSuffix(a.Path, "/") != strings.TrimSuffix(b.Path, "/") {
		return ""
	}
	host := "any Host"
	if len(a.Hosts) > 0 || len(b.Hosts) > 0 {
		host = ""
	}
	for _, h := range a.Hosts {
		if contains(b.Hosts, h) {
			host = "Host " + h
		}
	}
	if host == "" {
		return ""
	}
	return fmt.Sprintf("listener %s, %s, path %s", listenerOf(cfg, a), host, b.Path)
}

// unusedTokens warns of tokens that no upstream uses.
func (p *parser) unusedTokens(root *node, cfg *Config) {
	used := map[string]bool{}
	for _, u := range cfg.Upstreams {
		used[u.Token] = true
	}
	for _, e := range root.child("tokens").entries {
		if !used[e.name] {
			p.warn(&node{file: e.value.file, line: e.line, path: e.value.path}, "no upstream uses this token", "")
		}
	}
}
