package http1

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// held is a connection that writes when it is told to, so that several TLS records
// arrive as one piece.
type held struct {
	net.Conn
	waiting bytes.Buffer
	holding bool
}

func (h *held) Write(p []byte) (int, error) {
	if h.holding {
		return h.waiting.Write(p)
	}
	return h.Conn.Write(p)
}

// SetWriteDeadline does nothing: CloseWrite sets one that has passed.
func (h *held) SetWriteDeadline(time.Time) error { return nil }

func (h *held) let() {
	h.holding = false
	_, _ = h.waiting.WriteTo(h.Conn)
}

// tlsServer is server, with TLS.
func tlsServer(t *testing.T, serve func(n int, c *tls.Conn, under *held, r *bufio.Reader)) (*Transport, string) {
	t.Helper()
	lent := httptest.NewTLSServer(nil)
	t.Cleanup(lent.Close)
	config := lent.TLS.Clone()
	config.NextProtos, config.ClientAuth = nil, tls.RequestClientCert
	address := server(t, func(n int, raw *net.TCPConn, _ *bufio.Reader) {
		under := &held{Conn: raw}
		c := tls.Server(under, config)
		serve(n, c, under, bufio.NewReader(c))
	})
	client := lent.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
	client.ServerName, client.ClientSessionCache = "example.com", tls.NewLRUClientSessionCache(1) // who keeps none gets no tickets
	o := ours(address).opts
	dial := o.Dial
	o.Dial = func(ctx context.Context) (net.Conn, error) {
		raw, err := dial(ctx)
		if err != nil {
			return nil, err
		}
		c := tls.Client(raw, client)
		return c, c.HandshakeContext(ctx)
	}
	return New(o), address
}

// TestNothingUnaskedByTLS: what comes behind an answer in a TLS record of its own,
// and was read off the socket with it, is nobody's answer.
func TestNothingUnaskedByTLS(t *testing.T) {
	rt, address := tlsServer(t, func(n int, c *tls.Conn, under *held, r *bufio.Reader) {
		for {
			if _, err := take(r); err != nil {
				return
			}
			under.holding = n == 0
			_, _ = io.WriteString(c, ok)
			if n == 0 {
				_, _ = io.WriteString(c, strings.Replace(ok, "200 OK", "299 Evil", 1))
			}
			under.let()
		}
	})
	for range 3 {
		if status, _, err := send(t.Context(), rt, "POST", address, nil); status != 200 || err != nil {
			t.Fatalf("%d, %v", status, err)
		}
	}
}

// TestCloseNotify: a server that has said by TLS that it writes no more gets no
// further request, though its connection is open.
func TestCloseNotify(t *testing.T) {
	for _, together := range []bool{true, false} {
		var taken atomic.Int64
		said := make(chan struct{}, 1)
		rt, address := tlsServer(t, func(_ int, c *tls.Conn, under *held, r *bufio.Reader) {
			if _, err := take(r); err != nil {
				return
			}
			taken.Add(1)
			under.holding = together
			_, _ = io.WriteString(c, ok)
			_ = c.CloseWrite()
			under.let()
			said <- struct{}{}
			_, _ = io.Copy(io.Discard, r)
		})
		for range 3 {
			if status, _, err := send(t.Context(), rt, "POST", address, nil); status != 200 || err != nil {
				t.Errorf("with the answer: %v: %d, %v", together, status, err)
			}
			<-said
		}
		if taken.Load() != 3 {
			t.Errorf("with the answer: %v: %d requests of 3 arrived", together, taken.Load())
		}
	}
}

// TestTicketsAreNoAnswer: what comes unasked for TLS's own needs does no harm.
func TestTicketsAreNoAnswer(t *testing.T) {
	done := make(chan struct{})
	defer close(done)
	rt, _ := tlsServer(t, func(_ int, c *tls.Conn, _ *held, _ *bufio.Reader) {
		_ = c.Handshake() // its tickets come behind the client's part, since it asks for a certificate
		<-done
	})
	c, err := rt.dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for end := time.Now().Add(10 * time.Second); silent(c.Conn.(*tls.Conn).NetConn()); runtime.Gosched() {
		if time.Now().After(end) {
			t.Fatal("no ticket came")
		}
	}
	if !c.usable() || !silent(c.Conn.(*tls.Conn).NetConn()) {
		t.Error("a session ticket was taken for an answer")
	}
}
