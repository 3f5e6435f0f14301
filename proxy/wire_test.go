package proxy

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"authproxy/proxy/internal/replay"
)

func TestWhatCountsAsAccepted(t *testing.T) {
	for code, want := range map[int]int64{200: 1, 204: 1, 302: 1, 400: 1, 403: 1, 404: 1, 401: 0, 429: 0, 500: 0, 503: 0} {
		f := newFront(t, status(code), func(o *Options) { o.Refusal = Refusal{} })
		f.get(t, "/")
		if got := f.tokens.accepted.Load(); got != want {
			t.Errorf("%d: accepted %d times", code, got)
		}
	}
	f := newFront(t, refuseOld("t2", status(401)), nil)
	if f.get(t, "/"); f.tokens.accepted.Load() != 1 {
		t.Error("the second token was not accepted")
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestEachTryHasItsOwnHeaderAndCanBeRepeated(t *testing.T) {
	var heads []http.Header
	var tape *replay.Tape
	f := newFront(t, http.NotFoundHandler(), func(o *Options) {
		o.Transport = roundTrip(func(r *http.Request) (*http.Response, error) {
			heads, tape = append(heads, r.Header), callOf(r).tape
			_, _ = io.CopyN(io.Discard, r.Body, 2)
			again, err := r.GetBody() // as after GOAWAY
			if err != nil {
				return nil, err
			}
			if b, _ := io.ReadAll(again); string(b) != "body" {
				t.Errorf("repeated with %q", b)
			}
			code := 401
			if r.Header.Get("Authorization") == "Bearer t2" {
				code = 200
			}
			return &http.Response{StatusCode: code, Body: http.NoBody, Request: r, Header: http.Header{}}, nil
		})
	})
	req, _ := http.NewRequest("POST", f.URL, strings.NewReader("body"))
	f.call(t, req)
	if len(heads) != 2 || heads[0].Get("Authorization") != "Bearer t1" || heads[1].Get("Authorization") != "Bearer t2" {
		t.Errorf("%v", heads)
	}
	if tape.Replayable() {
		t.Error("still recording after the answer")
	}
}

type ctxTokens struct {
	*tokens
	ctx chan context.Context
}

func (c ctxTokens) Replace(ctx context.Context, rejected string) (Token, error) {
	c.ctx <- ctx
	return c.tokens.Replace(ctx, rejected)
}

func TestReplacementForTheNextRequestSurvivesThisOne(t *testing.T) {
	ctxs := make(chan context.Context, 1)
	f := newFront(t, status(401), func(o *Options) {
		o.Retry.Disabled = true
		o.Tokens = ctxTokens{o.Tokens.(*tokens), ctxs}
	})
	f.get(t, "/")
	if ctx := <-ctxs; ctx.Err() != nil {
		t.Error(ctx.Err())
	}
}

func TestRefusedAnswerGivesItsConnectionBack(t *testing.T) {
	from := map[string]bool{}
	f := newFront(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		from[r.RemoteAddr] = true
		refuseOld("t2", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(401)
			_, _ = w.Write(text(1000))
		})(w, r)
	}), nil)
	f.get(t, "/")
	if len(from) != 1 {
		t.Errorf("%d connections", len(from))
	}
}

type endless struct {
	closed chan struct{}
	n      *int
}

func (e endless) Read([]byte) (int, error) { <-e.closed; return 0, io.ErrClosedPipe }
func (e endless) Close() error {
	if *e.n++; *e.n == 1 {
		close(e.closed)
	}
	return nil
}

func TestDiscardIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, start := 0, time.Now()
		discard(&http.Response{ContentLength: 10, Body: endless{make(chan struct{}), &n}})
		if d := time.Since(start); d != drainWait { // the second try does not wait for an end that does not come
			t.Errorf("took %v", d)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if n == 0 {
			t.Error("not closed in the end")
		}
		n = 0
		discard(&http.Response{ContentLength: 10, Body: struct {
			io.Reader
			io.Closer
		}{strings.NewReader("0123456789"), endless{make(chan struct{}), &n}}})
		if n != 1 {
			t.Error("not closed")
		}
		for _, length := range []int64{-1, 10 << 20} { // nobody waits for the end of these
			start, n = time.Now(), 0
			discard(&http.Response{ContentLength: length, Body: endless{make(chan struct{}), &n}})
			if d := time.Since(start); d > drainWait {
				t.Errorf("length %d: took %v", length, d)
			}
			time.Sleep(2 * time.Second)
			synctest.Wait()
			if n == 0 {
				t.Errorf("length %d: not closed", length)
			}
		}
		flood := strings.NewReader(strings.Repeat("x", 10<<20))
		n = 0
		discard(&http.Response{ContentLength: -1, Body: struct {
			io.Reader
			io.Closer
		}{flood, endless{make(chan struct{}), &n}}})
		synctest.Wait()
		if read := 10<<20 - flood.Len(); n != 1 || read > drainLimit {
			t.Errorf("%d bytes were read for nothing, closed %d times", read, n)
		}
	})
}

func TestOptionsOnTheWire(t *testing.T) {
	echo := func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Set-Cookie", "a=1")
		fmt.Fprint(w, r.Host, "|", r.URL.RawQuery, "|", r.Header.Get("Authorization"), "|", r.Header["X-None"], r.Header["X_none"], "|", r.Trailer)
	}
	f := newFront(t, http.HandlerFunc(echo), func(o *Options) {
		o.PreserveHost, o.Authorizer = true, inHeaderOf("Authorization", SchemeOfToken)
		o.Headers = Headers{Set: map[string]string{"X-None": "{header.Missing}"}, DropResponse: []string{"set-cookie"}}
	})
	req, _ := http.NewRequest("POST", f.URL+"/x?q", io.MultiReader(strings.NewReader("b")))
	req.Host = "name.local"
	req.Header = http.Header{"X-None": {"mine"}, "X_none": {"mine"}}
	req.Trailer = http.Header{"Authorization": {"Bearer mine"}, "X_none": {"mine"}}
	resp, body, _ := f.call(t, req)
	if body != "name.local|q|bearer t1|[] []|map[]" || resp.Header.Get("Set-Cookie") != "" {
		t.Errorf("%s %v", body, resp.Header)
	}

	f = newFront(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.Contains(r.URL.RawQuery, "t2") {
			w.WriteHeader(401)
			return
		}
		fmt.Fprint(w, r.URL.RawQuery)
	}), place(newInQuery("access_token")))
	if _, body, _ := f.get(t, "/x?access_token=mine&q"); body != "q&access_token=t2" {
		t.Errorf("query: %s", body)
	}

	f = newFront(t, http.HandlerFunc(echo), func(o *Options) { o.Target.Path = "/base" })
	in := httptest.NewRequest("GET", "/", nil)
	in.URL, in.RequestURI = &url.URL{Path: "/../x", RawPath: "/%2e%2e/x"}, "/%2e%2e/x"
	w := httptest.NewRecorder()
	if f.Config.Handler.ServeHTTP(w, in); w.Code != 400 || w.Header().Get("X-Authproxy-Error") != string(CodeAmbiguousPath) {
		t.Errorf("ambiguous: %d", w.Code)
	}
	if v := (&inHeader{scheme: SchemeOfToken}).value(Token{Value: "t"}); v != "Bearer t" {
		t.Error(v)
	}
}

func TestTwoUpgradesAreNone(t *testing.T) {
	out := http.Header{"Upgrade": {"websocket", "h2c"}, "Connection": {"Upgrade"}}
	newPolicy(Options{Upgrades: []string{"websocket"}}).headers(out, http.Header{})
	if len(out) != 0 {
		t.Error(out)
	}
}
