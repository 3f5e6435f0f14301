package server

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"authproxy/cmd/authproxy/internal/config"
	"authproxy/cmd/authproxy/internal/dial"
	"authproxy/internal/trouble"
)

// lookAhead finds out, before the first request, what will not work: tokens are asked for
// where that is configured, and every upstream is connected to once. The log tells of
// what fails.
func (g *generation) lookAhead(ctx context.Context) {
	if w := Unused(g.cfg); w != "" {
		g.log.Warn(w)
	}
	for _, t := range g.tokens {
		if t.cfg.Prefetch {
			t.cache.Prefetch()
		}
	}
	time.AfterFunc(beforeProbe, func() { g.probe(ctx) })
}

// beforeProbe is how long the first request has to show by itself whether an upstream can
// be reached.
const beforeProbe = time.Second

// probe connects to each upstream that no request has gone to yet, until ctx ends.
func (g *generation) probe(ctx context.Context) {
	for o, p := range g.pools {
		if p.Tried() {
			continue
		}
		go func() {
			limited, cancel := context.WithTimeout(ctx, 2*o.Connect)
			defer cancel()
			if err := p.Probe(limited); err != nil && ctx.Err() == nil {
				g.log.Warn("an upstream cannot be reached now; each request tries again", "upstream", strings.Join(p.users, ", "), "error", unreachable(o, err))
			}
		}()
	}
}

// unreachable says why nobody was reached, and what to do.
func unreachable(o dial.Options, err error) string {
	at := o.Scheme + "://" + o.Host
	if o.Socket != "" {
		at = "unix:" + o.Socket
	}
	f, ok := trouble.Find(err, trouble.Side{Scheme: o.Scheme, Host: o.Host, URL: "url", Timeout: "connect_timeout"})
	if !ok {
		f = trouble.Finding{What: "no connection came about", Todo: "check url, and the network"}
	}
	return fmt.Sprintf("%s: %s; %s", at, f.What, f.Todo)
}

// Probe connects to the upstream u once, without a request, and says why that fails.
func Probe(ctx context.Context, u config.Upstream) error {
	o := upstreamDial(u)
	p, err := dial.New(o)
	if err != nil {
		return err
	}
	defer p.CloseIdleConnections()
	ctx, cancel := context.WithTimeout(ctx, 2*o.Connect)
	defer cancel()
	if err := p.Probe(ctx); err != nil {
		return fmt.Errorf("%s", unreachable(o, err))
	}
	return nil
}

// Unused says that the environment names a forward proxy that cfg does not use; "" when
// it does not, or for none of the addresses of cfg.
func Unused(cfg *config.Config) string {
	var users []string
	for _, t := range cfg.Tokens {
		if t.Request == nil {
			continue
		}
		if u, err := url.Parse(t.Request.URL); err == nil && t.ProxyURL == nil && proxied(u, t.Params["token_url"], t.Params["base_url"]) {
			users = append(users, "tokens."+t.Name)
		}
	}
	for _, u := range cfg.Upstreams {
		if u.ProxyURL == nil && u.Socket == "" && proxied(u.URL.URL) {
			users = append(users, "upstream "+u.Name)
		}
	}
	if len(users) == 0 {
		return ""
	}
	return fmt.Sprintf("%s is set in the environment, and is not used, because a proxy may see tokens: where nothing else leads out, write it as proxy_url (without it: %s)",
		proxyVariable(), strings.Join(users, ", "))
}

// proxied tells whether the environment has a proxy for u, or for one of the addresses
// that a template stands for.
func proxied(u *url.URL, others ...string) bool {
	all := []*url.URL{u}
	for _, other := range others {
		if o, err := url.Parse(other); err == nil {
			all = append(all, o)
		}
	}
	for _, one := range all {
		if one.Host == "" {
			continue
		}
		if by, err := http.ProxyFromEnvironment(&http.Request{URL: one}); by != nil || err != nil {
			return true
		}
	}
	return false
}

// proxyVariable is the name of the variable that names a proxy.
func proxyVariable() string {
	for _, name := range []string{"HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"} {
		if os.Getenv(name) != "" {
			return name
		}
	}
	return "a proxy"
}
