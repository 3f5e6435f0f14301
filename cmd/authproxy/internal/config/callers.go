package config

import (
	"io/fs"
	"regexp"
	"strconv"
	"strings"

	"authproxy/cmd/authproxy/internal/config/tree"
)

// overflowUID is how Linux shows users of other user namespaces; see user_namespaces(7).
const overflowUID = 65534

// guessable is the length in bytes below which a caller's token can be tried out.
const guessable = 16

// callers reads who may call, and warns of what lets in more than it seems to.
func (p *parser) callers(root *tree.Node, cfg *Config) {
	p.callerToken(root.Get("caller_token_file"), cfg)
	if len(cfg.AllowedUIDs) > 0 {
		p.onlySockets(root, cfg)
	}
	for i, uid := range cfg.AllowedUIDs {
		if uid == overflowUID && i < len(root.Child("allowed_uids").Items) {
			p.warn(root.Child("allowed_uids").Items[i], "this is also how the users of another user namespace look from here", "run the caller in the same one")
		}
	}
	if at := root.Get("socket_mode"); at != nil && cfg.SocketMode&0o002 != 0 && len(cfg.AllowedUIDs) == 0 && cfg.CallerToken.IsZero() && usesSocket(cfg) {
		p.warn(at, "every user of this machine can connect and use the token", "write \"0660\", or list who may call in allowed_uids")
	}
}

// callerToken reads the file that holds what callers must send.
func (p *parser) callerToken(n *tree.Node, cfg *Config) {
	if n == nil || n.Kind == tree.Null || n.Kind == tree.Scalar && n.Text == "" {
		return
	}
	if !p.faults.Single(n, "give the path of a file") {
		return
	}
	cfg.CallerToken = p.secretFile(n)
	value, err := cfg.CallerToken.Read()
	switch {
	case err != nil: // a fault already
	case strings.ContainsFunc(value, func(r rune) bool { return r <= ' ' || r > '~' }):
		p.fault(n, "the file holds what no header can hold", "write letters and digits into it, such as `openssl rand -hex 32` prints")
	case len(value) < guessable:
		p.warn(n, "the token is so short that it can be guessed", "write what `openssl rand -hex 32` prints into the file")
	}
	if len(cfg.AllowedOrigins) > 0 {
		p.warn(n, "the pages of allowed_origins cannot call: a browser's preflight request carries no Authorization", "use only one of the two")
	}
}

// onlySockets records a fault when an upstream is served where nothing tells whose process calls.
func (p *parser) onlySockets(root *tree.Node, cfg *Config) {
	for i, u := range cfg.Upstreams {
		if listen := listenerOf(cfg, u); listen != "" && !listen.IsUnix() && !listen.isSystemd() {
			p.fault(root.Get("allowed_uids"), "cannot be checked on "+string(listen)+", where upstreams["+strconv.Itoa(i)+"] is served",
				"listen on unix sockets only, or use caller_token_file")
			return
		}
	}
}

func usesSocket(cfg *Config) bool {
	for _, u := range cfg.Upstreams {
		if listenerOf(cfg, u).IsUnix() {
			return true
		}
	}
	return cfg.Admin.Listen.IsUnix()
}

func listenerOf(cfg *Config, u Upstream) Address {
	if u.Listen != "" {
		return u.Listen
	}
	return cfg.Listen
}

var modeRule = regexp.MustCompile(`^0?[0-7]{3}$`)

// fileMode reads permissions as chmod takes them.
func (p *parser) fileMode(n *tree.Node) fs.FileMode {
	const fix = `write three octal digits, such as "0660"`
	if !p.faults.Single(n, fix) {
		return 0
	}
	if !modeRule.MatchString(n.Text) {
		p.fault(n, n.Quote()+" is not a file mode", fix)
		return 0
	}
	mode, _ := strconv.ParseUint(n.Text, 8, 12)
	return fs.FileMode(mode)
}
