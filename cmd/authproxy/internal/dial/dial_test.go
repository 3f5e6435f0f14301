package dial

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"authproxy/proxy/rawtest"
)

func mustMake(t *testing.T, o Options) *Pool {
	t.Helper()
	pool, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.CloseIdleConnections)
	return pool
}

// TestFollowsItsName: an upstream moves, and its old server goes on answering
// on the connections that it has.
func TestFollowsItsName(t *testing.T) {
	answers := func(text string) *httptest.Server {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, text) }))
		t.Cleanup(s.Close)
		return s
	}
	before, after := answers("before"), answers("after")
	pool := mustMake(t, Options{Scheme: "http", Host: "up.example", Idle: 1, IdleTime: time.Minute, Resolve: true, Std: true})
	addresses, failure := []string{"192.0.2.1", "192.0.2.2"}, error(nil)
	pool.names.resolve = func(context.Context, string) ([]string, error) { return addresses, failure }
	pool.names.looked.Store(int64(time.Since(pool.names.born))) // the looks of this test are its own
	leadsTo := func(s *httptest.Server) {
		t := (*pool.current.Load()).(*http.Transport)
		t.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
			pool.names.use(&net.TCPAddr{IP: net.ParseIP(addresses[0])})
			return (&net.Dialer{}).DialContext(ctx, network, s.Listener.Addr().String())
		}
	}
	client := &http.Client{Transport: pool}
	ask := func(want string) {
		t.Helper()
		resp, err := client.Get("http://up.example/")
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if body, _ := io.ReadAll(resp.Body); string(body) != want {
			t.Errorf("answered %q, want %q", body, want)
		}
	}
	look := func(want bool) {
		t.Helper()
		if moved := pool.names.moved(time.Now()); moved != want {
			t.Errorf("%v: moved is %v", addresses, moved)
		}
	}
	leadsTo(before)
	look(false)
	ask("before")
	leadsTo(after)
	addresses = []string{"192.0.2.2", "192.0.2.1", "192.0.2.3"}
	look(false) // an address more is no reason to leave
	ask("before")
	failure = errors.New("no DNS")
	look(false)
	ask("before")
	addresses, failure = []string{"192.0.2.3"}, nil
	look(false) // one answer leaves many an address out
	look(true)
	pool.move()
	leadsTo(after)
	ask("after")
	pool.names.looked.Store(0)
	ask("after")
	if pool.names.looked.Load() == 0 {
		t.Error("a request after a while does not look")
	}
}

// TestWhatHasNoNameToFollow is never looked up.
func TestWhatHasNoNameToFollow(t *testing.T) {
	for _, o := range []Options{
		{Scheme: "http", Host: "up.example"},
		{Scheme: "http", Host: "192.0.2.1:80", Resolve: true},
		{Scheme: "http", Host: "[::1]:80", Resolve: true},
		{Scheme: "http", Host: "localhost", Socket: "/run/s", Resolve: true},
		{Scheme: "https", Host: "up.example", Proxy: "http://proxy.example", Resolve: true},
	} {
		if mustMake(t, o).names != nil {
			t.Errorf("%+v", o)
		}
	}
}

func TestUnixSocketUpstream(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.Host) })}
	go func() { _ = srv.Serve(l) }()
	defer srv.Close()
	transport := mustMake(t, Options{Scheme: "http", Host: "localhost", Socket: socket, Idle: 1})
	resp, err := (&http.Client{Transport: transport}).Get("http://localhost/")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if body, _ := io.ReadAll(resp.Body); string(body) != "localhost" {
		t.Errorf("%q", body)
	}
}

// TestForwardProxyThatRefuses: what it writes behind the status is not shown,
// since it knows the password.
func TestForwardProxyThatRefuses(t *testing.T) {
	address := rawtest.Listen(t, func(c net.Conn, in *bufio.Reader) {
		_, _ = http.ReadRequest(in)
		_, _ = io.WriteString(c, "HTTP/1.1 407 tls: secret\r\nContent-Length: 0\r\n\r\n")
	})
	transport := mustMake(t, Options{Scheme: "https", Host: "up.example", Proxy: "http://user:secret@" + address})
	req, _ := http.NewRequestWithContext(t.Context(), "GET", "https://up.example/", nil)
	resp, err := transport.RoundTrip(req)
	if err == nil {
		_ = resp.Body.Close()
	}
	if op := new(net.OpError); !errors.As(err, &op) || strings.Contains(err.Error(), "secret") || !strings.Contains(err.Error(), "407") {
		t.Errorf("%v", err)
	}
}

// TestForwardProxyGetsTheWholeAddress: also of a path that net/url would spell
// in another way.
func TestForwardProxyGetsTheWholeAddress(t *testing.T) {
	lines := make(chan string, 1)
	address := rawtest.Listen(t, func(_ net.Conn, in *bufio.Reader) {
		line, _ := in.ReadString('\n')
		lines <- line
	})
	transport := mustMake(t, Options{Scheme: "http", Host: "up.example", Proxy: "http://" + address})
	for _, u := range []url.URL{{Path: "/a"}, {Path: "/a|b", Opaque: "/a|b", RawQuery: "q"}} {
		u.Scheme, u.Host = "http", "up.example"
		if resp, err := transport.RoundTrip((&http.Request{Method: "GET", URL: &u, Header: http.Header{}}).WithContext(t.Context())); err == nil {
			_ = resp.Body.Close()
		}
		want := "GET http://up.example" + u.Path + " HTTP/1.1\r\n"
		if got := <-lines; strings.Replace(got, "?q", "", 1) != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
