package config

import (
	"net"
	"net/netip"
	"net/url"
	"strings"

	"authproxy/cmd/authproxy/internal/config/tree"
	"authproxy/internal/httpsyntax"
)

// loop records a fault when upstream i is authproxy itself: each of its requests would come back, to be
// forwarded again.
func (p *parser) loop(root *tree.Node, cfg *Config, i int) {
	u := cfg.Upstreams[i]
	if u.URL.URL == nil {
		return
	}
	listeners := []Address{cfg.Admin.Listen}
	for _, other := range cfg.Upstreams {
		listeners = append(listeners, listenerOf(cfg, other))
	}
	for _, listen := range listeners {
		if leadsTo(u, listen) {
			p.fault(root.Child("upstreams").Items[i].Child("url"), "is authproxy's own address "+string(listen), "give the address of the platform")
			return
		}
	}
}

// leadsTo says whether the requests of u come to listen, by an address of this machine.
func leadsTo(u Upstream, listen Address) bool {
	if u.Socket != "" {
		return string(listen) == httpsyntax.UnixPrefix+u.Socket
	}
	host, port, err := net.SplitHostPort(string(listen))
	if err != nil || listen.isSystemd() || u.ProxyURL != nil || portOf(u.URL.URL) != port {
		return false
	}
	for _, mine := range addresses(host) {
		for _, theirs := range addresses(u.URL.Hostname()) {
			if mine == theirs || mine.IsUnspecified() && theirs.IsLoopback() {
				return true
			}
		}
	}
	return false
}

// addresses are those of host as far as they are known without asking; none is all of this machine.
func addresses(host string) []netip.Addr {
	switch a, err := netip.ParseAddr(host); {
	case err == nil:
		return []netip.Addr{a.Unmap()}
	case host == "":
		return []netip.Addr{netip.IPv6Unspecified()}
	case strings.EqualFold(host, "localhost"):
		return []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1}), netip.IPv6Loopback()}
	default:
		return nil
	}
}

func portOf(u *url.URL) string {
	switch {
	case u.Port() != "":
		return u.Port()
	case u.Scheme == "https":
		return "443"
	default:
		return "80"
	}
}
