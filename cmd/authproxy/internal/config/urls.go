package config

import (
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// checkURL parses text as an absolute http or https URL and reports what is wrong at the node at. Its
// messages do not show the URL, which may come from the environment.
func (p *parser) checkURL(at *node, text string) *url.URL {
	const fix = "write scheme, host and port, such as https://api.example.com"
	u, err := url.Parse(text)
	switch {
	case err != nil:
		p.fault(at, "is not a URL", fix)
	case u.Scheme != "http" && u.Scheme != "https":
		p.fault(at, "is not a URL that begins with http:// or https://", fix)
	case u.Hostname() == "" || !isHost(strings.ToLower(u.Hostname())) || !isPort(u.Port()):
		p.fault(at, "is a URL without a usable host or port", fix)
	case u.User != nil:
		p.fault(at, "is a URL with a user name or password in it", "put credentials under tokens")
	default:
		return u
	}
	return nil
}

// origins reads origins of web pages, in the spelling of browsers (RFC 6454 section 6.2).
func (p *parser) origins(n *node) []string {
	const fix = "write scheme, host and port as the browser's address bar has them, such as http://localhost:3000"
	if n.kind != list && !n.empty() {
		p.fault(n, "must be a list, not "+n.kind.String(), "write [http://localhost:3000]")
		return nil
	}
	var out []string
	for _, item := range n.items {
		if !p.single(item, fix) {
			continue
		}
		u, err := url.Parse(strings.ToLower(item.text))
		if err != nil || u.Scheme == "" || u.Host == "" || u.User != nil || u.Scheme+"://"+u.Host != strings.ToLower(item.text) {
			p.fault(item, "is not the origin of a web page", fix)
			continue
		}
		out = append(out, u.Scheme+"://"+u.Host)
	}
	return out
}

// throughProxy judges a forward proxy of a URL that is not encrypted: the proxy then reads what goes by.
func (p *parser) throughProxy(at *node, u, proxy *url.URL, allowed bool, user string) {
	if u == nil || proxy == nil || u.Scheme != "http" || allowed || isNear(proxy.Hostname()) {
		return
	}
	p.fault(at, "plain http through a proxy beyond loopback and private networks: the proxy could read the token",
		"use https://, or set "+user+".allow_plain_http: true")
}

func isPort(port string) bool {
	n, err := strconv.ParseUint(port, 10, 16)
	return port == "" || err == nil && n > 0
}

// plain judges a URL that is not encrypted: beyond this machine and private networks it is a fault, or,
// where it is allowed, a warning. user is the path of the token or upstream that has the URL.
func (p *parser) plain(at *node, u *url.URL, allowed bool, user string) {
	if u == nil || u.Scheme != "http" || isNear(u.Hostname()) {
		return
	}
	if allowed {
		p.warn(at, "plain http beyond loopback and private networks: what "+user+" sends can be read on the way",
			"use https:// if the platform offers it")
		return
	}
	p.fault(at, "plain http beyond loopback and private networks: credentials and tokens could be read on the way",
		"use https://, or set "+user+".allow_plain_http: true")
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

// proxyURL reads the URL of a forward proxy; nil means none.
func (p *parser) proxyURL(n *node) *url.URL {
	if n.empty() || !p.single(n, "") {
		return nil
	}
	u, err := url.Parse(n.text)
	if err != nil || u.Hostname() == "" || !contains([]string{"http", "https", "socks5", "socks5h"}, u.Scheme) {
		p.fault(n, "is not the URL of a proxy", "write http://proxy.example.com:3128, or https:// or socks5://")
		return nil
	}
	return u
}
