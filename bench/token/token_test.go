package main

import (
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"
)

// TestLoadCounts: what is not the wanted answer has failed, and the first
// success after an outage is one of a request that was sent after it.
func TestLoadCounts(t *testing.T) {
	var down atomic.Bool
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/cut":
			panic(http.ErrAbortHandler)
		case r.URL.Path == "/refusing":
			w.WriteHeader(http.StatusUnauthorized)
		case down.Load():
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	defer server.Close()
	p := &platform{Platform: newSimulated(time.Hour)}
	l := newLoad(server.URL+"/", 3)
	l.once("orders")
	l.send("refusing", http.StatusUnauthorized)
	if o := l.outcome(p); o.Requests != 4 || o.Failed != 0 || o.recovery() != "" {
		t.Errorf("all good: %+v", o)
	}
	down.Store(true)
	l.once("orders")
	l.send("cut", http.StatusOK)
	l.endOutage()
	if o := l.outcome(p); o.Requests != 8 || o.Failed != 4 || o.recovery() != "never" {
		t.Errorf("down: %+v", o)
	}
	down.Store(false)
	l.once("orders")
	if o := l.outcome(p); o.Failed != 4 || *o.FirstSuccess < 0 {
		t.Errorf("back: %+v", o)
	}
}
