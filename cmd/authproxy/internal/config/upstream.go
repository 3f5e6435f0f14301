package config

import (
	"maps"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"authproxy/cmd/authproxy/internal/config/tree"
	"authproxy/internal/httpsyntax"
	"authproxy/internal/template"
)

// Upstream is a platform to forward to, and which requests go there.
type Upstream struct {
	// Name is unique.
	Name string `yaml:"name" rule:"required,name" fix:"name it with up to 63 letters, digits, '.', '_' and '-', a letter or digit first"`
	// Token names a member of Config.Tokens.
	Token string `yaml:"token" rule:"required" fix:"write the name of one of tokens"`
	// URL is http or https, with a host; no query, no fragment; parser.upstreamURL.
	URL BaseURL `yaml:"url"`
	// Socket is the path of the unix socket behind a url such as unix:/run/app.sock; URL then is
	// http://localhost.
	Socket string

	// Which requests: those to an own listener (like Config.Listen; empty: the common one; port 0 is
	// never shared), with one of these Host names (none: any), under this path ("/": any).
	Listen    Address `yaml:"listen"` // parser.claim
	Hosts     Hosts   `yaml:"hosts"`
	Path      string  `yaml:"path" default:"/" rule:"nonempty" fix:"write a prefix such as /api/, or / for every path"`
	StripPath bool    `yaml:"strip_path"`

	Inject                Inject        `yaml:"inject"`
	InvalidToken          InvalidToken  `yaml:"invalid_token"`
	Retry                 Retry         `yaml:"retry"`
	Headers               Headers       `yaml:"headers"`
	Query                 Query         `yaml:"query"`
	Access                []Access      `yaml:"access"`                                     // none: everything passes
	Upgrade               []string      `yaml:"upgrade" default:"websocket" rule:"upgrade"` // Upgrade values that pass
	Protocol              string        `yaml:"protocol" default:"auto" oneof:"auto|h2c"`
	Transport             string        `yaml:"transport" default:"auto" oneof:"auto|std"` // std: net/http's for everything
	PreserveHost          bool          `yaml:"preserve_host"`
	RewriteLocation       bool          `yaml:"rewrite_location" default:"true"`
	RewriteHeaders        []string      `yaml:"rewrite_headers" rule:"header"` // whose value is one address
	RewriteCookies        bool          `yaml:"rewrite_cookies" default:"true"`
	AllowPlainHTTP        bool          `yaml:"allow_plain_http"`
	MaxInFlight           int           `yaml:"max_in_flight" default:"1024" rule:"positive"`
	ConnectTimeout        time.Duration `yaml:"connect_timeout" default:"5s" rule:"positive"`
	ResponseHeaderTimeout time.Duration `yaml:"response_header_timeout" default:"60s"` // 0: no limit
	IdleTimeout           time.Duration `yaml:"idle_timeout" default:"50s"`            // of kept connections; 0: none are kept
	MaxIdleConns          int           `yaml:"max_idle_conns" default:"256" rule:"positive"`
	ProxyURL              *url.URL      `yaml:"proxy_url"` // nil: none; may hold a password
	TLS                   TLS           `yaml:"tls"`
}

// Upstreams stand in the order of the file; their names are unique.
type Upstreams []Upstream

func (Upstreams) keys(own string) []string { return []string{own} }

// BaseURL is where requests go.
type BaseURL struct{ *url.URL }

func (BaseURL) keys(own string) []string { return []string{own} }

// InvalidToken says which answers mean that the token was refused. Any one of them is enough.
type InvalidToken struct {
	Status []int               `yaml:"status" default:"401" rule:"status"`
	Body   Alternatives        `yaml:"body"`                 // at any status
	Header map[string][]string `yaml:"header" keys:"header"` // header name to values
	Not    NotInvalid          `yaml:"not"`                  // what is no refusal all the same
	Wait   time.Duration       `yaml:"wait" default:"1s"`    // how long the beginning of a small JSON answer may be held
}

// NotInvalid says which answers are no refusal, whatever InvalidToken says of them.
type NotInvalid struct {
	Status []int               `yaml:"status" rule:"status"`
	Body   Alternatives        `yaml:"body"`
	Header map[string][]string `yaml:"header" keys:"header"`
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

func (p *parser) upstreams(root *tree.Node, cfg *Config, tokens map[string]builtToken) {
	n := root.Get("upstreams")
	if n == nil {
		n = root.Missing("upstreams", tree.List)
	}
	if p.faults.IsList(n, "begin each upstream with '- name: ...'") && n.Empty() {
		p.fault(n, missing, "name at least one upstream")
	}
	first := map[string]string{}
	for _, item := range n.Items {
		u := p.upstream(item, cfg, tokens)
		if at, taken := first[u.Name]; taken && u.Name != "" {
			p.fault(item.Child("name"), "the same name as "+at, "give each upstream a name of its own")
		} else {
			first[u.Name] = item.Path
		}
		cfg.Upstreams = append(cfg.Upstreams, u)
	}
}

func (p *parser) upstream(own *tree.Node, cfg *Config, tokens map[string]builtToken) Upstream {
	var u Upstream
	if !p.faults.HasKeys(own) {
		return u
	}
	token, known := tokens[own.Child("token").Text]
	n := own
	if token.upstream != nil && token.upstream.Kind == tree.Mapping {
		n = tree.Layer(token.upstream, own, mergeUpstream)
	}
	n = p.fillSets(n, token)
	p.fill(n, &u)
	if at := own.Get("token"); at != nil && at.Text != "" && !known {
		names := make([]string, 0, len(tokens))
		for name := range tokens {
			names = append(names, name)
		}
		p.fault(at, "unknown token "+at.Quote(), tree.Suggest(at.Raw, "tokens", names))
	}
	p.tls(own.Child("tls"), &u.TLS)
	p.ownValues(n, u.Inject)
	p.claim(own, cfg, &u)
	p.access(own)
	if known || n.Get("url") != nil {
		p.upstreamURL(n, token.params, &u)
	}
	return u
}

// claim reads which requests go to u.
func (p *parser) claim(n *tree.Node, cfg *Config, u *Upstream) {
	if at := n.Get("listen"); !at.Blank() {
		u.Listen = p.address(at, forApplications(cfg.AllowNonLoopback))
		p.notAdmin(at, u.Listen, cfg)
	}
	if u.Path != "" && !isPrefix(u.Path) {
		p.fault(n.Get("path"), "is not a path prefix", "begin it with / and write it decoded, without '..', '//' or wildcards, such as /api/")
	}
}

// isPrefix says whether some path that is not ambiguous begins with s.
func isPrefix(s string) bool {
	clean := s == "/" || path.Clean(s) == strings.TrimSuffix(s, "/")
	return s[0] == '/' && clean && !strings.ContainsAny(s, "?#%\\;*") && !httpsyntax.HasControl(s) && utf8.ValidString(s)
}

// upstreamURL reads the base URL, which the token's block may bring as a template.
func (p *parser) upstreamURL(n *tree.Node, s *params, u *Upstream) {
	at := n.Get("url")
	if at.Blank() {
		if s != nil && !s.open {
			p.fault(n.Child("url"), missing, "give the base URL of the platform: the token's preset brings none")
		}
		return
	}
	if !p.faults.Single(at, "write scheme, host and port, such as https://api.example.com") {
		return
	}
	text, from, ok := p.baseURL(at, s)
	if !ok {
		return
	}
	if path, ok := httpsyntax.UnixPath(text); ok {
		u.Socket = strings.TrimPrefix(string(p.socket(from, path)), httpsyntax.UnixPrefix)
		u.URL.URL = &url.URL{Scheme: "http", Host: "localhost"}
		return
	}
	u.URL.URL = p.templateURL(at, from, text)
	allow := plainHTTP{n.Get("allow_plain_http"), n.Path}
	p.plain(from, u.URL.URL, allow)
	p.throughProxy(n.Child("proxy_url"), from, u.URL.URL, u.ProxyURL, allow)
	switch {
	case u.URL.URL == nil:
	case u.URL.RawQuery != "" || u.URL.Fragment != "" || u.URL.ForceQuery:
		marked := func(text string) bool { return strings.ContainsAny(text, "?#") }
		p.fault(s.source(at, marked), "a base URL has neither query nor fragment", "write parameters into query.set")
	case u.Protocol == "h2c" && u.URL.Scheme == "https":
		p.fault(n.Child("protocol"), "h2c is for http:// only", "write auto: https:// speaks HTTP/2 by itself")
	}
}

// baseURL fills the template at, and says where its beginning comes from. ok is false after a fault,
// and when the preset that would have to fill it is not known.
func (p *parser) baseURL(at *tree.Node, s *params) (text string, from *tree.Node, ok bool) {
	names := template.Parse(at.Text).Names()
	if s == nil {
		return at.Text, at, len(names) == 0
	}
	known := slices.DeleteFunc(slices.Collect(maps.Keys(s.byName)), func(name string) bool { return contains(CredentialNames(), name) })
	for _, name := range names {
		if contains(known, name) {
			continue
		}
		if !s.open {
			p.unknownName(at, name, known)
		}
		return "", nil, false
	}
	text, ok = s.render(at, fill)
	return text, s.blame(at), ok
}

// unusedTokens warns of tokens that no upstream uses.
func (p *parser) unusedTokens(root *tree.Node, cfg *Config) {
	used := map[string]bool{}
	for _, u := range cfg.Upstreams {
		used[u.Token] = true
	}
	for _, e := range root.Child("tokens").Entries {
		if !used[e.Name] {
			p.warn(&tree.Node{File: e.Value.File, Line: e.Line, Path: e.Value.Path}, "no upstream uses this token", "")
		}
	}
}
