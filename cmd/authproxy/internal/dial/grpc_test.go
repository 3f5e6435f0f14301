package dial

import (
	"bufio"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// strict passes HTTP/2 between c and up as servers of gRPC do: a third ping without
// headers or data in between ends the connection. pings counts them.
func strict(c, up net.Conn, pings *atomic.Int64) {
	defer c.Close()
	defer up.Close()
	var strikes atomic.Int64
	go frames(c, up, func(kind, _ byte) bool {
		if kind <= 1 { // DATA, HEADERS (RFC 9113 section 6)
			strikes.Store(0)
		}
		return true
	})
	preface := make([]byte, 24)
	_, _ = io.ReadFull(c, preface)
	_, _ = up.Write(preface)
	frames(up, c, func(kind, flags byte) bool {
		if kind != 6 || flags&1 != 0 { // PING, and no answer to one
			return true
		}
		pings.Add(1)
		return strikes.Add(1) < 3
	})
}

// frames copies frames (RFC 9113 section 4.1) as long as pass lets it.
func frames(to io.Writer, from io.Reader, pass func(kind, flags byte) bool) {
	r := bufio.NewReader(from)
	for {
		head, err := r.Peek(9)
		if err != nil || !pass(head[3], head[4]) {
			return
		}
		length := int64(binary.BigEndian.Uint32(head) >> 8)
		if _, err := io.CopyN(to, r, 9+length); err != nil {
			return
		}
	}
}

// TestSilentStreamOfGRPC goes on, however long it is silent: its servers end the
// connections of those who ping them.
func TestSilentStreamOfGRPC(t *testing.T) {
	resume := make(chan struct{})
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.(http.Flusher).Flush()
		<-resume
		_, _ = io.WriteString(w, "at last")
	}))
	s.Config.Protocols = new(http.Protocols)
	s.Config.Protocols.SetUnencryptedHTTP2(true)
	s.Start()
	t.Cleanup(s.Close)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	var pings atomic.Int64
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			up, err := net.Dial("tcp", s.Listener.Addr().String())
			if err != nil {
				_ = c.Close()
				continue
			}
			go strict(c, up, &pings)
		}
	}()
	pool := mustMake(t, Options{Scheme: "http", Host: l.Addr().String(), H2C: true, Idle: 10, IdleTime: time.Minute, Ping: 20 * time.Millisecond})
	begin := func(media string) *http.Response {
		req, _ := http.NewRequestWithContext(t.Context(), "POST", "http://"+l.Addr().String()+"/watch", strings.NewReader("x"))
		req.Header.Set("Content-Type", media)
		resp, err := pool.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		return resp
	}
	grpc, other := begin("application/grpc+proto"), begin("application/json")
	if _, err := io.ReadAll(other.Body); err == nil || pings.Load() != 3 {
		t.Errorf("the server bears %d pings; %v", pings.Load(), err)
	}
	close(resume) // as much time has passed as three pings take
	if text, err := io.ReadAll(grpc.Body); string(text) != "at last" || err != nil {
		t.Errorf("%q, %v", text, err)
	}
	if pings.Load() != 3 {
		t.Errorf("%d pings", pings.Load())
	}
}
