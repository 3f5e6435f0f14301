package proxy

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// halves answers a refusal of the old token in two pieces, with a pause between
// that ends when go is read.
func halves(resume <-chan struct{}, length bool) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer t1" {
			_, _ = io.WriteString(w, `{"ok":1}`)
			return
		}
		w.Header().Set("Content-Type", "text/json")
		if length {
			w.Header().Set("Content-Length", fmt.Sprint(len(envelopeText)))
		}
		_, _ = io.WriteString(w, envelopeText[:30])
		w.(http.Flusher).Flush()
		<-resume
		_, _ = io.WriteString(w, envelopeText[30:])
	}
}

// TestRefusalThatShowsTooLate goes to the client, and the token is replaced for the
// next request.
func TestRefusalThatShowsTooLate(t *testing.T) {
	for _, length := range []bool{true, false} {
		resume := make(chan struct{})
		f := newFront(t, halves(resume, length), func(o *Options) { o.Refusal.Wait = time.Millisecond })
		resp, err := http.Get(f.URL)
		if err != nil {
			t.Fatal(err)
		}
		close(resume) // the status line is here: nothing is held any more
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || string(body) != envelopeText {
			t.Errorf("%q, %v", body, err)
		}
		rec := <-f.records.arrived
		if rec.Trigger != TriggerBody || rec.Outcome != OutcomeTooLate || rec.Err == nil || rec.Refused != "fp-t1" || rec.Attempts != 1 {
			t.Errorf("recorded %+v", rec)
		}
		<-f.tokens.done
		if n := f.tokens.accepted.Load(); n != 0 {
			t.Errorf("the refused token was accepted %d times", n)
		}
		if _, got, _ := f.get(t, "/"); got != `{"ok":1}` {
			t.Errorf("the next request: %s", got)
		}
	}
}

// TestSecondRefusalThatShowsTooLate is one all the same: the new token did not help.
func TestSecondRefusalThatShowsTooLate(t *testing.T) {
	resume := make(chan struct{})
	late := halves(resume, false)
	f := newFront(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") == "Bearer t1" {
			w.WriteHeader(401)
			return
		}
		r.Header.Set("Authorization", "Bearer t1") // what halves refuses
		late(w, r)
	}), func(o *Options) { o.Refusal.Wait = time.Millisecond })
	resp, err := http.Get(f.URL)
	if err != nil {
		t.Fatal(err)
	}
	close(resume)
	body, err := io.ReadAll(resp.Body)
	resp.Body.Close()
	rec := <-f.records.arrived
	if string(body) != envelopeText || err != nil || rec.Outcome != OutcomeStillRefused || rec.Trigger != TriggerStatus || rec.Err == nil {
		t.Errorf("%q, %v, recorded %+v", body, err, rec)
	}
	if futile, accepted := f.tokens.futile.Load(), f.tokens.accepted.Load(); futile != 1 || accepted != 0 {
		t.Errorf("told %d times that it was futile, %d times that a token was accepted", futile, accepted)
	}
}

// TestRefusalInPieces within the time is seen.
func TestRefusalInPieces(t *testing.T) {
	for _, length := range []bool{true, false} {
		resume := make(chan struct{})
		f := newFront(t, halves(resume, length), func(o *Options) { o.Refusal.Wait = time.Minute })
		time.AfterFunc(60*time.Millisecond, func() { close(resume) })
		if _, got, rec := f.get(t, "/"); got != `{"ok":1}` || rec.Outcome != OutcomeRecovered {
			t.Errorf("%s, recorded %+v", got, rec)
		}
	}
}

// TestRefusalWhoseBodyStalls does not delay the second try.
func TestRefusalWhoseBodyStalls(t *testing.T) {
	for _, length := range []string{"100", ""} {
		stalled := make(chan struct{})
		f := newFront(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Authorization") == "Bearer t2" {
				close(stalled)
				_, _ = io.WriteString(w, "done")
				return
			}
			if length != "" {
				w.Header().Set("Content-Length", length)
			}
			w.WriteHeader(401)
			_, _ = io.WriteString(w, "stalls")
			w.(http.Flusher).Flush()
			<-stalled // the second try has come
		}), nil)
		if _, got, rec := f.get(t, "/"); got != "done" || rec.Outcome != OutcomeRecovered {
			t.Errorf("%s, recorded %+v", got, rec)
		}
	}
}

// TestHeaderTrigger counts as header.
func TestHeaderTrigger(t *testing.T) {
	f := newFront(t, refuseOld("t2", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("WWW-Authenticate", `Bearer realm="x", error="invalid_token"`)
		w.WriteHeader(400)
	}), func(o *Options) { o.Refusal.Header = map[string][]string{"WWW-Authenticate": {"*invalid_token*"}} })
	if _, _, rec := f.get(t, "/"); rec.Trigger != TriggerHeader || rec.Outcome != OutcomeRecovered {
		t.Errorf("recorded %+v", rec)
	}
}

// TestSecondTryWithoutAnAnswer is counted.
func TestSecondTryWithoutAnAnswer(t *testing.T) {
	f := newFront(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") == "Bearer t2" {
			panic(http.ErrAbortHandler)
		}
		w.WriteHeader(401)
	}), nil)
	req, _ := http.NewRequest("POST", f.URL, strings.NewReader("x"))
	if _, _, rec := f.call(t, req); rec.Trigger != TriggerStatus || rec.Outcome != OutcomeFailed || rec.Status != 502 {
		t.Errorf("recorded %+v", rec)
	}
}

// TestRefusedAgainWithoutBeingSentAgain: a request that cannot be repeated, and was
// refused with two tokens, is doubted as one whose second try was refused.
func TestRefusedAgainWithoutBeingSentAgain(t *testing.T) {
	f := newFront(t, status(401), func(o *Options) { o.Retry.Disabled = true })
	for i, futile := range []int64{0, 1, 2} {
		f.get(t, "/always")
		<-f.tokens.done
		if got := f.tokens.futile.Load(); got != futile {
			t.Errorf("request %d: told %d times that it was futile", i, got)
		}
	}
}

// slowEnd is a body of which nothing comes but its end, after a while.
type slowEnd struct{}

func (slowEnd) Read([]byte) (int, error) { time.Sleep(4 * flushAfter); return 0, io.EOF }
func (slowEnd) Close() error             { return nil }

// flushes counts how often it is flushed.
type flushes struct {
	http.ResponseWriter
	n int
}

func (f *flushes) Flush() { f.n++ }

// TestAnswerWithoutABodyIsNotFlushed: what gRPC says in a header alone would else be
// followed by an empty frame, which its clients take for a broken stream.
func TestAnswerWithoutABodyIsNotFlushed(t *testing.T) {
	for _, looks := range []bool{true, false} {
		f := newFront(t, status(200), func(o *Options) {
			if !looks {
				o.Refusal.Body = nil
			}
			o.Transport = roundTrip(func(req *http.Request) (*http.Response, error) {
				return &http.Response{
					StatusCode: 200, ProtoMajor: 2, Header: http.Header{"Grpc-Status": {"5"}, "Content-Type": {"application/grpc"}},
					Body: slowEnd{}, Request: req,
				}, nil
			})
		})
		w := &flushes{ResponseWriter: httptest.NewRecorder()}
		f.Config.Handler.ServeHTTP(w, httptest.NewRequest("POST", "http://localhost/a", nil))
		if w.n != 0 {
			t.Errorf("looks %v: flushed %d times", looks, w.n)
		}
	}
}
