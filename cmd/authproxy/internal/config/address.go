package config

import (
	"context"
	"net"
	"net/netip"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

const unixPrefix = "unix:"

// maxSocketPath is what a socket address of Linux holds.
const maxSocketPath = 107

func lookup(host string) ([]netip.Addr, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
}

// listeners reads the two addresses of the program itself.
func (p *parser) listeners(root *node, cfg *Config) {
	at := root.get("listen")
	if at == nil {
		at = root.missing("listen", scalar).scalar("127.0.0.1:8080")
	}
	cfg.Listen = p.address(at, cfg.AllowNonLoopback)
	p.fill(root.child("admin"), &cfg.Admin)
	at = root.child("admin").get("listen")
	if at == nil {
		at = root.missing("admin", mapping).missing("listen", scalar).scalar("127.0.0.1:9090")
	}
	if at.empty() {
		return
	}
	cfg.Admin.Listen = p.address(at, cfg.AllowNonLoopback)
	p.notAdmin(at, cfg.Listen, cfg)
}

// notAdmin refuses a data listener on the admin address.
func (p *parser) notAdmin(at *node, listen string, cfg *Config) {
	if listen != "" && listen == cfg.Admin.Listen && !strings.HasSuffix(listen, ":0") {
		p.fault(at, "applications and the admin pages cannot share one address", "give another port")
	}
}

// address checks where to listen. Anything but loopback and unix sockets needs allow.
func (p *parser) address(n *node, allow bool) string {
	const fix = "write host:port, such as 127.0.0.1:8080, or unix:/run/authproxy.sock"
	if !p.single(n, fix) {
		return ""
	}
	if path, ok := strings.CutPrefix(n.text, unixPrefix); ok {
		return p.socket(n, path)
	}
	host, port, err := net.SplitHostPort(n.text)
	number, portErr := strconv.ParseUint(port, 10, 16)
	if err != nil || portErr != nil {
		p.fault(n, "is not an address to listen on", fix)
		return ""
	}
	if !allow {
		p.loopback(n, host)
	}
	return net.JoinHostPort(host, strconv.FormatUint(number, 10))
}

func (p *parser) socket(n *node, path string) string {
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
	return unixPrefix + path
}

// loopback records a fault unless host is reachable from this machine only.
func (p *parser) loopback(n *node, host string) {
	const fix = "listen on 127.0.0.1 or a unix socket, or set allow_non_loopback: true"
	addrs, err := p.addrs(host)
	if err != nil || len(addrs) == 0 {
		p.fault(n, "the host name cannot be resolved, so it may be more than loopback", fix)
		return
	}
	for _, a := range addrs {
		if !a.Unmap().IsLoopback() {
			p.fault(n, "other machines could connect and use the token without a password", fix)
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
func (p *parser) hosts(n *node) []string {
	if n.kind != list && !n.empty() {
		p.fault(n, "must be a list, not "+n.kind.String(), "write [weda.local]")
		return nil
	}
	var out []string
	for _, item := range n.items {
		const fix = "write the name alone, such as weda.local"
		if !p.single(item, fix) {
			continue
		}
		host := strings.ToLower(strings.TrimSuffix(item.text, "."))
		if !isHost(host) {
			p.fault(item, "is not a Host name", fix)
		}
		out = append(out, strings.Trim(host, "[]"))
	}
	return out
}

func isHost(host string) bool {
	if _, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		return true
	}
	return host != "" && !strings.ContainsFunc(host, func(r rune) bool {
		return r <= ' ' || r == 0x7f || strings.ContainsRune(`/\:*?#@[]{},"'<>%`, r)
	})
}
