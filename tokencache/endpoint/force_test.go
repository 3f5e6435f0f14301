package endpoint

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"authproxy/tokencache"
)

// TestForce: a token that is repeated although it was refused is forced to be another, once.
func TestForce(t *testing.T) {
	var issued atomic.Int64
	p := newPlatform(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("force") == "true" {
			issued.Add(1)
		}
		fmt.Fprintf(w, `{"access_token":"tok-%d"}`, issued.Load())
	})
	e := must(t, Options{Name: "main", Request: Request{URL: p.URL}, Force: &Request{URL: p.URL + "?force=true"}, ForceInterval: time.Hour, Response: standard()})
	ask := func(last tokencache.Token) string {
		t.Helper()
		got, err := e.Fetch(context.Background(), last)
		if err != nil {
			t.Fatal(err)
		}
		return got.Value
	}
	if got := ask(tokencache.Token{}); got != "tok-0" {
		t.Error(got)
	}
	if got := ask(tokencache.Token{Value: "tok-0"}); got != "tok-0" {
		t.Errorf("one that was not refused: %s", got)
	}
	if got := ask(tokencache.Token{Value: "tok-0", Refused: true}); got != "tok-1" {
		t.Errorf("one that was refused: %s", got)
	}
	if got := ask(tokencache.Token{Value: "tok-1", Refused: true}); got != "tok-1" {
		t.Errorf("forced twice in the interval: %s", got)
	}
	if n := len(p.requests()); n != 5 {
		t.Errorf("%d requests", n)
	}
	_, err := New(Options{Request: Request{URL: p.URL}, Force: &Request{URL: "https://h/{nope}"}, Response: standard()})
	if err == nil || !strings.Contains(err.Error(), "force.url: unknown {nope}") {
		t.Errorf("%v", err)
	}
}

// TestForceLessAndLess: the pause doubles as long as nothing but force brings another token.
func TestForceLessAndLess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &forcing{least: time.Second}
		forced := 0
		for end := time.Now().Add(time.Hour); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
			if f.due(time.Now()) {
				forced++
			}
		}
		if forced < 12 || forced > 22 { // 1+2+4+...+256 s, then every five minutes
			t.Errorf("%d in an hour", forced)
		}
		f.unforced()
		time.Sleep(maxForcePause)
		if !f.due(time.Now()) || f.due(time.Now()) {
			t.Error("after a token that came by itself")
		}
		time.Sleep(time.Second)
		if !f.due(time.Now()) {
			t.Error("the pause has not fallen back")
		}
	})
}
