package config

import (
	"fmt"
	"strings"

	"authproxy/cmd/authproxy/internal/config/tree"
)

// claims records a fault when upstream i claims the same requests as one before it.
func (p *parser) claims(root *tree.Node, cfg *Config, i int) {
	for j := range i {
		if what := same(cfg, cfg.Upstreams[j], cfg.Upstreams[i]); what != "" {
			p.fault(root.Child("upstreams").Items[i], fmt.Sprintf("claims the same requests as upstreams[%d]: %s", j, what),
				"give one of them its own listen, hosts or path")
			return
		}
	}
}

// same says which requests both a and b claim: on one listener, for one Host, under one path. It
// returns "" when there is none. A path with and without a slash at the end is the same.
func same(cfg *Config, a, b Upstream) string {
	shared := a.Listen == b.Listen || a.Listen+b.Listen == cfg.Listen
	if !shared || a.Listen.AnyPort() || b.Listen.AnyPort() || a.Path == "" || strings.TrimSuffix(a.Path, "/") != strings.TrimSuffix(b.Path, "/") {
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
