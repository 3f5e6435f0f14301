package proxy

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

func text(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte('a' + i%26)
	}
	return b
}

func TestTapePlaysTheSameBodyAgain(t *testing.T) {
	for _, size := range []int{0, 1, chunkSize - 1, chunkSize, chunkSize + 1, 3*chunkSize + 7} {
		for _, first := range []int{0, 1, chunkSize, 2*chunkSize + 3, size} {
			body := text(size)
			tape := newTape(iotest.HalfReader(bytes.NewReader(body)), 1<<20, nil)
			one, _ := tape.rewind(nil)
			_, _ = io.CopyN(io.Discard, one, int64(min(first, size)))
			two, err := tape.rewind(nil)
			if err != nil {
				t.Fatal(err)
			}
			tape.stop()
			if err := iotest.TestReader(two, body); err != nil {
				t.Errorf("size %d, first try read %d: %v", size, first, err)
			}
			if _, err := one.Read(make([]byte, 1)); !errors.Is(err, errSuperseded) {
				t.Errorf("the first try still reads: %v", err)
			}
			if !tape.ended() {
				t.Error("the end was not seen")
			}
			if tape.recorded != nil {
				t.Error("the record was kept")
			}
		}
	}
}

func TestTapeRunsOver(t *testing.T) {
	body := text(1000)
	tape := newTape(bytes.NewReader(body), 500, nil)
	one, _ := tape.rewind(nil)
	_, _ = io.CopyN(io.Discard, one, 500)
	if !tape.replayable() {
		t.Error("let go at the limit")
	}
	rest, err := io.ReadAll(one)
	if err != nil || !bytes.Equal(rest, body[500:]) {
		t.Errorf("the rest: %d bytes, %v", len(rest), err)
	}
	if _, err := tape.rewind(nil); !errors.Is(err, errNotReplayable) {
		t.Errorf("rewind: %v", err)
	}
	if tape.recorded != nil {
		t.Error("the record was kept")
	}
}

func TestTapeKeepsWhatAStaleReadBrings(t *testing.T) {
	for _, stopped := range []bool{false, true} {
		pr, pw := io.Pipe()
		tape := newTape(pr, 8, nil) // less than what comes late
		one, _ := tape.rewind(nil)
		go func() { _, _ = pw.Write([]byte("head ")) }()
		_, _ = io.ReadFull(one, make([]byte, 5))
		stale := make(chan string)
		go func() {
			b := make([]byte, 64)
			n, _ := one.Read(b)
			stale <- string(b[:n])
		}()
		for len(tape.reading) == 0 { // until the stale Read waits for the client
			time.Sleep(time.Millisecond)
		}
		two, err := tape.rewind(nil)
		if err != nil {
			t.Fatal(err)
		}
		if stopped {
			tape.stop()
		}
		go func() { _, _ = pw.Write([]byte("and a long tail")); pw.Close() }()
		got, err := io.ReadAll(two)
		if err != nil || string(got) != "head and a long tail" {
			t.Errorf("stopped=%v: the second try read %q, %v", stopped, got, err)
		}
		<-stale
	}
}

func TestTapePassesOnHowTheBodyBroke(t *testing.T) {
	broken := errors.New("the client died")
	tape := newTape(io.MultiReader(strings.NewReader("abc"), iotest.ErrReader(broken)), 100, nil)
	one, _ := tape.rewind(nil)
	if _, err := io.ReadAll(one); !errors.Is(err, broken) {
		t.Errorf("first: %v", err)
	}
	two, _ := tape.rewind(nil)
	if got, err := io.ReadAll(two); string(got) != "abc" || !errors.Is(err, broken) {
		t.Errorf("second: %q, %v", got, err)
	}
}

func TestClosedTryDoesNotHangOnASlowClient(t *testing.T) {
	for _, ahead := range []time.Duration{0, 20 * time.Millisecond} { // in the second case Read waits for its turn
		pr, pw := io.Pipe()
		tape := newTape(pr, 100, nil)
		one, _ := tape.rewind(nil)
		go func() { _, _ = one.Read(make([]byte, 1)) }()
		for len(tape.reading) == 0 {
			time.Sleep(time.Millisecond)
		}
		two, _ := tape.rewind(nil)
		done := make(chan error)
		go func() { _, err := two.Read(make([]byte, 1)); done <- err }()
		time.Sleep(ahead)
		_ = two.Close()
		if err := <-done; !errors.Is(err, errSuperseded) {
			t.Errorf("Read, %v before Close: %v", ahead, err)
		}
		pw.Close()
	}
}

func FuzzTape(f *testing.F) {
	f.Add(uint16(100), uint16(50), uint16(60), uint64(1))
	f.Add(uint16(65535), uint16(40000), uint16(65535), uint64(2))
	f.Fuzz(func(t *testing.T, size, first, limit uint16, seed uint64) {
		r := rand.New(rand.NewPCG(seed, 0))
		body := text(int(size))
		tape := newTape(bytes.NewReader(body), int64(limit), nil)
		try, _ := tape.rewind(nil)
		for range 3 {
			buf := make([]byte, 1+r.IntN(5000))
			for read := 0; read < int(first); {
				n, err := try.Read(buf)
				read += n
				if err != nil {
					break
				}
			}
			again, err := tape.rewind(nil)
			if err != nil {
				return
			}
			try = again
		}
		tape.stop()
		if got, err := io.ReadAll(try); err != nil || !bytes.Equal(got, body) {
			t.Errorf("%d bytes of %d, %v", len(got), len(body), err)
		}
	})
}

// TestUploadOfUnknownLength sends bodies of both kinds and sizes on both sides
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
