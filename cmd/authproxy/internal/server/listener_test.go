package server

import (
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"authproxy/cmd/authproxy/internal/config"
)

// pipes is a listener whose connections are in memory, so that time can be fake.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newPipes() *pipes { return &pipes{conns: make(chan net.Conn), closed: make(chan struct{})} }

// Accept implements [net.Listener].
func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

// Close implements [net.Listener].
func (p *pipes) Close() error { p.once.Do(func() { close(p.closed) }); return nil }

// Addr implements [net.Listener].
func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipes", Net: "unix"} }

// dial opens a connection and sends text on it.
func (p *pipes) dial(text string) net.Conn {
	ours, theirs := net.Pipe()
	p.conns <- theirs
	go func() { _, _ = io.WriteString(ours, text) }()
	return ours
}

// serveInMemory serves h as applications are served, within a bubble.
func serveInMemory(h http.Handler) *pipes {
	s := newServer(&config.Config{}, Options{Log: io.Discard})
	p, srv := newPipes(), s.dataServer(h, &config.Config{MaxHeader: 1 << 20})
	go func() { _ = srv.Serve(p) }()
	return p
}

// TestSlowHeads: a head that takes longer than half a minute is cut off, and so
// is a connection without a word.
func TestSlowHeads(t *testing.T) {
	for _, head := range []string{"", "GET / HTTP/1.1\r\n", "GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ", "PRI * HTTP/2.0\r\n"} {
		synctest.Test(t, func(t *testing.T) {
			p := serveInMemory(http.NotFoundHandler())
			defer p.Close()
			conn, began := p.dial(head), time.Now()
			_ = conn.SetReadDeadline(time.Now().Add(time.Hour))
			if _, err := io.Copy(io.Discard, conn); err != nil {
				t.Errorf("after %q the connection was kept: %v", head, err)
			}
			if took := time.Since(began); took < 29*time.Second || took > 31*time.Second {
				t.Errorf("after %q it was cut in %v", head, took)
			}
		})
	}
}

// TestSilentConnections are kept for three minutes between two requests.
func TestSilentConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := serveInMemory(http.NotFoundHandler())
		defer p.Close()
		conn, began := p.dial("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"), time.Now()
		if _, err := io.Copy(io.Discard, conn); err != nil {
			t.Error(err)
		}
		if took := time.Since(began); took < 179*time.Second || took > 181*time.Second {
			t.Errorf("closed after %v", took)
		}
	})
}

// TestLongStreams: what a client takes an hour to send, and a server to answer,
// is not cut.
func TestLongStreams(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := serveInMemory(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			control := http.NewResponseController(w)
			_ = control.EnableFullDuplex()
			_, _ = io.WriteString(w, "first ")
			_ = control.Flush()
			time.Sleep(time.Hour)
			_, _ = io.Copy(w, r.Body)
		}))
		defer p.Close()
		conn := p.dial("POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 6\r\n\r\n")
		defer conn.Close()
		go func() {
			time.Sleep(2 * time.Hour)
			_, _ = io.WriteString(conn, "second")
		}()
		text, err := io.ReadAll(conn)
		if err != nil && !errors.Is(err, io.EOF) || !strings.Contains(string(text), "first ") || !strings.Contains(string(text), "second") {
			t.Errorf("%q, %v", text, err)
		}
	})
}
