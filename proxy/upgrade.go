package proxy

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"strings"
)

// hasToken tells whether one of the comma-separated values is token.
func hasToken(values []string, token string) bool {
	for _, v := range values {
		for one := range strings.SplitSeq(v, ",") {
			if strings.EqualFold(strings.TrimSpace(one), token) {
				return true
			}
		}
	}
	return false
}

// upgrade takes away an Upgrade that is not configured; the request itself
// goes on. Passing h2c on would open a second, unseen way to the upstream
// (golang/go#80416), and Java's HttpClient asks for it by default.
func (p *policy) upgrade(out http.Header) {
	asked, ok := out["Upgrade"]
	if !ok {
		return
	}
	for _, name := range p.upgrades {
		if len(asked) == 1 && strings.EqualFold(asked[0], name) {
			return
		}
	}
	delete(out, "Upgrade")
	delete(out, "Connection")
	delete(out, "Http2-Settings") // it goes with h2c, RFC 7540 section 3.2.1
}

// checkSwitch vets an answer 101 before ReverseProxy acts on it: one that was
// not asked for, or that names another protocol, would leak the connection and
// two goroutines. Of its hop-by-hop headers only the switch itself passes.
func checkSwitch(req *http.Request, resp *http.Response) error {
	if resp.StatusCode != http.StatusSwitchingProtocols {
		return nil
	}
	asked, got := req.Header.Get("Upgrade"), resp.Header.Get("Upgrade")
	if asked == "" || !strings.EqualFold(asked, got) || !hasToken(resp.Header["Connection"], "Upgrade") {
		_ = resp.Body.Close()
		return fmt.Errorf("the upstream switched to protocol %q where %q was asked for", got, asked)
	}
	for _, v := range resp.Header["Connection"] {
		for name := range strings.SplitSeq(v, ",") {
			resp.Header.Del(strings.TrimSpace(name))
		}
	}
	for _, name := range []string{"Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Connection", "Te", "Trailer", "Transfer-Encoding"} {
		resp.Header.Del(name)
	}
	resp.Header.Set("Connection", "Upgrade")
	resp.Header.Set("Upgrade", got)
	return nil
}

// Hijack implements [http.Hijacker] for the switch of protocols. What the
// client sent in one packet with its request is in the reader's buffer, where
// ReverseProxy does not look (golang/go#80875), so it is put before the rest.
func (w *writer) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffered, err := http.NewResponseController(w.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	return &hijacked{Conn: conn, buffered: buffered.Reader}, buffered, nil
}

// hijacked is a connection of which some bytes have been read already.
type hijacked struct {
	net.Conn
	buffered *bufio.Reader
}

// Read implements [io.Reader].
func (h *hijacked) Read(p []byte) (int, error) {
	if n := h.buffered.Buffered(); n > 0 {
		return h.buffered.Read(p[:min(n, len(p))])
	}
	return h.Conn.Read(p)
}

// CloseWrite passes the end of one direction on, where the connection can.
func (h *hijacked) CloseWrite() error {
	if c, ok := h.Conn.(interface{ CloseWrite() error }); ok {
		return c.CloseWrite()
	}
	return nil
}
