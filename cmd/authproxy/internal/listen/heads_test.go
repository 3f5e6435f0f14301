package listen

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// serveHeads serves HTTP with bounded heads, and counts the connections that are cut.
func serveHeads(t *testing.T, secure *atomic.Pointer[TLS]) (address string, heads *Heads, cut *atomic.Int64) {
	t.Helper()
	raw, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	cut = new(atomic.Int64)
	heads = NewHeads(func() { cut.Add(1) })
	s := &http.Server{MaxHeaderBytes: 128 << 10, ReadHeaderTimeout: time.Minute, ConnState: ConnState, Protocols: new(http.Protocols),
		Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) })}
	s.Protocols.SetHTTP1(true)
	s.Protocols.SetUnencryptedHTTP2(true)
	go func() {
		_ = s.Serve(Watch(raw, Watched{Heads: heads, Told: func(Other) {}, TLS: secure}))
	}()
	t.Cleanup(func() { _ = s.Close() })
	return raw.Addr().String(), heads, cut
}

func (s *Heads) now() (used, unfinished int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.used, s.unfinished.Len()
}

func send(t *testing.T, address, text string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_, _ = io.WriteString(c, text) // an error means that it was cut
	return c
}

func eventually(t *testing.T, what string, yes func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !yes(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("not: ", what)
		}
	}
}

// TestHeadsAreBoundedTogether: of many large heads without an end the oldest are cut, and
// whoever sends a whole request is served meanwhile.
func TestHeadsAreBoundedTogether(t *testing.T) {
	address, heads, cut := serveHeads(t, new(atomic.Pointer[TLS]))
	for name, text := range map[string]string{
		"one field":   "GET / HTTP/1.1\r\nHost: localhost\r\nX: " + strings.Repeat("x", 120_000),
		"tiny fields": "GET / HTTP/1.1\r\nHost: localhost\r\n" + strings.Repeat("a:\r\n", 30_000),
	} {
		before := cut.Load()
		first := send(t, address, text)
		var all []net.Conn
		for range 400 {
			all = append(all, send(t, address, text))
		}
		eventually(t, name+": connections to be cut", func() bool { return cut.Load() > before+10 })
		_ = first.SetReadDeadline(time.Now().Add(20 * time.Second))
		if _, err := io.ReadAll(first); err != nil && strings.Contains(err.Error(), "timeout") {
			t.Errorf("%s: the oldest was not cut", name)
		}
		if used, _ := heads.now(); used > headsTogether {
			t.Errorf("%s: %d bytes", name, used)
		}
		for _, size := range []int{1, 100_000} { // a common head, and a whole large one
			req, _ := http.NewRequest("GET", "http://"+address, nil)
			req.Header.Set("X", strings.Repeat("x", size))
			resp, err := http.DefaultClient.Do(req)
			if err != nil || resp.StatusCode != 200 {
				t.Errorf("%s: a request with a head of %d bytes: %v", name, size, err)
				continue
			}
			_ = resp.Body.Close()
		}
		http.DefaultClient.CloseIdleConnections()
		for _, c := range all {
			_ = c.Close()
		}
		eventually(t, name+": all to be given back", func() bool { used, n := heads.now(); return used == 0 && n == 0 })
	}
}

// TestWhatIsNoHeadIsNotCounted: bodies, switched protocols and HTTP/2 are somebody else's,
// and each request of a connection begins anew.
func TestWhatIsNoHeadIsNotCounted(t *testing.T) {
	address, heads, cut := serveHeads(t, new(atomic.Pointer[TLS]))
	body := strings.Repeat("x\n\n", 1<<20)
	c := send(t, address, "")
	in := bufio.NewReader(c)
	for range 20 {
		_, _ = fmt.Fprintf(c, "POST / HTTP/1.1\r\nHost: localhost\r\nX: %s\r\nContent-Length: %d\r\n\r\n%s", strings.Repeat("y", 50_000), len(body), body)
		resp, err := http.ReadResponse(in, nil)
		if err != nil || resp.StatusCode != 200 {
			t.Fatal(resp, err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
	}
	eventually(t, "the head to be given back", func() bool { used, _ := heads.now(); return used == 0 })
	two := new(http.Protocols)
	two.SetUnencryptedHTTP2(true)
	client := &http.Client{Transport: &http.Transport{Protocols: two}}
	for range 20 {
		resp, err := client.Post("http://"+address, "", strings.NewReader(body))
		if err != nil || resp.ProtoMajor != 2 {
			t.Fatal(resp, err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
		if used, _ := heads.now(); used != 0 {
			t.Fatalf("%d bytes of HTTP/2 count", used)
		}
	}
	if cut.Load() > 0 {
		t.Errorf("%d connections were cut", cut.Load())
	}
}

// TestHeadInPieces: whatever the pieces, the end of a head is seen, and nothing after it.
func TestHeadInPieces(t *testing.T) {
	const rest = "\r\nno head any more\r\n\r\n"
	for _, text := range []string{"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "GET / HTTP/1.1\nHost: x\n\n", "GET / HTTP/1.1\r\nX: y\r\n z\r\n\r\n"} {
		for size := 1; size <= len(text); size++ {
			h := head{heads: NewHeads(func() {}), reading: true, blank: true}
			for at := 0; at < len(text); at += size {
				if !h.reading {
					t.Fatalf("%q in pieces of %d: over at %d", text, size, at)
				}
				h.saw([]byte(text[at:min(at+size, len(text))]))
			}
			cost := h.cost
			if h.saw([]byte(rest)); h.reading || h.cost != cost {
				t.Errorf("%q in pieces of %d: reading %t, cost %d, then %d", text, size, h.reading, cost, h.cost)
			}
		}
	}
}
