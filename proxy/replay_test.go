package proxy

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

func text(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte('a' + i%26)
	}
	return b
}

// TestUploads sends bodies of both kinds and sizes on both sides
// of the limit.
func TestUploads(t *testing.T) {
	for _, size := range []int{0, 10, 1 << 20, 1<<20 + 1, 3 << 20} {
		for _, chunked := range []bool{false, true} {
			t.Run(fmt.Sprint(size, " chunked=", chunked), func(t *testing.T) {
				body := text(size)
				f := newFront(t, refuseOld("t2", func(w http.ResponseWriter, r *http.Request) {
					_, _ = io.Copy(io.Discard, r.Body)
					w.WriteHeader(401)
				}), nil)
				var reader io.Reader = bytes.NewReader(body)
				if chunked {
					reader = io.MultiReader(reader) // hides the length
				}
				req, _ := http.NewRequest("POST", f.URL, reader)
				resp, got, rec := f.call(t, req)
				if size <= 1<<20 && (resp.StatusCode != 200 || got != "POST "+string(body)) {
					t.Errorf("%d, %d bytes, %+v", resp.StatusCode, len(got), rec)
				}
				if size > 1<<20 && (resp.StatusCode != 401 || rec.Outcome != OutcomeNotReplayable || rec.Err == nil) {
					t.Errorf("%d, %+v", resp.StatusCode, rec)
				}
			})
		}
	}
}

// TestEarlyRefusalOfALargeBody: the upstream refuses before it has read more
// than the limit, and the whole body, larger than the limit, arrives with the
// second try. The client sends the rest only when the second try asks for it,
// so nothing was read ahead.
func TestEarlyRefusalOfALargeBody(t *testing.T) {
	const size = 4 << 20
	arrived := make(chan int, 1)
	upstream := rawUpstream(t, func(conn net.Conn, req *http.Request) {
		if req.Header.Get("Authorization") == "Bearer t1" {
			_, _ = io.CopyN(io.Discard, req.Body, 100)
			_, _ = io.WriteString(conn, "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n")
			_, _ = io.Copy(io.Discard, conn) // until the proxy hangs up
			return
		}
		got, _ := io.ReadAll(req.Body)
		if bytes.Equal(got, text(size)) {
			arrived <- len(got)
		}
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
	})
	f := newFront(t, http.NotFoundHandler(), func(o *Options) { o.Target.Host = upstream; o.Retry.BodyLimit = 64 << 10 })
	gate := make(chan struct{})
	body := io.MultiReader(bytes.NewReader(text(size)[:32<<10]), gated{gate}, bytes.NewReader(text(size)[32<<10:]))
	go func() { <-f.tokens.asked; close(gate) }()
	req, _ := http.NewRequest("POST", f.URL, body)
	resp, got, rec := f.call(t, req)
	if resp.StatusCode != 200 || got != "ok" || rec.Outcome != OutcomeRecovered {
		t.Fatalf("%d %q %+v", resp.StatusCode, got, rec)
	}
	if n := <-arrived; n != size {
		t.Errorf("%d bytes arrived", n)
	}
}

// gated is an empty reader that ends when its gate opens.
type gated struct{ gate <-chan struct{} }

func (g gated) Read([]byte) (int, error) { <-g.gate; return 0, io.EOF }

// TestWhyABodyIsNotSentAgain: the key that would help is named, body_limit or
// replay_memory.
func TestWhyABodyIsNotSentAgain(t *testing.T) {
	for want, change := range map[string]func(*Options){
		"raise retry.body_limit": func(o *Options) { o.Retry.BodyLimit = 10 },
		"used up replay_memory":  func(o *Options) { o.Retry.Memory = NewMemory(10) },
		"":                       func(o *Options) { o.Retry.Memory = NewMemory(1 << 20) },
	} {
		f := newFront(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			if r.Header.Get("Authorization") == "Bearer t1" {
				w.WriteHeader(http.StatusUnauthorized)
			}
		}), change)
		req, _ := http.NewRequest("POST", f.URL, bytes.NewReader(text(1000)))
		resp, _, rec := f.call(t, req)
		if got := fmt.Sprint(rec.Err); (resp.StatusCode == 200) != (want == "") || want != "" && !strings.Contains(got, want) {
			t.Errorf("%q: %d, %s", want, resp.StatusCode, got)
		}
	}
}
