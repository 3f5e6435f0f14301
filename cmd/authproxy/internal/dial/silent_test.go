package dial

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// relay is a connection to a server that can be made to swallow what passes, as a
// firewall does that has forgotten it.
type relay struct {
	net.Listener
	to    string
	dead  atomic.Bool // what passes through connections made before is swallowed
	conns atomic.Int64
}

func newRelay(t *testing.T, to string) *relay {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &relay{Listener: l, to: to}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			r.conns.Add(1)
			r.pass(t, c, new(atomic.Bool))
		}
	}()
	return r
}

// pass relays c. Once it has been swallowed, a connection stays dead.
func (r *relay) pass(t *testing.T, c net.Conn, dead *atomic.Bool) {
	up, err := net.Dial("tcp", r.to)
	if err != nil {
		_ = c.Close()
		return
	}
	t.Cleanup(func() { _ = c.Close(); _ = up.Close() })
	copyAll := func(to, from net.Conn) {
		buf := make([]byte, 4096)
		for {
			n, err := from.Read(buf)
			if err != nil {
				return
			}
			if r.dead.Load() {
				dead.Store(true)
			}
			if !dead.Load() {
				_, _ = to.Write(buf[:n])
			}
		}
	}
	go copyAll(up, c)
	go copyAll(c, up)
}

// TestSilentHTTP2ConnectionIsGivenUp, by prior knowledge and by TLS: a request over
// it fails in two pings' time and not at the end of its patience, and the next ones
// get a connection that lives.
func TestSilentHTTP2ConnectionIsGivenUp(t *testing.T) {
	const ping = 50 * time.Millisecond
	for _, h2c := range []bool{true, false} {
		s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.Proto) }))
		s.Config.Protocols = new(http.Protocols)
		s.Config.Protocols.SetUnencryptedHTTP2(h2c)
		s.Config.Protocols.SetHTTP2(true)
		if s.EnableHTTP2 = !h2c; h2c {
			s.Start()
		} else {
			s.StartTLS()
		}
		t.Cleanup(s.Close)
		r := newRelay(t, s.Listener.Addr().String())
		scheme := map[bool]string{true: "http", false: "https"}[h2c]
		pool := mustMake(t, Options{
			Scheme: scheme, Host: r.Addr().String(), H2C: h2c, Idle: 10, IdleTime: time.Minute, Ping: ping,
			Connect: time.Minute, Header: time.Minute, TLS: TLS{InsecureSkipVerify: true},
		})
		get := func() (string, error) {
			req, _ := http.NewRequestWithContext(t.Context(), "POST", scheme+"://"+r.Addr().String(), strings.NewReader("x"))
			resp, err := pool.RoundTrip(req)
			if err != nil {
				return "", err
			}
			defer resp.Body.Close()
			text, err := io.ReadAll(resp.Body)
			return string(text), err
		}
		if proto, err := get(); err != nil || proto != "HTTP/2.0" {
			t.Fatalf("%s: %q, %v", scheme, proto, err)
		}
		r.dead.Store(true)
		began := time.Now()
		if _, err := get(); err == nil {
			t.Errorf("%s: an answer over a dead connection", scheme)
		}
		if took := time.Since(began); took > 30*time.Second {
			t.Errorf("%s: given up after %v", scheme, took)
		}
		r.dead.Store(false)
		if proto, err := get(); err != nil || proto != "HTTP/2.0" || r.conns.Load() < 2 {
			t.Errorf("%s: afterwards %q, %v over %d connections", scheme, proto, err, r.conns.Load())
		}
	}
}

// TestIdleTime: connections are kept for that long, or not at all, and the upstream
// is not told so.
func TestIdleTime(t *testing.T) {
	for idle, want := range map[time.Duration]int64{time.Minute: 1, 0: 3} {
		var conns atomic.Int64
		s := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			if r.Close {
				t.Error("asked to close")
			}
		}))
		s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
			if state == http.StateNew {
				conns.Add(1)
			}
		}
		s.Start()
		t.Cleanup(s.Close)
		pool := mustMake(t, Options{Scheme: "http", Host: s.Listener.Addr().String(), Idle: 10, IdleTime: idle})
		for range 3 {
			resp, err := (&http.Client{Transport: pool}).Get(s.URL)
			if err != nil {
				t.Fatal(err)
			}
			_ = resp.Body.Close()
		}
		if got := conns.Load(); got != want {
			t.Errorf("kept for %v: %d connections", idle, got)
		}
	}
}
