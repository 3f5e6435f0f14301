package door

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"

	"authproxy/proxy"
	"authproxy/proxy/rawtest"
)

// TestClosingIsSaidAfterHints: ReverseProxy empties the header after each 1xx,
// and with it what the gate has written there.
func TestClosingIsSaidAfterHints(t *testing.T) {
	for _, early := range []string{"", "HTTP/1.1 103 Early Hints\r\n\r\n", "HTTP/1.1 100 Continue\r\n\r\n"} {
		for _, reply := range []string{"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "nonsense\r\n\r\n"} {
			upstream := rawtest.Listen(t, func(c net.Conn, in *bufio.Reader) {
				if _, err := http.ReadRequest(in); err == nil {
					_, _ = io.WriteString(c, early+reply)
				}
			})
			gate := NewGate(newProxy(t, proxy.Options{Target: &url.URL{Scheme: "http", Host: upstream}, Transport: &http.Transport{DisableKeepAlives: true}}), nil)
			gate.Closing()
			server := httptest.NewServer(gate)
			in := bufio.NewReader(rawtest.Dial(t, server.Listener.Addr().String(), "GET / HTTP/1.1\r\nHost: x\r\n\r\n"))
			resp, err := http.ReadResponse(in, nil)
			for err == nil && resp.StatusCode < 200 {
				resp, err = http.ReadResponse(in, nil)
			}
			if err != nil || !resp.Close {
				t.Errorf("%q: %v %+v", early+reply, err, resp)
			}
			server.Close()
		}
	}
}

// TestGate: those inside stay until they are done, and are waited for; who comes
// after it was shut is turned away.
func TestGate(t *testing.T) {
	inside, release, seen := make(chan struct{}), make(chan struct{}), &records{}
	gate := NewGate(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { close(inside); <-release }), nil, seen)
	go gate.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
	<-inside
	gate.Shut()
	w := httptest.NewRecorder()
	if gate.ServeHTTP(w, httptest.NewRequest("GET", "/", nil)); w.Code != 503 || w.Header().Get("X-Authproxy-Error") != string(proxy.CodeShuttingDown) {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	if len(seen.all) != 1 || seen.started != 1 || seen.all[0].Rejected != proxy.CodeShuttingDown {
		t.Errorf("recorded %+v", seen.all)
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if n := gate.Wait(ended); n != 1 {
		t.Errorf("%d inside", n)
	}
	close(release)
	if n := gate.Wait(t.Context()); n != 0 {
		t.Errorf("%d inside at the end", n)
	}
}

// TestFieldsAreBoundedTogether: of HTTP/2 requests that hold very many fields only so many
// are inside, and common ones always come in.
func TestFieldsAreBoundedTogether(t *testing.T) {
	inside, release := make(chan struct{}, 1000), make(chan struct{})
	seen := &records{}
	fields := NewFields()
	gate := NewGate(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { inside <- struct{}{}; <-release }), fields, seen)
	request := func(major, n int) *http.Request {
		r := httptest.NewRequest("GET", "http://localhost/", nil)
		r.ProtoMajor = major
		r.Header = http.Header{"X": make([]string, n)} // one name or many: each value counts
		return r
	}
	const many = 2000 // take half a MiB
	var all sync.WaitGroup
	enter := func(r *http.Request) {
		all.Go(func() { gate.ServeHTTP(httptest.NewRecorder(), r) })
		<-inside
	}
	var large []*http.Request
	for range fieldsTogether / (many * (fieldCost + 1)) {
		large = append(large, request(2, many))
		enter(large[len(large)-1])
	}
	w := httptest.NewRecorder()
	r := request(2, many)
	gate.ServeHTTP(w, r)
	if w.Code != 503 || w.Header().Get("X-Authproxy-Error") != "overloaded" || w.Header().Get("Retry-After") == "" || len(r.Header) > 0 {
		t.Errorf("%d %v, with %d fields", w.Code, w.Header(), len(r.Header))
	}
	enter(request(2, 30))
	enter(request(1, many)) // bounded where it is read
	close(release)
	all.Wait()
	if used := fields.used.Load(); used != 0 {
		t.Errorf("%d bytes are not given back", used)
	}
	for _, r := range large {
		if len(r.Header) > 0 { // which the server keeps until its answer has been read
			t.Error("the fields outlive their request")
		}
	}
	if len(seen.all) != 1 || seen.all[0].Rejected != proxy.CodeOverloaded {
		t.Errorf("recorded %+v", seen.all)
	}
}
