package config

import (
	"maps"
	"net/url"
	"slices"
	"time"

	"authproxy/cmd/authproxy/internal/config/tree"
)

// Token says how one access token is got, renewed and given back.
type Token struct {
	Name     string
	Provider Provider `yaml:"provider"` // the preset it started from; parser.preset
	Params   Params   `yaml:"params"`   // what templates may need, with token_url and scope; params.use
	// Credentials holds those of client_id, client_secret, username and password that were given.
	// One that is optional and not given is missing. The token's secrets stand here too.
	Credentials Credentials   `yaml:"client_id"`                             // params.use
	Timeout     time.Duration `yaml:"timeout" default:"10s" rule:"positive"` // of one token request
	// Prefetch has the token asked for at start. By default it is true, unless the new token would kill
	// the one that another program uses, and nothing is shared.
	Prefetch           bool          `yaml:"prefetch" default:"true"`
	ExpiryBuffer       time.Duration `yaml:"expiry_buffer" default:"60s" rule:"positive"`
	DefaultTTL         time.Duration `yaml:"default_ttl" default:"1h" rule:"positive"`
	MinRefreshInterval time.Duration `yaml:"min_refresh_interval" default:"1s" rule:"positive"`
	RevokeOnExit       bool          `yaml:"revoke_on_exit"`
	AllowPlainHTTP     bool          `yaml:"allow_plain_http"`
	ProxyURL           *url.URL      `yaml:"proxy_url"` // nil: none; may hold a password
	TLS                TLS           `yaml:"tls"`
	// Given is the template of a token that no platform is asked for; empty: Request asks.
	Given   string
	Values  Values   `yaml:"values"`
	JWT     *JWT     `yaml:"jwt"`     // nil: there is none
	Request *Request `yaml:"request"` // nil: the token is given

	Response Response `yaml:"response"`
	Refresh  *Request `yaml:"refresh"` // nil: there is none
	Force    *Request `yaml:"force"`   // nil: there is none; laid over Request
	Check    *Request `yaml:"check"`   // nil: there is none
	Revoke   *Request `yaml:"revoke"`  // nil: there is none
	Reissue  Reissue  `yaml:"reissue" default:"new" oneof:"new|same"`
	OldToken OldToken `yaml:"old_token" default:"lives" oneof:"lives|dies"`
}

// SecretNames are the names of the credentials that there are, in the order in which messages name them, and
// those of the token's own secrets.
func (t Token) SecretNames() []string {
	names := CredentialNames()
	for _, name := range slices.Sorted(maps.Keys(t.Credentials)) {
		if !contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// Provider is the name of a preset.
type Provider string

func (Provider) keys(own string) []string { return []string{own} }

// Params are the values of placeholders, by name.
type Params map[string]string

func (Params) keys(own string) []string { return []string{own} }

// Credentials are those of CredentialNames, by name.
type Credentials map[string]Secret

// keys are those of all credentials: each stands for itself, or in a file.
func (Credentials) keys(string) []string {
	var all []string
	for _, name := range CredentialNames() {
		all = append(all, name, name+"_file")
	}
	return all
}

// Tokens stand in the order of the file; their names are unique.
type Tokens []Token

func (Tokens) keys(own string) []string { return []string{own} }

// Reissue says what the endpoint answers while a token is good.
type Reissue string

// OldToken says what becomes of a token when a new one is issued.
type OldToken string

// The values of Reissue and OldToken.
const (
	ReissueNew    Reissue  = "new"  // another token
	ReissueSame   Reissue  = "same" // the same token, until it expires
	OldTokenLives OldToken = "lives"
	OldTokenDies  OldToken = "dies"
)

// builtToken is a token and what its upstreams need of it.
type builtToken struct {
	params   *params    // nil when the token is too broken to go on with
	upstream *tree.Node // defaults for upstreams; nil: none
	clientID Secret
}

func (p *parser) tokens(root *tree.Node, cfg *Config) map[string]builtToken {
	n := root.Child("tokens")
	if p.faults.IsMapping(n) && n.Empty() {
		p.fault(n, missing, "name at least one token")
	}
	built := map[string]builtToken{}
	for _, e := range n.Entries {
		if what, fix := p.rule("name", e.Name); what != "" {
			p.fault(&tree.Node{File: n.File, Line: e.Line, Path: e.Value.Path}, what, fix)
		}
		t := Token{Name: e.Name}
		built[e.Name] = p.token(e.Value, &t)
		cfg.Tokens = append(cfg.Tokens, t)
	}
	return built
}

func (p *parser) token(over *tree.Node, t *Token) builtToken {
	if !p.faults.HasKeys(over) {
		return builtToken{}
	}
	base, known := p.preset(over, t)
	if isGiven(over) {
		base = withoutRequests(base)
	}
	merged := tree.Layer(base.Without("params"), over.Without("params"), mergeToken)
	p.checkRequests(merged)
	merged = ordered(forced(p.expandKeys(merged)))
	p.fill(merged, t, &oauthKeys{})
	if t.OldToken == OldTokenDies && !p.shares && merged.Get("prefetch") == nil {
		t.Prefetch = false
	}
	p.tls(merged.Child("tls"), &t.TLS)
	p.fill(merged.Child("upstream"), &inherited{})
	if at := merged.Get("revoke_on_exit"); t.RevokeOnExit && t.Revoke == nil && known {
		p.fault(at, "has no effect: there is no request that gives this token back", "remove it, or write that request under revoke")
	}
	s := p.params(base, over, merged, !known || hasLater(over))
	s.use(merged, t)
	return builtToken{params: s, upstream: merged.Get("upstream").Only(fields(&inherited{})), clientID: t.Credentials["client_id"]}
}
