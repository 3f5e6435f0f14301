package replay

import (
	"errors"
	"io"
	"testing"
	"time"
)

func TestTapeHold(t *testing.T) {
	type result struct {
		text string
		err  error
	}
	for name, end := range map[string]func(*Tape, io.ReadCloser){
		"rewind": func(tp *Tape, _ io.ReadCloser) { _, _ = tp.Rewind(nil) },
		"stop":   func(tp *Tape, _ io.ReadCloser) { tp.Stop() },
		"close":  func(_ *Tape, one io.ReadCloser) { _ = one.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			pr, pw := io.Pipe()
			defer pw.Close()
			go func() {
				_, _ = io.WriteString(pw, "more than the limit")
				_, _ = io.WriteString(pw, "rest")
				pw.Close()
			}()
			tp := NewTape(pr, 8, nil, nil)
			one, _ := tp.Rewind(nil)
			tp.Hold()
			got := make(chan result, 1)
			go func() { b, err := io.ReadAll(one); got <- result{string(b), err} }()
			select {
			case r := <-got:
				t.Fatalf("read %+v while held", r)
			case <-time.After(30 * time.Millisecond):
			}
			end(tp, one)
			r := <-got
			if name == "stop" && (r.err != nil || r.text != "more than the limitrest") || name != "stop" && !errors.Is(r.err, errSuperseded) {
				t.Errorf("%+v", r)
			}
		})
	}
	// A Read that was under way when the hold began runs over, and is kept.
	pr, pw := io.Pipe()
	tp := NewTape(pr, 8, nil, nil)
	one, _ := tp.Rewind(nil)
	go func() { _, _ = one.Read(make([]byte, 64)) }()
	for len(tp.reading) == 0 {
		time.Sleep(time.Millisecond)
	}
	time.Sleep(10 * time.Millisecond)
	tp.Hold()
	go func() { _, _ = io.WriteString(pw, "more than the limit"); pw.Close() }()
	time.Sleep(20 * time.Millisecond)
	two, err := tp.Rewind(nil)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(two); string(b) != "more than the limit" || err != nil {
		t.Errorf("%q, %v", b, err)
	}
}
