package main

import (
	"bytes"
	"errors"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"authproxy/proxy/door"
)

// TestCallerTokenChanges: a new secret counts at once and the old one no
// longer than a second; guesses do not make as many reads.
func TestCallerTokenChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var said bytes.Buffer
		secret, failure, reads := "one", error(nil), 0
		h := letIn(t, &callerToken{log: log.New(&said, "", 0), read: func() (string, error) { reads++; return secret, failure }})
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

// TestCallerTokenChangesUnderLoad: none of many callers that have the new
// secret is turned away because another one's request is reading it.
func TestCallerTokenChangesUnderLoad(t *testing.T) {
	var secret atomic.Value
	secret.Store("one")
	h := letIn(t, &callerToken{read: func() (string, error) {
		time.Sleep(5 * time.Millisecond)
		return secret.Load().(string), nil
	}})
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

// letIn is what those find who bring the token.
func letIn(t *testing.T, token *callerToken) http.Handler {
	t.Helper()
	if err := token.look(0); err != nil {
		t.Fatal(err)
	}
	h, err := door.NewCallers(token.callers(nil), http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func callAs(h http.Handler, token string) int {
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Authorization", "Bearer "+token)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code
}

func TestCallerTokenIsNeededFromTheStart(t *testing.T) {
	for _, read := range []func() (string, error){
		func() (string, error) { return "", errors.New("no such file") },
		func() (string, error) { return "", nil },
	} {
		if err := (&callerToken{read: read}).look(0); err == nil {
			t.Error("no error")
		}
	}
}
