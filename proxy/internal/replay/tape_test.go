package replay

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
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
	for _, size := range []int{0, 1, pieceSize - 1, pieceSize, pieceSize + 1, 3*pieceSize + 7} {
		for _, first := range []int{0, 1, pieceSize, 2*pieceSize + 3, size} {
			body := text(size)
			tape := NewTape(iotest.HalfReader(bytes.NewReader(body)), 1<<20, nil, nil)
			one, _ := tape.Rewind(nil)
			_, _ = io.CopyN(io.Discard, one, int64(min(first, size)))
			two, err := tape.Rewind(nil)
			if err != nil {
				t.Fatal(err)
			}
			tape.Stop()
			if err := iotest.TestReader(two, body); err != nil {
				t.Errorf("size %d, first try read %d: %v", size, first, err)
			}
			if _, err := one.Read(make([]byte, 1)); !errors.Is(err, errSuperseded) {
				t.Errorf("the first try still reads: %v", err)
			}
			if !tape.Ended() {
				t.Error("the end was not seen")
			}
			if tape.record.first != nil {
				t.Error("the record was kept")
			}
		}
	}
}

func TestTapeRunsOver(t *testing.T) {
	body := text(1000)
	tape := NewTape(bytes.NewReader(body), 500, nil, nil)
	one, _ := tape.Rewind(nil)
	_, _ = io.CopyN(io.Discard, one, 500)
	if !tape.Replayable() {
		t.Error("let go at the limit")
	}
	rest, err := io.ReadAll(one)
	if err != nil || !bytes.Equal(rest, body[500:]) {
		t.Errorf("the rest: %d bytes, %v", len(rest), err)
	}
	if _, err := tape.Rewind(nil); !errors.Is(err, errNotReplayable) {
		t.Errorf("rewind: %v", err)
	}
	if tape.record.first != nil {
		t.Error("the record was kept")
	}
}

func TestTapeKeepsWhatAStaleReadBrings(t *testing.T) {
	for _, stopped := range []bool{false, true} {
		pr, pw := io.Pipe()
		tape := NewTape(pr, 8, nil, nil) // less than what comes late
		one, _ := tape.Rewind(nil)
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
		two, err := tape.Rewind(nil)
		if err != nil {
			t.Fatal(err)
		}
		if stopped {
			tape.Stop()
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
	tape := NewTape(io.MultiReader(strings.NewReader("abc"), iotest.ErrReader(broken)), 100, nil, nil)
	one, _ := tape.Rewind(nil)
	if _, err := io.ReadAll(one); !errors.Is(err, broken) {
		t.Errorf("first: %v", err)
	}
	two, _ := tape.Rewind(nil)
	if got, err := io.ReadAll(two); string(got) != "abc" || !errors.Is(err, broken) {
		t.Errorf("second: %q, %v", got, err)
	}
}

func TestClosedTryDoesNotHangOnASlowClient(t *testing.T) {
	for _, ahead := range []time.Duration{0, 20 * time.Millisecond} { // in the second case Read waits for its turn
		pr, pw := io.Pipe()
		tape := NewTape(pr, 100, nil, nil)
		one, _ := tape.Rewind(nil)
		go func() { _, _ = one.Read(make([]byte, 1)) }()
		for len(tape.reading) == 0 {
			time.Sleep(time.Millisecond)
		}
		two, _ := tape.Rewind(nil)
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
		tape := NewTape(bytes.NewReader(body), int64(limit), nil, nil)
		try, _ := tape.Rewind(nil)
		for range 3 {
			buf := make([]byte, 1+r.IntN(5000))
			for read := 0; read < int(first); {
				n, err := try.Read(buf)
				read += n
				if err != nil {
					break
				}
			}
			again, err := tape.Rewind(nil)
			if err != nil {
				return
			}
			try = again
		}
		tape.Stop()
		from := io.Reader(try)
		if seed%2 == 0 {
			from = struct{ io.Reader }{try} // without WriteTo
		}
		var got bytes.Buffer
		if _, err := io.Copy(struct{ io.Writer }{&got}, from); err != nil || !bytes.Equal(got.Bytes(), body) {
			t.Errorf("%d bytes of %d, %v", got.Len(), len(body), err)
		}
	})
}

func TestTapeAfterClose(t *testing.T) {
	src := bytes.NewReader(text(10))
	tape := NewTape(src, 100, nil, nil)
	one, _ := tape.Rewind(nil)
	_, _ = io.CopyN(io.Discard, one, 4)
	left := src.Len()
	two, _ := tape.Rewind(nil)
	tape.Stop()
	_ = two.Close()
	if tape.record.first != nil {
		t.Error("the record of a closed try was kept")
	}
	if n, err := two.Read(make([]byte, 9)); n != 0 || !errors.Is(err, errSuperseded) || src.Len() != left {
		t.Errorf("read %d after Close, %v", n, err)
	}

	tape = NewTape(io.MultiReader(strings.NewReader("a"), errReader{}), 100, nil, nil)
	one, _ = tape.Rewind(nil)
	_, _ = io.ReadAll(one)
	if tape.Ended() {
		t.Error("a broken body counts as whole")
	}
}

type errReader struct{}

func (errReader) Read([]byte) (int, error) { return 0, errors.New("broken") }

// lender writes in pieces and looks, after the body has been sent again or let go
// meanwhile, whether what it was given is still the same.
type lender struct {
	got     []byte
	between func(sofar int)
}

func (l *lender) Write(p []byte) (int, error) {
	before := bytes.Clone(p)
	l.between(len(l.got))
	if !bytes.Equal(before, p) {
		return 0, errors.New("the memory was given to somebody else")
	}
	l.got = append(l.got, p...)
	return len(p), nil
}

// TestTapeWritesItself: what a try writes is the body, however often it is sent and
// whatever ends in the middle of a write; nothing is kept at the end.
func TestTapeWritesItself(t *testing.T) {
	for _, size := range []int{0, 1, firstSize - 1, firstSize, firstSize + 1, firstSize + pieceSize, firstSize + 3*pieceSize + 7} {
		for _, limit := range []int64{0, 100, firstSize, firstSize + pieceSize, 1 << 20} {
			for at := 0; at <= size; at += 10000 {
				for _, stop := range []bool{false, true} {
					body, memory := text(size), NewMemory(1<<20)
					tape := NewTape(iotest.HalfReader(bytes.NewReader(body)), limit, memory, nil)
					try, _ := tape.Rewind(nil)
					var again io.ReadCloser
					w := &lender{between: func(sofar int) {
						switch {
						case sofar < at || again != nil:
						case stop:
							tape.Stop()
						default:
							if next, err := tape.Rewind(nil); err == nil {
								again = next
							}
						}
						scribble(memory)
					}}
					_, err := io.Copy(w, try)
					if again != nil {
						try, w = again, &lender{between: func(int) { scribble(memory) }}
						tape.Stop()
						_, err = io.Copy(w, try)
					}
					if err != nil || !bytes.Equal(w.got, body) {
						t.Fatalf("size %d, limit %d, at %d, stop %v: %d bytes, %v", size, limit, at, stop, len(w.got), err)
					}
					tape.Stop()
					if memory.Used() != 0 {
						t.Fatalf("size %d, limit %d, at %d, stop %v: %d bytes are kept", size, limit, at, stop, memory.Used())
					}
				}
			}
		}
	}
}

// scribble takes what memory there is for another body.
func scribble(m *Memory) {
	other := record{memory: m}
	other.add(bytes.Repeat([]byte{'#'}, firstSize+pieceSize), false)
	other.clear()
}

// TestMemoryBoundsAllTapes: beyond it a body passes without being kept, and what ends
// makes room for others.
func TestMemoryBoundsAllTapes(t *testing.T) {
	memory := NewMemory(firstSize + 2*pieceSize)
	send := func(size int) *Tape {
		tape := NewTape(bytes.NewReader(text(size)), 1<<20, memory, nil)
		try, _ := tape.Rewind(nil)
		if n, err := io.Copy(io.Discard, try); n != int64(size) || err != nil {
			t.Fatalf("%d bytes of %d, %v", n, size, err)
		}
		return tape
	}
	first := send(2 * pieceSize)
	if !first.Replayable() || memory.Used() != firstSize+2*pieceSize {
		t.Errorf("%v, %d bytes used", first.Replayable(), memory.Used())
	}
	if second := send(1); second.Replayable() || !second.Full() || first.Full() {
		t.Error("kept beyond the memory, or nothing says so")
	}
	first.Stop()
	if third := send(pieceSize); !third.Replayable() {
		t.Error("what was given back is not lent again")
	}
	large := send(1 << 19)
	if large.Replayable() || memory.Used() != firstSize+pieceSize {
		t.Errorf("%v, %d bytes used", large.Replayable(), memory.Used())
	}
}
