package main_test

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"authproxy/cmd/authproxy/authproxytest"
	"authproxy/proxy/platformtest"
)

// TestSIGTERMUnderLoad: every request that reached the upstream is answered to
// its client; the others are refused cleanly.
func TestSIGTERMUnderLoad(t *testing.T) {
	t.Parallel()
	old := http.DefaultTransport.(*http.Transport).Clone()
	h2 := &http.Transport{Protocols: new(http.Protocols)}
	h2.Protocols.SetUnencryptedHTTP2(true)
	for name, c := range map[string]struct {
		delay     string
		transport *http.Transport
	}{
		"HTTP/1.1": {"0s", old}, "HTTP/1.1 and a drain_delay": {"300ms", old.Clone()}, "HTTP/2": {"0s", h2}, "HTTP/2 and a drain_delay": {"300ms", h2.Clone()},
	} {
		t.Run(name, func(t *testing.T) {
			defer c.transport.CloseIdleConnections()
			client := &http.Client{Transport: c.transport, Timeout: authproxytest.Patience}
			platform := platformtest.NewWeDaPrivate(platformtest.Options{})
			var arrived, answered sync.Map
			var n atomic.Int64
			upstream := authproxytest.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if id := r.Header.Get("X-Request-Id"); id != "" {
					arrived.Store(id, true)
				}
				platform.ServeHTTP(w, r)
			}))
			p := authproxytest.Start(t, "shutdown: { drain_delay: "+c.delay+" }\n"+authproxytest.Dialects()["weda-private"].Config(upstream))
			p.Good(t)
			var load sync.WaitGroup
			for range 16 {
				load.Go(func() {
					for {
						id := fmt.Sprint(n.Add(1))
						a, err := sendBy(client, p.URL+authproxytest.APIPath, id)
						if err == nil && a.Status == 200 {
							answered.Store(id, true)
							continue
						}
						if err == nil && a.Code() != "shutting_down" {
							t.Errorf("request %s: %d %s", id, a.Status, a.Body)
						}
						if refusesConnections(p.URL) {
							return
						}
					}
				})
			}
			authproxytest.Eventually(t, "load", func() bool { return n.Load() > 200 })
			p.Signal(t, syscall.SIGTERM)
			load.Wait()
			if code := p.Wait(t); code != 0 || strings.Contains(p.Stderr.String(), "were cut") {
				t.Errorf("exit code %d: %s", code, p.Stderr)
			}
			arrived.Range(func(id, _ any) bool {
				if _, ok := answered.Load(id); !ok {
					t.Errorf("request %s reached the upstream, and its client got no answer", id)
				}
				return true
			})
		})
	}
}

// sendBy sends one request with an id.
func sendBy(client *http.Client, url, id string) (authproxytest.Answer, error) {
	req, err := http.NewRequest(http.MethodPost, url, strings.NewReader(`{"x":1}`))
	if err != nil {
		return authproxytest.Answer{}, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Request-Id", id)
	return authproxytest.Do(client, req)
}

// TestStreamsAreWaitedForAndThenCut: a switched protocol counts as in flight,
// which net/http's Shutdown knows nothing of.
func TestStreamsAreWaitedForAndThenCut(t *testing.T) {
	t.Parallel()
	switched := make(chan net.Conn, 1)
	platform := platformtest.NewOAuth2(platformtest.Options{})
	upstream := authproxytest.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Upgrade") == "" {
			platform.ServeHTTP(w, r)
			return
		}
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		fmt.Fprint(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
		switched <- conn
	}))
	for _, cut := range []bool{false, true} {
		timeout := "20s"
		if cut {
			timeout = "200ms"
		}
		p := authproxytest.Start(t, "shutdown: { timeout: "+timeout+" }\n"+authproxytest.Dialects()["oauth2"].Config(upstream))
		client := p.Dial(t, "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
		behind := <-switched
		p.Signal(t, syscall.SIGTERM)
		authproxytest.Eventually(t, "the listener to close", func() bool { return refusesConnections(p.URL) })
		if !cut {
			fmt.Fprint(client, "still here")
			_ = behind.SetReadDeadline(time.Now().Add(authproxytest.Patience))
			if _, err := behind.Read(make([]byte, 10)); err != nil {
				t.Errorf("while draining: %v", err)
			}
			_ = behind.Close()
			_ = client.Close()
		}
		if code := p.Wait(t); code != 0 || strings.Contains(p.Stderr.String(), "requests were cut") != cut {
			t.Errorf("cut %v: exit code %d: %s", cut, code, p.Stderr)
		}
		_ = behind.Close()
	}
}

// TestHangup: a closed terminal, which looks like the wish for a reload, ends nothing.
func TestHangup(t *testing.T) {
	t.Parallel()
	p := authproxytest.Start(t, authproxytest.Dialects()["weda-private"].Config(authproxytest.Serve(t, platformtest.NewWeDaPrivate(platformtest.Options{}))))
	p.Signal(t, syscall.SIGHUP)
	if !p.Stderr.Await("configuration taken over") {
		t.Errorf("said: %s", p.Stderr)
	}
	p.Good(t)
}

// TestFiveThousandAtOnce: at the start, and at the moment of a revocation.
func TestFiveThousandAtOnce(t *testing.T) {
	const callers = 5000
	platform := platformtest.NewWeDaPrivate(platformtest.Options{})
	config := authproxytest.Dialects()["weda-private"].Config(authproxytest.Serve(t, platform))
	p := authproxytest.Start(t, strings.Replace(config, "token: main", "token: main, max_in_flight: 6000", 1))
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true) // so that it takes dozens of connections, not thousands
	h2 := &http.Client{Transport: &http.Transport{Protocols: protocols}, Timeout: 2 * authproxytest.Patience}
	defer h2.CloseIdleConnections()
	storm := func(want int) {
		t.Helper()
		var failed atomic.Int64
		var wg sync.WaitGroup
		for range callers {
			wg.Go(func() {
				resp, err := h2.Get(p.URL + authproxytest.APIPath)
				if err != nil {
					failed.Add(1)
					return
				}
				defer resp.Body.Close()
				if resp.StatusCode != 200 || resp.Header.Get("X-Authproxy-Error") != "" {
					failed.Add(1)
				}
			})
		}
		wg.Wait()
		if n := failed.Load(); n > 0 {
			t.Errorf("%d of %d requests failed", n, callers)
		}
		if got := platform.Counts().TokenRequests; got != want {
			t.Errorf("%d token requests, want %d", got, want)
		}
	}
	storm(1)
	platform.RevokeAll()
	storm(2)
}

// TestNoFilesLeft: more connections come than the process may open files; when
// they have gone it serves on.
func TestNoFilesLeft(t *testing.T) {
	t.Parallel()
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("there is no shell to set the limit with")
	}
	platform := platformtest.NewWeDaPrivate(platformtest.Options{})
	p := authproxytest.StartBy(t, authproxytest.Dialects()["weda-private"].Config(authproxytest.Serve(t, platform)), sh, "-c", `ulimit -n 40; exec authproxy "$@"`, "authproxy")
	p.Good(t)
	var conns []net.Conn
	for range 200 {
		c, err := net.Dial("tcp", strings.TrimPrefix(p.URL, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprint(c, "GET ") // not idle
		conns = append(conns, c)
	}
	for _, c := range conns {
		_ = c.Close()
	}
	authproxytest.Eventually(t, "an answer", func() bool {
		a, err := authproxytest.Try(http.MethodGet, p.URL+authproxytest.APIPath, nil)
		return err == nil && a.Status == 200
	})
}

// TestSecretThatStaysWrong: what is told of a secret is what is wrong with it
// now.
func TestSecretThatStaysWrong(t *testing.T) {
	t.Parallel()
	platform := platformtest.NewWeDaPrivate(platformtest.Options{ClientID: "id", ClientSecret: "right"})
	secret := filepath.Join(t.TempDir(), "secret")
	authproxytest.Write(t, secret, "right")
	config := authproxytest.Dialects()["weda-private"].Config(authproxytest.Serve(t, platform))
	p := authproxytest.Start(t, strings.Replace(config, `client_secret: "secret"`, fmt.Sprintf("prefetch: false, client_secret_file: %q", secret), 1))
	for content, fault := range map[string]string{"": "is empty", "one\ntwo\n": "more than one line"} {
		authproxytest.Write(t, secret, content)
		if !p.Stderr.Await(fault) {
			t.Fatalf("%q is not told of: %s", content, p.Stderr)
		}
		if a := authproxytest.Ask(t, http.MethodGet, p.URL+authproxytest.APIPath, nil); a.Code() != "token_unavailable" || !strings.Contains(a.Body, fault) {
			t.Errorf("with %q: %d %s", content, a.Status, a.Body)
		}
	}
}

// TestSecretBehindALink: the file that is configured is a link into another
// folder, where nothing is watched.
func TestSecretBehindALink(t *testing.T) {
	t.Parallel()
	platform := platformtest.NewWeDaPrivate(platformtest.Options{ClientID: "id", ClientSecret: "right"})
	there, here := filepath.Join(t.TempDir(), "secret"), filepath.Join(t.TempDir(), "secret")
	authproxytest.Write(t, there, "wrong")
	if err := os.Symlink(there, here); err != nil {
		t.Skip("there are no links: ", err)
	}
	config := authproxytest.Dialects()["weda-private"].Config(authproxytest.Serve(t, platform))
	p := authproxytest.Start(t, strings.Replace(config, `client_secret: "secret"`, fmt.Sprintf("client_secret_file: %q", here), 1))
	if a := authproxytest.Ask(t, http.MethodGet, p.URL+authproxytest.APIPath, nil); a.Code() != "token_unavailable" {
		t.Fatalf("with the wrong secret: %d %s", a.Status, a.Body)
	}
	authproxytest.Write(t, there, "right")
	if !p.Stderr.Await("credentials changed") {
		t.Fatalf("the new secret was not seen: %s", p.Stderr)
	}
	p.Good(t)
}
