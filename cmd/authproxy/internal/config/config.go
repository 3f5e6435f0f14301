// Package config reads the configuration of authproxy: YAML in, values out that need no further
// checking. It reads strictly, and it reports everything that is wrong at once, each with file, line
// and path. It knows the platforms only by the presets that are embedded in it.
package config

import (
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"authproxy/cmd/authproxy/internal/config/tree"
)

// Where to listen when the file does not say it: for applications, and for the admin pages.
const (
	defaultListen = "127.0.0.1:8080"
	defaultAdmin  = "127.0.0.1:9090"
)

// Config is a configuration without faults, with all defaults in it.
type Config struct {
	// Listen is the address for applications: host:port, or unix: and an absolute path.
	Listen           Address `yaml:"listen"` // parser.listeners
	AllowNonLoopback bool    `yaml:"allow_non_loopback"`
	// ListenTLS is spoken on the listeners for applications that are no unix sockets.
	ListenTLS      ListenTLS `yaml:"listen_tls"`
	AllowedHosts   Hosts     `yaml:"allowed_hosts"`
	AllowedOrigins Origins   `yaml:"allowed_origins"`
	// SocketMode is that of unix sockets; permission bits only.
	SocketMode fs.FileMode `yaml:"socket_mode" default:"0660"`
	// AllowedUIDs are the users who may connect to unix sockets, which then are the only listeners for
	// applications; none: whom the mode lets in.
	AllowedUIDs []int `yaml:"allowed_uids" rule:"uid"`
	// CallerToken is what callers must send as bearer token; zero: nothing.
	CallerToken Secret `yaml:"caller_token_file"` // parser.callerToken
	// Sandbox is off, best_effort or required.
	Sandbox  string   `yaml:"sandbox" default:"best_effort" oneof:"off|best_effort|required"`
	Admin    Admin    `yaml:"admin"`
	Log      Log      `yaml:"log"`
	Shutdown Shutdown `yaml:"shutdown"`
	Reload   Reload   `yaml:"reload"`
	// MaxHeader is how many bytes the head of a request may have, on every listener.
	MaxHeader int64 `yaml:"max_header" default:"128KiB" rule:"head"`
	// ReplayMemory is how many bytes of request bodies are kept for sending again, all together.
	ReplayMemory int64 `yaml:"replay_memory" default:"64MiB"`
	// Store is where tokens are shared with other processes.
	Store     Store     `yaml:"store"`
	Tokens    Tokens    `yaml:"tokens"`    // parser.tokens
	Upstreams Upstreams `yaml:"upstreams"` // parser.upstreams
	// Warnings are sentences about what is allowed but risky, each with file, line and path.
	Warnings []string
}

// Admin is the listener for the probes and the metrics.
type Admin struct {
	Listen Address `yaml:"listen"` // empty: none; parser.listeners
	// AllowNonLoopback lets it listen for other machines.
	AllowNonLoopback bool `yaml:"allow_non_loopback"`
	// Pprof has it hand out profiles of the program.
	Pprof bool `yaml:"pprof"`
}

// Log says what is logged and how.
type Log struct {
	Level  string `yaml:"level" default:"info" oneof:"debug|info|warn|error"`
	Format string `yaml:"format" default:"text" oneof:"text|json"`
	Access string `yaml:"access" default:"errors" oneof:"none|errors|all"`
}

// Reload says when the configuration is read again, besides when that is asked for.
type Reload struct {
	Watch bool `yaml:"watch" default:"true"` // when its file changes
}

// Shutdown says how long a stop may take.
type Shutdown struct {
	DrainDelay time.Duration `yaml:"drain_delay" default:"0s"` // new connections are served this long
	Timeout    time.Duration `yaml:"timeout" default:"25s" rule:"positive"`
}

// Token returns the token of that name.
func (c *Config) Token(name string) (Token, bool) {
	for _, t := range c.Tokens {
		if t.Name == name {
			return t, true
		}
	}
	return Token{}, false
}

// Load reads the file at path, with the environment of the process. The error is of type Faults
// unless the file could not be read.
func Load(path string, words Vocabulary) (*Config, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	return (&parser{dir: filepath.Dir(path), own: path, resolve: lookup, words: words}).parse(path, data, os.LookupEnv)
}

// Parse reads data as the configuration file name, whose relative paths start at dir. It looks at the
// files and resolves the listening names that data mentions. The error is of type Faults and holds
// everything that is wrong.
func Parse(name string, data []byte, dir string, env func(string) (string, bool), words Vocabulary) (*Config, error) {
	return (&parser{dir: dir, resolve: lookup, words: words}).parse(name, data, env)
}

// ParseSaid is Parse for a configuration that stands in no file: say puts each fault and each warning
// into the words of where it stands.
func ParseSaid(data []byte, dir string, env func(string) (string, bool), words Vocabulary, say func(Fault) Fault) (*Config, error) {
	return (&parser{dir: dir, resolve: lookup, words: words, say: say}).parse("", data, env)
}

// parser collects what Parse finds.
type parser struct {
	dir        string
	say        func(Fault) Fault // nil: as it is
	own        string            // the path of the configuration file; empty when it has none
	resolve    func(host string) ([]netip.Addr, error)
	words      Vocabulary
	faults     Faults
	warnings   []string
	shares     bool // there is a store
	exposedOwn bool // it was told that others can read the configuration file
}

func (p *parser) parse(name string, data []byte, env func(string) (string, bool)) (*Config, error) {
	cfg := &Config{}
	if root := tree.Read(name, data, env, &p.faults); root != nil {
		p.config(p.mend(root, wholeShape()), cfg)
	}
	if len(p.faults) > 0 {
		for i, f := range p.faults {
			p.faults[i] = p.said(f)
		}
		return nil, p.faults.Sorted()
	}
	cfg.Warnings = p.warnings
	return cfg, nil
}

func (p *parser) config(root *tree.Node, cfg *Config) {
	p.fill(root, cfg)
	if root.Kind != tree.Mapping {
		return
	}
	if level := root.Child("log").Get("level"); cfg.Log.Access == "all" && (cfg.Log.Level == "warn" || cfg.Log.Level == "error") {
		p.warn(level, "keeps log.access: all from logging requests that succeed", "write level: info")
	}
	p.listeners(root, cfg)
	p.store(root, cfg)
	p.shares = !cfg.Store.IsZero()
	built := p.tokens(root, cfg)
	p.sharedCredential(root.Child("tokens"), cfg.Tokens)
	p.upstreams(root, cfg, built)
	for i := range cfg.Upstreams {
		p.claims(root, cfg, i)
		p.loop(root, cfg, i)
	}
	p.listenTLS(root, cfg)
	p.callers(root, cfg)
	p.exposed(root, cfg)
	p.places(root, cfg)
	p.isNotFilledIn(root)
	p.unusedTokens(root, cfg)
}

// Fault is one thing that is wrong with a configuration.
type Fault = tree.Fault

// Faults is everything that is wrong with a configuration, sorted by file, line and path. It is the
// error of Parse and Load whenever the text could be read at all.
type Faults = tree.Faults

func (p *parser) fault(n *tree.Node, what, fix string) { p.faults.Add(n, what, fix) }

func (p *parser) warn(n *tree.Node, what, fix string) {
	f := Fault{File: n.File, Line: n.Line, Path: n.Path, What: what, Fix: fix}
	p.warnings = append(p.warnings, p.said(f).String())
}

func (p *parser) said(f Fault) Fault {
	if p.say == nil {
		return f
	}
	return p.say(f)
}

// resolvePath returns path, seen from the folder of the configuration file.
func (p *parser) resolvePath(path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(p.dir, path)
}
