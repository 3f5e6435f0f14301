package endpoint

import (
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
)

// TestKeptConnectionThatHasDied: the request is made once more, on a new one; one
// that fails on a new connection is not.
func TestKeptConnectionThatHasDied(t *testing.T) {
	var conns, asked atomic.Int64
	var dies atomic.Bool
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if n := asked.Add(1); dies.Load() || n == 2 { // on the kept connection: read and never answered
			conn, _, _ := w.(http.Hijacker).Hijack()
			_ = conn.Close()
			return
		}
		says(`{"access_token":"abc"}`)(w, r)
	}))
	srv.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			conns.Add(1)
		}
	}
	srv.Start()
	defer srv.Close()
	e := must(t, simple(srv.URL))
	for i, want := range []int64{1, 3, 4} {
		if i == 2 {
			dies.Store(true)
			e.transport.(*http.Transport).CloseIdleConnections()
		}
		_, err := e.Fetch(t.Context(), zero)
		if (err == nil) == dies.Load() || asked.Load() != want {
			t.Errorf("call %d: %d requests, want %d: %v", i, asked.Load(), want, err)
		}
	}
	if n := conns.Load(); n != 3 {
		t.Errorf("%d connections", n)
	}
}
