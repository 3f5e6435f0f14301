package config

import (
	"strings"

	"authproxy/cmd/authproxy/internal/config/tree"
	"authproxy/internal/httpsyntax"
)

// places warns of sockets and files in whose place another user could put their own.
func (p *parser) places(root *tree.Node, cfg *Config) {
	const fix = "use a folder of its own, such as /run/authproxy, into which only its user writes"
	items := root.Child("upstreams").Items
	for i, u := range cfg.Upstreams {
		if i >= len(items) {
			break
		}
		if why := replaceable(u.Socket); u.Socket != "" && why != "" {
			p.warn(items[i].Child("url"), "the token may go to another user's program: "+why, fix)
		}
		p.ownPlace(items[i].Get("listen"), u.Listen, fix)
	}
	p.ownPlace(root.Get("listen"), cfg.Listen, fix)
	p.ownPlace(root.Child("admin").Get("listen"), cfg.Admin.Listen, fix)
}

// ownPlace warns of a socket of our own that another user could take the place of.
func (p *parser) ownPlace(n *tree.Node, listen Address, fix string) {
	if n == nil || !listen.IsUnix() {
		return
	}
	path := strings.TrimPrefix(string(listen), httpsyntax.UnixPrefix)
	if why := replaceable(path); why != "" {
		p.warn(n, "callers may reach another user's program: "+why, fix)
	}
}
