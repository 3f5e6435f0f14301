package main_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"runtime"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"authproxy/cmd/authproxy/authproxytest"
)

// h2c speaks HTTP/2 in clear text.
func h2c(t *testing.T) *http.Client {
	t.Helper()
	transport := &http.Transport{DisableCompression: true, Protocols: new(http.Protocols)}
	transport.Protocols.SetUnencryptedHTTP2(true)
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// TestPiecesArriveAsTheyAreWritten: the upstream writes the next piece only
// when the client has the one before.
func TestPiecesArriveAsTheyAreWritten(t *testing.T) {
	t.Parallel()
	got := make(chan bool)
	p, _ := proxied(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", r.URL.Query().Get("type"))
		for i := range 5 {
			fmt.Fprintf(w, "{\"event\":%d}\n", i)
			_ = http.NewResponseController(w).Flush()
			select {
			case <-got:
			case <-r.Context().Done():
				return
			}
		}
	}))
	for name, c := range map[string]*http.Client{"HTTP/1.1": authproxytest.Client, "HTTP/2": h2c(t)} {
		for _, mediaType := range []string{"text/event-stream", "application/x-ndjson", "application/json", "application/grpc-web", "text/plain"} {
			t.Run(name+" "+mediaType, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), authproxytest.Patience)
				defer cancel()
				req, _ := http.NewRequestWithContext(ctx, http.MethodGet, p.URL+"/?type="+mediaType, nil)
				resp, err := c.Do(req)
				if err != nil {
					t.Fatal(err)
				}
				defer resp.Body.Close()
				lines := bufio.NewReader(resp.Body)
				for i := range 5 {
					line, err := lines.ReadString('\n')
					if want := fmt.Sprintf("{\"event\":%d}\n", i); line != want {
						t.Fatalf("piece %q, want %q: %v", line, want, err)
					}
					got <- true
				}
				if rest, err := io.ReadAll(lines); len(rest) > 0 || err != nil {
					t.Errorf("behind the last piece: %q, %v", rest, err)
				}
			})
		}
	}
}

// memory reads a line of /proc/PID/status, in KiB.
func memory(t *testing.T, p *authproxytest.Program, name string) int {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.Cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(name + `:\s+(\d+) kB`).FindSubmatch(status)
	if m == nil {
		t.Fatalf("no %s in %s", name, status)
	}
	n, _ := strconv.Atoi(string(m[1]))
	return n
}

// grows returns by how much the resident memory of the program grows, at its
// highest, while do runs; in KiB.
func grows(t *testing.T, p *authproxytest.Program, do func()) int {
	t.Helper()
	if err := os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", p.Cmd.Process.Pid), []byte("5"), 0); err != nil { // resets VmHWM
		t.Fatal(err)
	}
	before := memory(t, p, "VmRSS")
	do()
	return memory(t, p, "VmHWM") - before
}

const flat = 16 << 10 // KiB

// TestMemoryIsFlat: 2 GiB pass each way, readers and writers may be slow, and a
// body may want to be decompressed to much more than it is.
func TestMemoryIsFlat(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("SKIPPED: the memory of a process is read from /proc")
	}
	size := int64(2 << 30)
	if testing.Short() {
		size = 256 << 20
	}
	bomb := gzipped(t, 60<<20)
	mux := http.NewServeMux()
	mux.HandleFunc("/down", func(w http.ResponseWriter, r *http.Request) {
		n, _ := strconv.ParseInt(r.URL.RawQuery, 10, 64)
		w.Header().Set("Content-Length", r.URL.RawQuery)
		_, _ = io.CopyN(w, zeros{}, n)
	})
	mux.HandleFunc("/up", func(w http.ResponseWriter, r *http.Request) {
		n, err := io.Copy(io.Discard, r.Body)
		fmt.Fprint(w, n, err)
	})
	mux.HandleFunc("/bomb", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(bomb)
	})
	p, _ := proxied(t, mux, "invalid_token: { status: [401], body: { code: [DEAD] } }")
	down := func(size int64) {
		resp, err := authproxytest.Client.Get(fmt.Sprint(p.URL, "/down?", size))
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if n, err := io.Copy(io.Discard, resp.Body); n != size || err != nil {
			t.Errorf("%d bytes came: %v", n, err)
		}
	}
	up := func(size int64, chunked bool) {
		req, _ := http.NewRequest(http.MethodPut, p.URL+"/up", io.LimitReader(zeros{}, size))
		if !chunked {
			req.ContentLength = size
		}
		resp, err := authproxytest.Client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if text, _ := io.ReadAll(resp.Body); string(text) != fmt.Sprint(size, " <nil>") && string(text) != fmt.Sprint(size, error(nil)) {
			t.Errorf("the upstream got %s", text)
		}
	}
	down(32 << 20) // what any work takes
	up(32<<20, true)
	before := levelOf(t, p)
	for name, do := range map[string]func(){
		"2 GiB down":          func() { down(size) },
		"2 GiB up":            func() { up(size, false) },
		"1 GiB up, in chunks": func() { up(size/2, true) },
		"100 bombs": func() {
			for range 100 {
				if a := authproxytest.Ask(t, http.MethodGet, p.URL+"/bomb", nil); a.Body != string(bomb) {
					t.Error("came out otherwise")
				}
			}
		},
	} {
		if grown := grows(t, p, do); grown > flat {
			t.Errorf("%s: %d KiB more", name, grown)
		} else {
			t.Logf("%s: %d KiB more", name, grown)
		}
	}
	settles(t, p, before)
}

// zeros is an endless body.
type zeros struct{}

func (zeros) Read(b []byte) (int, error) { return len(b), nil }

// gzipped returns a body of size zeros.
func gzipped(t *testing.T, size int64) []byte {
	t.Helper()
	var b bytes.Buffer
	w, _ := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if _, err := io.CopyN(w, zeros{}, size); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil || b.Len() > 64<<10 {
		t.Fatalf("%d bytes, %v", b.Len(), err)
	}
	return b.Bytes()
}

// TestSlowPeersSlowTheOther: who does not read stops who writes.
func TestSlowPeersSlowTheOther(t *testing.T) {
	t.Parallel()
	const much, atMost = 1 << 30, 64 << 20 // what the buffers of four sockets may hold is less
	var written atomic.Int64
	stuck := make(chan error, 1)
	mux := http.NewServeMux()
	mux.HandleFunc("/down", func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(2 * time.Second))
		n, err := io.CopyN(w, zeros{}, much)
		written.Store(n)
		stuck <- err
	})
	done := make(chan struct{})
	defer close(done)
	mux.HandleFunc("/up", func(http.ResponseWriter, *http.Request) { <-done })
	p, _ := proxied(t, mux, "max_idle_conns: 2")
	p.Get(t) // the token
	grown := grows(t, p, func() {
		conn := p.Dial(t, "GET /down HTTP/1.1\r\nHost: localhost\r\n\r\n")
		if err := <-stuck; !errors.Is(err, os.ErrDeadlineExceeded) || written.Load() > atMost {
			t.Errorf("%d bytes written for a reader that does not read: %v", written.Load(), err)
		}
		conn.Close()

		conn = p.Dial(t, fmt.Sprintf("PUT /up HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n", much))
		_ = conn.SetWriteDeadline(time.Now().Add(2 * time.Second))
		if n, err := io.CopyN(conn, zeros{}, much); !errors.Is(err, os.ErrDeadlineExceeded) || n > atMost {
			t.Errorf("%d bytes sent to a server that does not read: %v", n, err)
		}
		conn.Close()
	})
	if grown > flat {
		t.Errorf("%d KiB more", grown)
	}
}
