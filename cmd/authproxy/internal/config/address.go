package config

import (
	"context"
	"net"
	"net/netip"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"authproxy/cmd/authproxy/internal/config/tree"
	"authproxy/internal/httpsyntax"
)

// maxSocketPath is what a socket address of Linux holds.
const maxSocketPath = 107

func lookup(host string) ([]netip.Addr, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
}

// Address is where to listen: host:port, or unix: and an absolute path; empty for none.
type Address string

// IsUnix says whether it is that of a unix socket.
func (a Address) IsUnix() bool { return httpsyntax.IsUnix(string(a)) }

// isSystemd says whether it names a socket of systemd; what kind that is shows at start.
func (a Address) isSystemd() bool {
	_, ok := httpsyntax.SystemdName(string(a))
	return ok
}

// AnyPort says whether the system chooses the port, so that no two are the same.
func (a Address) AnyPort() bool {
	return strings.HasSuffix(string(a), ":0") && !a.IsUnix() && !a.isSystemd()
}

func (Address) keys(own string) []string { return []string{own} }

// Hosts are Host names, in lower case and without port.
type Hosts []string

func (h *Hosts) read(p *parser, n *tree.Node) { *h = p.hosts(n) }

// listeners reads the two addresses of the program itself.
func (p *parser) listeners(root *tree.Node, cfg *Config) {
	at := root.Get("listen")
	if at == nil {
		at = root.Missing("listen", tree.Scalar).Literal(defaultListen)
	}
	cfg.Listen = p.address(at, forApplications(cfg.AllowNonLoopback))
	if at = adminNode(root); at.Blank() {
		return
	}
	cfg.Admin.Listen = p.address(at, forOperators(cfg.Admin.AllowNonLoopback))
	p.notAdmin(at, cfg.Listen, cfg)
}

// adminNode returns admin.listen of root, or the default in its place.
func adminNode(root *tree.Node) *tree.Node {
	if at := root.Child("admin").Get("listen"); at != nil {
		return at
	}
	return root.Missing("admin", tree.Mapping).Missing("listen", tree.Scalar).Literal(defaultAdmin)
}

// notAdmin refuses a data listener on the admin address.
func (p *parser) notAdmin(at *tree.Node, listen Address, cfg *Config) {
	if listen != "" && listen == cfg.Admin.Listen && !listen.AnyPort() {
		p.fault(at, "applications and the admin pages cannot share one address", "give another port")
	}
}

// reach says whether a listener may be reached from other machines, and if not, what they
// could do there and what would allow it.
type reach struct {
	allowed   bool
	risk, key string
}

func forApplications(allowed bool) reach {
	return reach{allowed, "other machines could connect and use the token without a password", "allow_non_loopback"}
}

func forOperators(allowed bool) reach {
	return reach{allowed, "other machines could read the metrics and the state of the tokens", "admin.allow_non_loopback"}
}

// address checks where to listen. Anything but loopback and unix sockets has to be allowed.
func (p *parser) address(n *tree.Node, to reach) Address {
	const fix = "write host:port, such as 127.0.0.1:8080, unix:/run/authproxy.sock or systemd:NAME"
	if !p.faults.Single(n, fix) {
		return ""
	}
	if path, ok := httpsyntax.UnixPath(n.Text); ok {
		return p.socket(n, path)
	}
	if name, ok := httpsyntax.SystemdName(n.Text); ok {
		return p.inherited(n, name)
	}
	host, port, err := net.SplitHostPort(n.Text)
	number, portErr := strconv.ParseUint(port, 10, 16)
	if err != nil || portErr != nil {
		p.fault(n, "is not an address to listen on", fix)
		return ""
	}
	if !to.allowed {
		p.loopback(n, host, to)
	}
	return Address(net.JoinHostPort(host, strconv.FormatUint(number, 10)))
}

func (p *parser) socket(n *tree.Node, path string) Address {
	if path == "" || path[0] == '@' || strings.ContainsRune(path, 0) {
		p.fault(n, "is not the path of a socket", "write unix:/run/authproxy.sock")
		return ""
	}
	path = p.resolvePath(path)
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	if len(path) > maxSocketPath {
		p.fault(n, "the path of the socket is longer than "+strconv.Itoa(maxSocketPath)+" bytes", "use a shorter folder")
	}
	return Address(httpsyntax.UnixPrefix + path)
}

// inherited checks the name of a socket of systemd (FileDescriptorName= in systemd.socket(5)).
func (p *parser) inherited(n *tree.Node, name string) Address {
	if name == "" || len(name) > 255 || strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r > '~' || r == ':' }) {
		p.fault(n, "is not the name of a socket of systemd", "write systemd: and what FileDescriptorName= says in the socket unit, or else the name of the unit")
		return ""
	}
	return Address(n.Text)
}

// loopback records a fault unless host is reachable from this machine only.
func (p *parser) loopback(n *tree.Node, host string, to reach) {
	fix := "listen on 127.0.0.1 or a unix socket, or set " + to.key + ": true"
	addrs, err := p.addrs(host)
	switch {
	case err != nil || len(addrs) == 0:
		p.fault(n, "the host name cannot be resolved, so it may be more than loopback", fix)
	case beyondLoopback(addrs):
		p.fault(n, to.risk, fix)
	}
}

func beyondLoopback(addrs []netip.Addr) bool {
	return slices.ContainsFunc(addrs, func(a netip.Addr) bool { return !a.Unmap().IsLoopback() })
}

// exposed warns of a listener for applications that other machines reach and that asks for no password.
func (p *parser) exposed(root *tree.Node, cfg *Config) {
	if !cfg.AllowNonLoopback || root.Has("caller_token_file") || cfg.ListenTLS.ClientCAFile != "" {
		return
	}
	judged := map[Address]bool{}
	for _, u := range cfg.Upstreams {
		listen := listenerOf(cfg, u)
		host, _, err := net.SplitHostPort(string(listen))
		if err != nil || listen.IsUnix() || listen.isSystemd() || judged[listen] {
			continue
		}
		judged[listen] = true
		if addrs, err := p.addrs(host); err == nil && beyondLoopback(addrs) {
			p.warn(root.Get("allow_non_loopback"), "everybody who reaches "+string(listen)+" uses the token, without a password",
				"set caller_token_file or listen_tls.client_ca_file, or let a firewall or a network of its own keep others from the port")
			return
		}
	}
}

func (p *parser) addrs(host string) ([]netip.Addr, error) {
	if host == "" {
		return []netip.Addr{netip.IPv6Unspecified()}, nil
	}
	if a, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{a}, nil
	}
	return p.resolve(host)
}

// hosts reads Host names: lower case, no port.
func (p *parser) hosts(n *tree.Node) []string {
	var out []string
	for _, item := range p.faults.Items(n, "write [weda.local]") {
		const fix = "write the name alone, such as weda.local"
		if !p.faults.Single(item, fix) {
			continue
		}
		host := strings.ToLower(strings.TrimSuffix(item.Text, "."))
		switch {
		case !isHost(host):
			p.fault(item, "is not a Host name", fix)
		case !isASCII(host):
			p.fault(item, "holds letters that clients do not send as they are", "write it as they do, in the form xn--...")
		}
		out = append(out, httpsyntax.Hostname(host))
	}
	return out
}

func isHost(host string) bool {
	if _, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		return true
	}
	return host != "" && host[0] != '.' && !strings.Contains(host, "..") && !strings.ContainsFunc(host, func(r rune) bool {
		return r <= ' ' || r == 0x7f || strings.ContainsRune(`/\:*?#@[]{},"'<>%`, r)
	})
}

func isASCII(s string) bool { return !strings.ContainsFunc(s, func(r rune) bool { return r > '~' }) }
