package main_test

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"authproxy/proxy/platformtest"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestEverySeriesExistsAtTheStart compares /metrics of a program that nobody
// has asked anything with the list that dashboards rely on.
func TestEverySeriesExistsAtTheStart(t *testing.T) {
	t.Parallel()
	platform, p := weda(t, platformtest.Options{}, "")
	build := regexp.MustCompile(`build_info\{.*\}`)
	var names []string
	for name, value := range p.series(t) {
		names = append(names, build.ReplaceAllString(name, "build_info{...}"))
		if value != 0 && !strings.HasPrefix(name, "authproxy_build_info") && !strings.HasPrefix(name, "authproxy_config_last_reload") {
			t.Errorf("%s is %v before the first request", name, value)
		}
	}
	slices.Sort(names)
	got := strings.Join(names, "\n") + "\n"
	const golden = "testdata/series.txt"
	if *update {
		write(t, golden, got)
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("the series are\n%s\nwant those of %s", got, golden)
	}
	if got := platform.Counts(); got.TokenRequests != 0 {
		t.Errorf("a token that nobody has asked for: %+v", got)
	}
}

func TestMetricsCountARecovery(t *testing.T) {
	t.Parallel()
	platform, p := weda(t, platformtest.Options{}, "")
	p.good(t)
	platform.RevokeAll()
	before := p.series(t)
	p.good(t)
	// The record is made after the answer has gone out.
	eventually(t, "the request to be counted", func() bool {
		return changed(before, p.series(t))[`authproxy_request_duration_seconds_count{upstream="main"}`] == 2
	})
	after := changed(before, p.series(t))
	for name, want := range map[string]float64{
		`authproxy_requests_total{code="200",method="GET",upstream="main"}`:           2,
		`authproxy_retries_total{outcome="recovered",trigger="body",upstream="main"}`: 1,
		`authproxy_token_fetches_total{result="ok",token="main"}`:                     2,
		`authproxy_token_invalidations_total{token="main"}`:                           1,
		`authproxy_token_fetch_duration_seconds_count{token="main"}`:                  2,
	} {
		if after[name] != want {
			t.Errorf("%s = %v, want %v", name, after[name], want)
		}
	}
}

func TestProbesDoNotDependOnThePlatform(t *testing.T) {
	t.Parallel()
	platform, p := weda(t, platformtest.Options{}, "")
	platform.SetTokenFault(&platformtest.Fault{Status: 500})
	p.get(t)
	for path, want := range map[string]string{"/livez": "ok\n", "/readyz": "ok\n"} {
		if a := ask(t, http.MethodGet, p.admin+path, nil); a.status != 200 || a.body != want {
			t.Errorf("%s: %d %q", path, a.status, a.body)
		}
	}
	a := ask(t, http.MethodGet, p.admin+"/readyz?verbose", nil)
	if a.status != 200 || !strings.Contains(a.body, `token="main"`) || !strings.Contains(a.body, "was answered with 500") {
		t.Errorf("verbose: %d %q", a.status, a.body)
	}
	if a := ask(t, http.MethodGet, p.url+"/readyz", nil); a.code() != "token_unavailable" {
		t.Errorf("the data listener answers /readyz: %d %s", a.status, a.body)
	}
}

// slow starts the program before an API that holds its answers until release
// is closed, with a request on its way; its answer comes from answered.
func slow(t *testing.T, more string) (p *authproxy, release chan struct{}, answered chan answer) {
	t.Helper()
	platform := platformtest.NewWeDaPrivate(platformtest.Options{})
	arrived, release := make(chan struct{}), make(chan struct{})
	config := more + dialects()["weda-private"].config(serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == apiPath {
			arrived <- struct{}{}
			<-release
		}
		platform.ServeHTTP(w, r)
	})))
	p, answered = start(t, config), make(chan answer, 1)
	go func() {
		a, _ := try(t, http.MethodGet, p.url+apiPath, nil) // an error leaves the answer empty
		answered <- a
	}()
	<-arrived
	return p, release, answered
}

func TestSIGTERMDrains(t *testing.T) {
	t.Parallel()
	p, release, answered := slow(t, "")
	p.signal(t, syscall.SIGTERM)
	eventually(t, "the listener to close", func() bool { return refusesConnections(p.url) })
	close(release)
	if a := <-answered; a.status != http.StatusOK || a.code() != "" {
		t.Errorf("the request in flight got %d %v", a.status, a.header)
	}
	if code := p.wait(t); code != 0 {
		t.Errorf("exit code %d: %s", code, p.stderr)
	}
}

func refusesConnections(url string) bool {
	conn, err := net.DialTimeout("tcp", strings.TrimPrefix(url, "http://"), time.Second)
	if err == nil {
		_ = conn.Close()
	}
	return err != nil
}

// TestReadinessGoesFirst: while the program waits for load balancers to
// notice, it serves new connections.
func TestReadinessGoesFirst(t *testing.T) {
	t.Parallel()
	_, p := weda(t, platformtest.Options{}, "")
	p.stop(t)
	platform := platformtest.NewWeDaPrivate(platformtest.Options{})
	p = start(t, "shutdown: { drain_delay: 2s }\n"+dialects()["weda-private"].config(serve(t, platform)))
	p.good(t)
	p.signal(t, syscall.SIGINT)
	eventually(t, "not ready", func() bool {
		return ask(t, http.MethodGet, p.admin+"/readyz", nil).status == http.StatusServiceUnavailable
	})
	p.good(t)
	if a := ask(t, http.MethodGet, p.admin+"/livez", nil); a.status != http.StatusOK {
		t.Errorf("livez: %d", a.status)
	}
	if code := p.wait(t); code != 0 {
		t.Errorf("exit code %d: %s", code, p.stderr)
	}
}

func TestASecondSignalEndsAtOnce(t *testing.T) {
	t.Parallel()
	p, release, answered := slow(t, "")
	p.signal(t, syscall.SIGTERM)
	if !p.stderr.await("shutting down", p.exited) {
		t.Fatalf("no word of shutting down: %s", p.stderr)
	}
	p.signal(t, syscall.SIGTERM)
	p.wait(t)
	if status, ok := p.cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || status.Signal() != syscall.SIGTERM {
		t.Errorf("ended with %v", p.cmd.ProcessState)
	}
	close(release)
	if a := <-answered; a.status != 0 {
		t.Errorf("the request in flight got %d", a.status)
	}
}

func TestShutdownIsBounded(t *testing.T) {
	t.Parallel()
	p, release, answered := slow(t, "shutdown: { timeout: 100ms }\n")
	p.signal(t, syscall.SIGTERM)
	if code := p.wait(t); code != 0 || !strings.Contains(p.stderr.String(), "requests were cut") {
		t.Errorf("exit code %d: %s", code, p.stderr)
	}
	close(release)
	<-answered
}

// TestRevokeOnExit gives the token back, and only when the configuration says so.
func TestRevokeOnExit(t *testing.T) {
	t.Parallel()
	for more, want := range map[string]int{"": 0, "revoke_on_exit: true, ": 1} {
		platform := platformtest.NewHengshi(platformtest.Options{})
		p := start(t, strings.Replace(dialects()["hengshi"].config(serve(t, platform)), "provider:", more+"provider:", 1))
		p.good(t)
		p.stop(t)
		if got := platform.Counts(); got.Revocations != want {
			t.Errorf("%q: %+v", more, got)
		}
	}
}

// TestRevokesAllAtOnce: the tokens are given back side by side, so that the
// slowest platform says how long the end takes, and not the sum of all.
func TestRevokesAllAtOnce(t *testing.T) {
	t.Parallel()
	var revoking sync.WaitGroup
	revoking.Add(3)
	upstream := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if r.URL.Path == "/revoke" {
			revoking.Done()
			revoking.Wait()
		}
		_, _ = io.WriteString(w, `{"access_token":"abc"}`)
	}))
	config := "tokens:\n"
	for _, name := range []string{"a", "b", "c"} {
		config += fmt.Sprintf("  %s: { token_url: \"%s/token\", client_id: x, client_secret: y, revoke_on_exit: true, revoke: { url: \"%s/revoke\", form: { token: \"{token}\" } } }\n", name, upstream, upstream)
	}
	config += "upstreams:\n"
	for _, name := range []string{"a", "b", "c"} {
		config += fmt.Sprintf("  - { name: %s, token: %s, path: /%s/, url: %q }\n", name, name, name, upstream)
	}
	p := start(t, config)
	for _, name := range []string{"a", "b", "c"} {
		if a := ask(t, http.MethodGet, p.places[name]+"/"+name+"/", nil); a.status != 200 {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
	p.stop(t)
	if got := strings.Count(p.stderr.String(), "token revoked"); got != 3 {
		t.Errorf("%d revoked: %s", got, p.stderr)
	}
}

func TestExitCodes(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	dir := t.TempDir()
	busy, broken := dir+"/busy.yaml", dir+"/broken.yaml"
	config := dialects()["oauth2"].config("http://127.0.0.1:1")
	write(t, busy, "listen: "+taken.Addr().String()+"\nadmin: { listen: '' }\n"+config)
	write(t, broken, "listne: x\n")
	for _, c := range []struct {
		args string
		code int
		says string
	}{
		{"version", 0, "authproxy "},
		{"--help", 0, "serve"},
		{"serve -c " + busy, 1, "cannot listen on " + taken.Addr().String()},
		{"healthcheck http://127.0.0.1:1/readyz", 1, "connection refused"},
		{"serve -c " + dir + "/none.yaml", 2, "no such file"},
		{"serve -c " + broken, 2, "did you mean listen?"},
		{"serve", 2, `required flag(s) "config" not set`},
		{"serve extra -c " + busy, 2, "unknown command"},
		{"sevre", 2, "sevre"},
		{"presets wedda", 2, "did you mean weda?"},
		{"token -c " + busy + " none", 2, `no token "none"`},
	} {
		cmd := exec.CommandContext(t.Context(), "authproxy", strings.Fields(c.args)...)
		out, _ := cmd.CombinedOutput() // its error is the exit code
		if code := cmd.ProcessState.ExitCode(); code != c.code || !strings.Contains(string(out), c.says) {
			t.Errorf("authproxy %s: exit code %d, want %d, and %q in %s", c.args, code, c.code, c.says, out)
		}
	}
}

// TestCleartextHTTP2 is spoken to those who know that it is (RFC 9113 section 3.3).
func TestCleartextHTTP2(t *testing.T) {
	t.Parallel()
	platform, p := weda(t, platformtest.Options{}, "")
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	transport := &http.Transport{Protocols: protocols}
	defer transport.CloseIdleConnections()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for range 2 {
		req, _ := http.NewRequestWithContext(ctx, http.MethodPost, p.url+apiPath, strings.NewReader("{}"))
		req.Header.Set("Content-Type", "application/json")
		resp, err := (&http.Client{Transport: transport}).Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusOK || resp.ProtoMajor != 2 {
			t.Errorf("%s %s", resp.Proto, resp.Status)
		}
		platform.RevokeAll()
	}
}
