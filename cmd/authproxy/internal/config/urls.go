package config

import (
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"authproxy/cmd/authproxy/internal/config/tree"
)

// templateURL parses text, which the template at comes to and which begins with what stands at from,
// as an absolute http or https URL, and reports what is wrong at the one of the two that is.
func (p *parser) templateURL(at, from *tree.Node, text string) *url.URL {
	u, what, fix := readURL(text)
	if what == "" {
		return u
	}
	if _, faulty, _ := readURL(from.Text); faulty == "" {
		from = at
	}
	p.fault(from, what, fix)
	return nil
}

// readURL parses text as an absolute http or https URL, and returns what is wrong with it and how to
// mend it. These do not show the URL, which may come from the environment.
func readURL(text string) (u *url.URL, what, fix string) {
	fix = "write scheme, host and port, such as https://api.example.com"
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return nil, "is not a URL", fix
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, "is not a URL that begins with http:// or https://", fix
	case u.Hostname() == "" || !isHost(strings.ToLower(u.Hostname())) || !isPort(u.Port()):
		return nil, "is a URL without a usable host or port", fix
	case u.User != nil:
		return nil, "is a URL with a user name or password in it", "put credentials under tokens"
	}
	return u, "", ""
}

// Origins are origins of web pages, scheme://host[:port], as browsers write them.
type Origins []string

func (o *Origins) read(p *parser, n *tree.Node) { *o = p.origins(n) }

// origins reads origins of web pages.
func (p *parser) origins(n *tree.Node) []string {
	const fix = "write scheme, host and port as the browser's address bar has them, such as http://localhost:3000"
	var out []string
	for _, item := range p.faults.Items(n, "write [http://localhost:3000]") {
		if !p.faults.Single(item, fix) {
			continue
		}
		page, ok := origin(item.Text)
		switch {
		case !ok:
			p.fault(item, "is not the origin of a web page", fix)
		case !isASCII(page):
			p.fault(item, "holds letters that browsers do not send as they are", "write the host as they do, in the form xn--...")
		default:
			out = append(out, page)
		}
	}
	return out
}

// origin returns text in the spelling of browsers: lower case, and without a port that the scheme
// implies (RFC 6454, sections 4 and 6.2). ok is false when text is no origin.
func origin(text string) (page string, ok bool) {
	text = strings.ToLower(text)
	u, err := url.Parse(text)
	if err != nil || u.User != nil || u.Scheme == "" || u.Scheme+"://"+u.Host != text || !isHost(u.Hostname()) || !isPort(u.Port()) {
		return "", false
	}
	host, port := u.Hostname(), strings.TrimLeft(u.Port(), "0")
	if a, err := netip.ParseAddr(host); err == nil {
		host = a.String()
	}
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if port != "" && !(u.Scheme == "http" && port == "80" || u.Scheme == "https" && port == "443") {
		host += ":" + port
	}
	return u.Scheme + "://" + host, true
}

func isPort(port string) bool {
	n, err := strconv.ParseUint(port, 10, 16)
	return port == "" || err == nil && n > 0
}

// proxyURL reads the URL of a forward proxy; nil means none.
func (p *parser) proxyURL(n *tree.Node) *url.URL {
	const fix = "write http://proxy.example.com:3128, or https:// or socks5://"
	if n.Blank() || !p.faults.Single(n, fix) {
		return nil
	}
	u, err := url.Parse(n.Text)
	if err != nil || !isHost(strings.ToLower(u.Hostname())) || !isPort(u.Port()) || !contains([]string{"http", "https", "socks5", "socks5h"}, u.Scheme) {
		p.fault(n, "is not the URL of a proxy", fix)
		return nil
	}
	return u
}
