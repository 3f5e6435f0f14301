// Package proxy forwards requests to one upstream with an access token that
// the client knows nothing of.
//
// The handler that [New] returns is an [httputil.ReverseProxy] with as little
// between the client and the upstream as can be: what is taken away, added or
// looked at stands in the fields of [Options]. It streams both ways.
package proxy

import (
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync/atomic"
	"time"

	"authproxy/proxy/internal/refusal"
	"authproxy/proxy/internal/replay"
	"authproxy/proxy/internal/target"
)

// Options configure the handler of one upstream. Name, Target, Tokens, Authorizer
// and Transport are needed; for the others the zero value means what they say.
type Options struct {
	// Name is the upstream's, for records and error messages.
	Name string
	// Target is the base URL: scheme, host, and a path that goes before the
	// client's.
	Target *url.URL
	// Tokens hands out tokens.
	Tokens TokenSource
	// Authorizer knows where the token goes.
	Authorizer Authorizer
	// Refusal says which answers refuse the token; none by default.
	Refusal Refusal
	// Retry bounds the second try.
	Retry Retry
	// Headers and Query say what passes; everything by default.
	Headers Headers
	Query   Query
	// StripPrefix is taken off the client's path; empty for nothing.
	StripPrefix string
	// PreserveHost sends the client's Host instead of the target's.
	PreserveHost bool
	// PathPrefix is what the paths of all requests to the handler begin with, as it
	// stands in a request line; empty when nobody knows. A cookie for all paths is
	// made one for these.
	PathPrefix string
	// ComesBack tells whether a request to the Host and by the scheme of client's, but
	// for path, percent-encoded, would come to this handler; nil when all do. No
	// address is rewritten to one that would not.
	ComesBack func(client *http.Request, path string) bool
	// KeepLocation leaves Location, Content-Location and Link as the upstream sends
	// them, also where they point into the target.
	KeepLocation bool
	// AddressHeaders names more headers of answers, whose value is one address:
	// where that points into the target, it is rewritten to one that leads here.
	AddressHeaders []string
	// KeepCookies leaves the attributes of Set-Cookie as the upstream sends them.
	// Else Domain, Path and what needs TLS become what the client's address needs.
	KeepCookies bool
	// Origins lists the web pages to which the upstream may open its answers by
	// CORS; for all others its permissions are dropped.
	Origins []string
	// Access, when not empty, lists what passes; everything else is answered 403
	// not_allowed, and 400 ambiguous_path where the path cannot be judged.
	Access []Access
	// Upgrades lists the values of Upgrade that pass; none by default.
	Upgrades []string
	// MaxInFlight is how many requests may be on their way at once; more are
	// answered 503 overloaded. 0 for no limit.
	MaxInFlight int
	// Transport speaks to the upstream. It must not add headers of its own:
	// see [http.Transport.DisableCompression]. An error that has a method
	// Reason() string says itself, in the words of [Reason], why the exchange
	// failed; the text of one that says dial or tls is shown to the client, and
	// must quote nothing of what the upstream sent. The reason of other errors is
	// told by their types.
	Transport http.RoundTripper
	// Observers are told of every request, in this order.
	Observers []Observer
}

// Retry bounds the second try of a request whose token was refused.
type Retry struct {
	// Disabled: nothing is sent twice. The token is replaced all the same.
	Disabled bool
	// BodyLimit is how many bytes of a request body are recorded to be sent
	// again; 0 for none.
	BodyLimit int64
	// Memory bounds what all requests to all upstreams with it keep together; nil has
	// no bound.
	Memory *Memory
}

// Memory is where request bodies are kept that may be sent again.
type Memory = replay.Memory

// NewMemory returns a memory of so many bytes.
func NewMemory(limit int64) *Memory { return replay.NewMemory(limit) }

type handler struct {
	opts      Options
	policy    *policy
	exchange  *exchange
	reverse   httputil.ReverseProxy
	addresses *addresses
	target    *target.Target
	inFlight  atomic.Int64
}

// New returns the handler of one upstream. It fails when something needed is
// missing from opts.
func New(opts Options) (http.Handler, error) {
	if err := opts.check(); err != nil {
		return nil, err
	}
	h := &handler{opts: opts, policy: newPolicy(opts), addresses: newAddresses(opts), exchange: &exchange{
		tokens: opts.Tokens, authorizer: opts.Authorizer, refusal: refusal.New(opts.Refusal),
		retry: opts.Retry, transport: opts.Transport, doubts: newDoubts(),
	}}
	var err error
	h.target, err = target.New(target.Options{Base: opts.Target, Strip: opts.StripPrefix, Access: opts.Access, Passes: h.passes})
	if err != nil {
		return nil, err
	}
	h.reverse = httputil.ReverseProxy{
		Rewrite:        h.rewrite,
		Transport:      h.exchange,
		ModifyResponse: h.modify,
		ErrorHandler:   h.fail,
		ErrorLog:       log.New(io.Discard, "", 0), // it quotes what the upstream sent, which may be the token
		BufferPool:     copyBuffers{},
	}
	if !h.exchange.refusal.Looks() {
		h.reverse.FlushInterval = flushAfter // else modify knows better
	}
	return h, nil
}

func (o Options) check() error {
	switch {
	case o.Target == nil || o.Target.Host == "":
		return errors.New("proxy: no target")
	case o.Tokens == nil || o.Transport == nil:
		return errors.New("proxy: no token source or no transport")
	case o.Authorizer == nil:
		return errors.New("proxy: no place for the token")
	default:
		return nil
	}
}

// passes tells whether the client's header of that name goes upstream.
func (h *handler) passes(name string) bool {
	probe := &http.Request{Header: http.Header{name: nil}, URL: new(url.URL)}
	h.opts.Authorizer.Strip(probe)
	return len(probe.Header) > 0 && h.policy.passes(name)
}

// ServeHTTP implements [http.Handler].
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := begin(w, r, h.opts.Name, h.opts.Observers)
	c.handler = h
	defer c.finish()
	inFlight := h.inFlight.Add(1)
	defer h.inFlight.Add(-1)
	switch {
	case h.opts.MaxInFlight > 0 && inFlight > int64(h.opts.MaxInFlight):
		c.reject(CodeOverloaded, "more requests are on their way than max_in_flight allows: try again", time.Second)
	case r.Method == http.MethodConnect || r.Method == http.MethodTrace:
		// A tunnel would be none, and a trace would echo the token.
		w.Header().Set("Allow", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS") // RFC 9110 section 15.5.6
		c.reject(CodeMethodNotSupported, r.Method+" is not forwarded", 0)
	default:
		h.forward(c, r)
	}
}

// forward sends r upstream, unless its path may not go there.
func (h *handler) forward(c *call, r *http.Request) {
	var err error
	if c.path, err = h.target.Path(r, c.record.Path); err != nil {
		h.rejectPath(c, err)
		return
	}
	h.reverse.ServeHTTP(&c.writer, r.WithContext(c))
	if c.unsized && c.record.BytesOut == 0 {
		// The server would say a length of 0, where the upstream said none.
		_ = http.NewResponseController(c.writer.ResponseWriter).Flush()
	}
}

// rejectPath answers a request whose path may not go upstream.
func (h *handler) rejectPath(c *call, err error) {
	if denied, ok := errors.AsType[*target.NotAllowedError](err); ok {
		c.reject(CodeNotAllowed, fmt.Sprintf("access of upstream %q does not list %s %s for Host %s", h.opts.Name, denied.Method, denied.Path, denied.Host), 0)
		return
	}
	c.reject(CodeAmbiguousPath, err.Error(), 0)
}

// rewrite makes the request that goes upstream, but for the token.
func (h *handler) rewrite(p *httputil.ProxyRequest) {
	h.target.Aim(p.Out.URL, callOf(p.In).path)
	p.Out.URL.RawQuery = p.In.URL.RawQuery // ReverseProxy has taken out what it cannot parse
	restoreForwarded(p.Out.Header, p.In.Header)
	h.opts.Authorizer.Strip(p.Out)
	p.Out.URL.RawQuery = h.policy.query(p.Out.URL.RawQuery, p.In.Header)
	h.policy.headers(p.Out.Header, p.In.Header)
	h.policy.filter(p.Out.Trailer)
	p.Out.Host = ""
	if h.opts.PreserveHost {
		p.Out.Host = p.In.Host
	}
}

// modify makes the answer that the client gets.
func (h *handler) modify(resp *http.Response) error {
	c := callOf(resp.Request)
	h.filter(resp.Header, c.request)
	if _, named := resp.Header["Content-Type"]; !named {
		c.writer.Header()["Content-Type"] = nil // else the server would guess one
	}
	arrived := refusal.Arrived(resp.Body)
	h.filterTrailers(resp, c)
	if c.unsized = resp.ContentLength < 0; c.unsized {
		delete(resp.Header, "Content-Length") // HTTP/2 lets any text pass, and the server would log it
	}
	c.empty = resp.ContentLength == 0 || resp.Body == http.NoBody && !c.unsized
	if h.exchange.refusal.Looks() && resp.ContentLength > 0 && !arrived {
		resp.ContentLength = -1 // ReverseProxy then flushes what comes as it comes; the field stays
	}
	if c.bodyLeft() {
		// The server would otherwise first read the rest of the body, and a
		// client that waits for the answer before it sends on would hang.
		resp.Header.Set("Connection", "close")
	}
	if resp.StatusCode == http.StatusSwitchingProtocols {
		c.record.Status = resp.StatusCode
	}
	return nil
}

// flushAfter is for how long what has come of an answer with a length waits for
// more: without it the server would keep the head of one whose small body stalls.
const flushAfter = 5 * time.Millisecond
