package proxy

import (
	"bytes"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestCallers(t *testing.T) {
	var passed *http.Request
	seen := newRecords()
	h, err := NewCallers(Callers{Secret: func() (string, error) { return "s3cret-of-callers", nil }},
		http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { passed = r }), seen)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		values []string
		want   int
	}{
		{"the secret", []string{"Bearer s3cret-of-callers"}, 200},
		{"another case of the scheme (RFC 9110 section 11.1)", []string{"bEARER  s3cret-of-callers"}, 200},
		{"nothing", nil, 403},
		{"empty", []string{""}, 403},
		{"the scheme alone", []string{"Bearer "}, 403},
		{"no scheme", []string{"s3cret-of-callers"}, 403},
		{"another scheme", []string{"Basic s3cret-of-callers"}, 403},
		{"its beginning", []string{"Bearer s3cret-of-caller"}, 403},
		{"more than it", []string{"Bearer s3cret-of-callers2"}, 403},
		{"another case", []string{"Bearer S3CRET-OF-CALLERS"}, 403},
		{"twice", []string{"Bearer s3cret-of-callers", "Bearer s3cret-of-callers"}, 403},
		{"with another one", []string{"Bearer x", "Bearer s3cret-of-callers"}, 403},
	} {
		passed = nil
		r := httptest.NewRequest("GET", "/", nil)
		r.Header["Authorization"], r.Header["X-Stays"] = c.values, []string{"1"}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != c.want || (passed != nil) != (c.want == 200) {
			t.Errorf("%s: %d", c.name, w.Code)
		}
		if passed != nil && (passed.Header["Authorization"] != nil || passed.Header.Get("X-Stays") != "1" || len(r.Header["Authorization"]) != 1) {
			t.Errorf("%s: passed on %v, of %v", c.name, passed.Header, r.Header)
		}
		if passed == nil && (w.Header().Get("X-Authproxy-Error") != "caller_unknown" || strings.Contains(w.Body.String(), "s3cret")) {
			t.Errorf("%s: %v %s", c.name, w.Header(), w.Body)
		}
	}
	if n := len(seen.all); n != 10 || seen.started != n || seen.all[0].Rejected != CodeCallerUnknown {
		t.Errorf("%d rejections were recorded", n)
	}
}

// TestCallersTokenStaysHere: wherever the token of the upstream goes, and
// whatever templates say, the caller's own does not go there.
func TestCallersTokenStaysHere(t *testing.T) {
	for _, inject := range []Inject{{Header: "Authorization", Scheme: "Bearer"}, {Header: "X-Token"}, {Query: "access_token"}} {
		got := make(chan string, 1)
		f := newFront(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got <- fmt.Sprint(r.Header, r.URL) }), func(o *Options) {
			o.Inject = inject
			o.Headers.Set = map[string]string{"X-Copy": "{header.Authorization}"}
			o.Query.Set = map[string]string{"copy": "{header.Authorization}"}
		})
		h, err := NewCallers(Callers{Secret: func() (string, error) { return "s3cret", nil }}, f.Config.Handler, nil)
		if err != nil {
			t.Fatal(err)
		}
		f.Config.Handler = h
		req, _ := http.NewRequest("GET", f.URL, nil)
		req.Header.Set("Authorization", "Bearer s3cret")
		f.call(t, req)
		if sent := <-got; strings.Contains(sent, "s3cret") || !strings.Contains(sent, "t1") {
			t.Errorf("%+v: the upstream got %s", inject, sent)
		}
	}
}

func TestCallersKnown(t *testing.T) {
	known := errors.New("uid 7 is not listed")
	h, err := NewCallers(Callers{Known: func(*http.Request) error { return known }}, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") == "" {
			t.Error("without a secret Authorization is the client's")
		}
	}), nil)
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Authorization", "Bearer x")
	w := httptest.NewRecorder()
	if h.ServeHTTP(w, r); w.Code != 403 || !strings.Contains(w.Body.String(), "uid 7 is not listed") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	known, w = nil, httptest.NewRecorder()
	if h.ServeHTTP(w, r); w.Code != 200 {
		t.Errorf("%d", w.Code)
	}
}

// TestCallersSecretChanges: a new secret counts at once and the old one no
// longer than a second; guesses do not make as many reads.
func TestCallersSecretChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var said bytes.Buffer
		secret, failure, reads := "one", error(nil), 0
		h, err := NewCallers(Callers{ErrorLog: log.New(&said, "", 0), Secret: func() (string, error) { reads++; return secret, failure }},
			http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), nil)
		if err != nil {
			t.Fatal(err)
		}
		call := func(token string) int { return callAs(h, token) }
		time.Sleep(20 * time.Millisecond)
		for range 1000 {
			if call("one") != 200 {
				t.Fatal("refused")
			}
		}
		if reads != 1 {
			t.Errorf("%d reads for a thousand requests", reads)
		}
		secret = "two"
		if call("two") != 200 || call("one") != 403 {
			t.Error("the new secret does not count at once")
		}
		before := reads
		for range 1000 {
			call("guess")
		}
		if reads > before+1 {
			t.Errorf("%d reads for a thousand guesses", reads-before)
		}
		time.Sleep(time.Second)
		secret = "three"
		if call("two") != 403 {
			t.Error("the old secret counts for more than a second")
		}
		secret, failure = "", errors.New("file is gone")
		for range 10 {
			time.Sleep(time.Second)
			if call("three") != 200 || call("") != 403 {
				t.Error("a file that is gone for a moment turns everybody away, or lets everybody in")
			}
		}
		if n := strings.Count(said.String(), "file is gone"); n != 1 {
			t.Errorf("said %d times: %s", n, &said)
		}
	})
}

// TestCallersSecretChangesUnderLoad: none of many callers that have the new
// secret is turned away because another one's request is reading it.
func TestCallersSecretChangesUnderLoad(t *testing.T) {
	var secret atomic.Value
	secret.Store("one")
	h, err := NewCallers(Callers{Secret: func() (string, error) {
		time.Sleep(5 * time.Millisecond)
		return secret.Load().(string), nil
	}}, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), nil)
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(2 * mismatchAge)
	secret.Store("two")
	var wg sync.WaitGroup
	for range 100 {
		wg.Go(func() {
			if callAs(h, "two") != 200 {
				t.Error("refused")
			}
		})
	}
	wg.Wait()
}

func callAs(h http.Handler, token string) int {
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Authorization", "Bearer "+token)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code
}

func TestCallersNeedASecretFromTheStart(t *testing.T) {
	for _, read := range []func() (string, error){
		func() (string, error) { return "", errors.New("no such file") },
		func() (string, error) { return "", nil },
	} {
		if _, err := NewCallers(Callers{Secret: read}, nil, nil); err == nil {
			t.Error("no error")
		}
	}
}
