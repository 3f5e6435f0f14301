package config

import (
	"net/netip"
	"net/url"
	"strings"

	"authproxy/cmd/authproxy/internal/config/tree"
)

// plainHTTP is the permission of a token or an upstream to go without encryption.
type plainHTTP struct {
	given *tree.Node // allow_plain_http; nil: not given
	user  string     // the path of the token or the upstream
}

// holds says whether the permission is for the URL that stands at from. That of a preset is for the
// address that the preset itself knows, not for what a file writes instead.
func (a plainHTTP) holds(from *tree.Node) bool {
	return a.given != nil && a.given.Text == "true" && (a.given.File == from.File || !a.ofPreset())
}

func (a plainHTTP) ofPreset() bool {
	return a.given != nil && strings.HasPrefix(a.given.File, presetPrefix)
}

// fix says how to go on without the permission.
func (a plainHTTP) fix() string {
	fix := "use https://, or set " + a.user + ".allow_plain_http: true"
	if a.ofPreset() && a.given.Text == "true" {
		fix += " (the preset allows it for its own address only)"
	}
	return fix
}

// plain judges a URL that is not encrypted and stands at from: beyond this machine and private networks
// it is a fault, or, where it is allowed, a warning.
func (p *parser) plain(from *tree.Node, u *url.URL, allow plainHTTP) {
	if u == nil || u.Scheme != "http" || isNear(u.Hostname()) {
		return
	}
	if allow.holds(from) {
		p.warn(from, "plain http beyond loopback and private networks: what "+allow.user+" sends can be read on the way",
			"use https:// if the platform offers it")
		return
	}
	p.fault(from, "plain http beyond loopback and private networks: credentials and tokens could be read on the way", allow.fix())
}

// throughProxy judges the forward proxy, given at the node at, of a URL that is not encrypted and stands
// at from: the proxy then reads what goes by.
func (p *parser) throughProxy(at, from *tree.Node, u, proxy *url.URL, allow plainHTTP) {
	if u == nil || proxy == nil || u.Scheme != "http" || allow.holds(from) || isNear(proxy.Hostname()) {
		return
	}
	p.fault(at, "plain http through a proxy beyond loopback and private networks: the proxy could read the token", allow.fix())
}

// isNear says whether host is loopback or an address of a private network. Of names only localhost is:
// what others mean depends on who answers.
func isNear(host string) bool {
	a, err := netip.ParseAddr(host)
	if err != nil {
		return strings.EqualFold(strings.TrimSuffix(host, "."), "localhost")
	}
	a = a.Unmap()
	return a.IsLoopback() || a.IsPrivate() || a.IsLinkLocalUnicast()
}
