package http1

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/textproto"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// server answers each connection by serve, which is told how many came before.
func server(t *testing.T, serve func(n int, c *net.TCPConn, r *bufio.Reader)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for n := 0; ; n++ {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				serve(n, c.(*net.TCPConn), bufio.NewReader(c))
			}()
		}
	}()
	return l.Addr().String()
}

const ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

// take reads a request with its body.
func take(r *bufio.Reader) (*http.Request, error) {
	req, err := http.ReadRequest(r)
	if err == nil {
		_, err = io.Copy(io.Discard, req.Body)
	}
	return req, err
}

func send(ctx context.Context, rt http.RoundTripper, method, address string, body io.Reader) (int, string, error) {
	req, err := http.NewRequestWithContext(ctx, method, "http://"+address+"/", body)
	if err != nil {
		return 0, "", err
	}
	resp, err := rt.RoundTrip(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(text), err
}

// TestClosedConnectionCostsNoRequest: the server closes its connection behind each
// answer without a word, and every POST arrives once.
func TestClosedConnectionCostsNoRequest(t *testing.T) {
	var taken atomic.Int64
	closed := make(chan struct{}, 1)
	address := server(t, func(_ int, c *net.TCPConn, r *bufio.Reader) {
		if _, err := take(r); err == nil {
			taken.Add(1)
		}
		_, _ = io.WriteString(c, ok)
		_ = c.Close()
		closed <- struct{}{}
	})
	rt := ours(address)
	for i := range 200 {
		if status, text, err := send(t.Context(), rt, "POST", address, strings.NewReader("x")); status != 200 || text != "ok" || err != nil {
			t.Fatalf("request %d: %d, %q, %v", i, status, text, err)
		}
		<-closed
	}
	if taken.Load() != 200 {
		t.Errorf("%d requests of 200 arrived", taken.Load())
	}
}

// TestAnswerBeforeAReset: who refuses an upload before its end, and closes, has said
// why, whatever becomes of the rest.
func TestAnswerBeforeAReset(t *testing.T) {
	for _, size := range []int{64 << 10, 1 << 20, 16 << 20} {
		for range 20 {
			address := server(t, func(_ int, c *net.TCPConn, r *bufio.Reader) {
				_, _ = http.ReadRequest(r)
				_, _ = io.WriteString(c, "HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno")
				_ = c.SetLinger(0)
			})
			status, text, err := send(t.Context(), ours(address), "POST", address, io.LimitReader(zeros{}, int64(size)))
			if status != 401 {
				t.Errorf("%d bytes: %d, %q, %v", size, status, text, err)
			}
		}
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// TestClosesUponTheSecondRequest: what may be repeated is, what may not is never sent
// twice, and the error says what happened.
func TestClosesUponTheSecondRequest(t *testing.T) {
	for method, repeats := range map[string]bool{"GET": true, "HEAD": true, "OPTIONS": true, "POST": false, "PUT": false, "DELETE": false} {
		var taken atomic.Int64
		address := server(t, func(_ int, c *net.TCPConn, r *bufio.Reader) {
			if _, err := take(r); err == nil {
				taken.Add(1)
			}
			_, _ = io.WriteString(c, strings.Replace(ok, "2\r\n\r\nok", "0\r\n\r\n", 1))
			if _, err := take(r); err == nil {
				taken.Add(1)
			}
		})
		rt := ours(address)
		if _, _, err := send(t.Context(), rt, method, address, nil); err != nil {
			t.Fatal(err)
		}
		_, _, err := send(t.Context(), rt, method, address, nil)
		want := int64(2)
		if repeats {
			want = 3
		}
		if (err == nil) != repeats || taken.Load() != want {
			t.Errorf("%s: taken %d times; %v", method, taken.Load(), err)
		}
		if err != nil && !errors.Is(err, io.EOF) && !strings.Contains(err.Error(), "reset") {
			t.Errorf("%s: %v", method, err)
		}
	}
}

// TestRepeatedOnce: however many kept connections die upon a request, it is sent to
// one of them and to a new one.
func TestRepeatedOnce(t *testing.T) {
	const kept = 20
	all, closed := make(chan struct{}), make(chan struct{})
	var waiting, second atomic.Int64
	address := server(t, func(n int, c *net.TCPConn, r *bufio.Reader) {
		if _, err := take(r); err != nil {
			return
		}
		if waiting.Add(1) == kept {
			close(all)
		}
		<-all
		_, _ = io.WriteString(c, ok)
		if _, err := take(r); err == nil {
			second.Add(1)
		}
		if n >= kept {
			close(closed)
		}
	})
	rt := ours(address)
	rt.opts.Idle = kept
	var group sync.WaitGroup
	for range kept {
		group.Go(func() { _, _, _ = send(context.Background(), rt, "GET", address, nil) })
	}
	group.Wait()
	if _, text, err := send(t.Context(), rt, "GET", address, nil); text != "ok" || err != nil || second.Load() != 1 {
		t.Errorf("%q, %v; %d kept connections had it", text, err, second.Load())
	}
	rt.CloseIdleConnections()
	<-closed
}

// TestClosedWhileTheRequestWasOnItsWay: what nobody can have read goes out again, by a
// new connection, whatever its method; what somebody may have read does not.
func TestClosedWhileTheRequestWasOnItsWay(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("what the other side has taken is known on Linux only")
	}
	for _, size := range []int{0, 1, 100_000, 4_000_000} {
		for name, end := range map[string]struct {
			end   func(*net.TCPConn)
			again bool
		}{
			"closed":   {func(c *net.TCPConn) { _ = c.Close() }, true},
			"reads on": {func(c *net.TCPConn) { _ = c.CloseWrite(); _, _ = io.Copy(io.Discard, c); _ = c.Close() }, false},
			"reset":    {func(c *net.TCPConn) { _ = c.SetLinger(0); _ = c.Close() }, true},
		} {
			var taken atomic.Int64
			begin := make(chan struct{})
			address := server(t, func(n int, c *net.TCPConn, r *bufio.Reader) {
				for {
					if _, err := take(r); err != nil {
						return
					}
					taken.Add(1)
					_, _ = io.WriteString(c, ok)
					if n == 0 {
						<-begin
						end.end(c)
						return
					}
				}
			})
			rt := ours(address)
			if _, _, err := send(t.Context(), rt, "GET", address, nil); err != nil {
				t.Fatal(err)
			}
			c, err := rt.get(t.Context())
			if err != nil || !c.used {
				t.Fatal("no kept connection", err)
			}
			close(begin)
			for silent(c.Conn) {
				runtime.Gosched()
			}
			req, _ := http.NewRequest("POST", "http://"+address+"/", bytes.NewReader(make([]byte, size)))
			resp, err := rt.by(c, req)
			if (err == nil) != end.again || end.again != (taken.Load() == 2) {
				t.Errorf("%d bytes, %s: %v, %d requests were taken", size, name, err, taken.Load())
			}
			if err == nil {
				_ = resp.Body.Close()
			}
		}
	}
}

// TestCanceledAnywhere: a request that is given up ends at once, wherever it is, and
// leaves nothing behind.
func TestCanceledAnywhere(t *testing.T) {
	before := runtime.NumGoroutine()
	steps := map[string]string{"before the header": "", "in the header": "HTTP/1.1 200", "in the body": "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", "in a chunk": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhalf"}
	for name, raw := range steps {
		for _, body := range []io.Reader{nil, strings.NewReader("x"), neverEnds{}} {
			ctx, cancel := context.WithCancelCause(t.Context())
			gone, why := make(chan struct{}), errors.New("enough")
			address := server(t, func(_ int, c *net.TCPConn, r *bufio.Reader) {
				_, _ = http.ReadRequest(r)
				_, _ = io.WriteString(c, raw)
				cancel(why)
				_, _ = io.Copy(io.Discard, r)
				close(gone)
			})
			if _, _, err := send(ctx, ours(address), "POST", address, body); !errors.Is(err, why) {
				t.Errorf("%s: %v", name, err)
			}
			select {
			case <-gone:
			case <-time.After(10 * time.Second):
				t.Fatalf("%s: the connection is still open", name)
			}
		}
	}
	for end := time.Now().Add(10 * time.Second); runtime.NumGoroutine() > before+2*len(steps)*3; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d goroutines, before %d", runtime.NumGoroutine(), before)
		}
	}
}

// neverEnds is a body that stops coming.
type neverEnds struct{}

func (neverEnds) Read([]byte) (int, error) { time.Sleep(50 * time.Millisecond); return 0, nil }

// TestHeaderInTime: the time begins when the request has been sent.
func TestHeaderInTime(t *testing.T) {
	address := server(t, func(_ int, c *net.TCPConn, r *bufio.Reader) {
		_, _ = take(r)
		_, _ = io.WriteString(c, "HTTP/1.1 103 Early Hints\r\n\r\n")
		_, _ = io.Copy(io.Discard, r)
	})
	rt := ours(address)
	rt.opts.Header = 100 * time.Millisecond
	for _, body := range []io.Reader{nil, strings.NewReader("x"), io.MultiReader(strings.NewReader("x"), slowly{new(int)})} {
		began := time.Now()
		if _, _, err := send(t.Context(), rt, "POST", address, body); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%v after %v", err, time.Since(began))
		}
	}
}

// slowly is a body that takes longer than the header of the answer may.
type slowly struct{ n *int }

func (s slowly) Read(p []byte) (int, error) {
	if *s.n++; *s.n > 5 {
		return 0, io.EOF
	}
	time.Sleep(50 * time.Millisecond)
	return copy(p, "y"), nil
}

// TestBodyOfTheRequestBreaks: half a request is not left to the server, and the error
// is that of the body.
func TestBodyOfTheRequestBreaks(t *testing.T) {
	broken := errors.New("broken")
	address := server(t, func(_ int, _ *net.TCPConn, r *bufio.Reader) { _, _ = io.Copy(io.Discard, r) })
	for _, length := range []int64{-1, 10, 1 << 20} {
		req, _ := http.NewRequestWithContext(t.Context(), "POST", "http://"+address+"/", io.MultiReader(strings.NewReader("half"), fails{broken}))
		req.ContentLength = length
		if _, err := ours(address).RoundTrip(req); err == nil || err.Error() != "broken" { // net/http wraps it without an Unwrap
			t.Errorf("length %d: %v", length, err)
		}
	}
}

type fails struct{ err error }

func (f fails) Read([]byte) (int, error) { return 0, f.err }

// TestOneConnectionForAll: requests in a row use one connection, and those at once
// no more than that.
func TestOneConnectionForAll(t *testing.T) {
	var conns atomic.Int64
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		_, _ = w.Write(body)
	}))
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			conns.Add(1)
		}
	}
	s.Start()
	defer s.Close()
	address := s.Listener.Addr().String()
	rt := ours(address)
	for i := range 100 {
		body := strings.Repeat("x", i*1000)
		if _, text, err := send(t.Context(), rt, "POST", address, strings.NewReader(body)); text != body || err != nil {
			t.Fatalf("%d bytes: %d came back, %v", len(body), len(text), err)
		}
	}
	if conns.Load() != 1 {
		t.Errorf("%d connections for one after the other", conns.Load())
	}
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			for n := range 200 {
				want := fmt.Sprint(i, ".", n)
				if _, text, err := send(context.Background(), rt, "POST", address, strings.NewReader(want)); text != want || err != nil {
					t.Errorf("%q, want %q, %v", text, want, err)
				}
			}
		})
	}
	group.Wait()
	if conns.Load() > 16 {
		t.Errorf("%d connections for 8 at once", conns.Load())
	}
	rt.CloseIdleConnections()
	if len(rt.idle) != 0 {
		t.Errorf("%d connections are kept", len(rt.idle))
	}
}

// TestIdleConnectionsGo after their time, and at once when the server has closed them.
func TestIdleConnectionsGo(t *testing.T) {
	gone := make(chan struct{}, 9)
	address := server(t, func(_ int, c *net.TCPConn, r *bufio.Reader) {
		_, _ = take(r)
		_, _ = io.WriteString(c, ok)
		_, _ = io.Copy(io.Discard, r)
		gone <- struct{}{}
	})
	rt := ours(address)
	rt.opts.IdleTime = 50 * time.Millisecond
	if _, _, err := send(t.Context(), rt, "GET", address, nil); err != nil {
		t.Fatal(err)
	}
	select {
	case <-gone:
	case <-time.After(10 * time.Second):
		t.Error("it is kept for longer")
	}
}

// TestReadAfterTheEnd: a body says again how it ended, and one that was closed that
// it was; the connection is another request's by then.
func TestReadAfterTheEnd(t *testing.T) {
	address := server(t, func(_ int, c *net.TCPConn, r *bufio.Reader) {
		for {
			if _, err := take(r); err != nil {
				return
			}
			_, _ = io.WriteString(c, ok)
		}
	})
	rt := ours(address)
	get := func() *http.Response {
		req, _ := http.NewRequestWithContext(t.Context(), "GET", "http://"+address+"/", nil)
		resp, err := rt.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		return resp
	}
	first := get()
	_, _ = io.ReadAll(first.Body)
	second := get()
	if n, err := first.Body.Read(make([]byte, 9)); n != 0 || err != io.EOF {
		t.Errorf("behind the end: %d, %v", n, err)
	}
	_ = first.Body.Close()
	if text, err := io.ReadAll(second.Body); string(text) != "ok" || err != nil {
		t.Errorf("the next answer: %q, %v", text, err)
	}
	third := get()
	_ = third.Body.Close()
	if n, err := third.Body.Read(make([]byte, 9)); n != 0 || err != http.ErrBodyReadAfterClose {
		t.Errorf("closed: %d, %v", n, err)
	}
}

// TestTraceIsTold of what was written and of 1xx, on which the proxy relies.
func TestTraceIsTold(t *testing.T) {
	address := server(t, func(_ int, c *net.TCPConn, r *bufio.Reader) {
		_, _ = take(r)
		_, _ = io.WriteString(c, "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"+ok)
	})
	wrote, hints := 0, ""
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{
		WroteHeaders: func() { wrote++ },
		Got1xxResponse: func(code int, h textproto.MIMEHeader) error {
			hints += fmt.Sprint(code, h)
			return nil
		},
	})
	if _, _, err := send(ctx, ours(address), "GET", address, nil); err != nil || wrote != 1 || hints != "103 map[Link:[</a>]]" {
		t.Errorf("wrote %d, hints %s, %v", wrote, hints, err)
	}
}
