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

	"authproxy/cmd/authproxy/authproxytest"
	"authproxy/proxy/platformtest"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestEverySeriesExistsAtTheStart compares /metrics of a program that nobody
// has asked anything with the list that dashboards rely on.
func TestEverySeriesExistsAtTheStart(t *testing.T) {
	t.Parallel()
	platform := platformtest.NewWeDaPrivate(platformtest.Options{})
	config := authproxytest.Dialects()["weda-private"].Config(authproxytest.Serve(t, platform))
	p := authproxytest.Start(t, strings.Replace(config, "provider:", "prefetch: false, provider:", 1))
	build := regexp.MustCompile(`build_info\{.*\}`)
	var names []string
	for name, value := range p.Series(t) {
		names = append(names, build.ReplaceAllString(name, "build_info{...}"))
		if value != 0 && !strings.HasPrefix(name, "authproxy_build_info") && !strings.HasPrefix(name, "authproxy_config_last_reload") {
			t.Errorf("%s is %v before the first request", name, value)
		}
	}
	slices.Sort(names)
	got := strings.Join(names, "\n") + "\n"
	const golden = "testdata/series.txt"
	if *update {
		authproxytest.Write(t, golden, got)
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
	p.Good(t)
	platform.RevokeAll()
	before := p.Series(t)
	p.Good(t)
	// The record is made after the answer has gone out.
	authproxytest.Eventually(t, "the request to be counted", func() bool {
		return authproxytest.Changed(before, p.Series(t))[`authproxy_request_duration_seconds_count{upstream="main"}`] == 2
	})
	after := authproxytest.Changed(before, p.Series(t))
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
	platform := platformtest.NewWeDaPrivate(platformtest.Options{})
	platform.SetTokenFault(&platformtest.Fault{Status: 500})
	p := authproxytest.Start(t, authproxytest.Dialects()["weda-private"].Config(authproxytest.Serve(t, platform)))
	p.Get(t)
	for path, want := range map[string]string{"/livez": "ok\n", "/readyz": "ok\n"} {
		if a := authproxytest.Ask(t, http.MethodGet, p.Admin+path, nil); a.Status != 200 || a.Body != want {
			t.Errorf("%s: %d %q", path, a.Status, a.Body)
		}
	}
	a := authproxytest.Ask(t, http.MethodGet, p.Admin+"/readyz?verbose", nil)
	if a.Status != 200 || !strings.Contains(a.Body, `token="main"`) || !strings.Contains(a.Body, "was answered with 500") {
		t.Errorf("verbose: %d %q", a.Status, a.Body)
	}
	if a := authproxytest.Ask(t, http.MethodGet, p.URL+"/readyz", nil); a.Code() != "token_unavailable" {
		t.Errorf("the data listener answers /readyz: %d %s", a.Status, a.Body)
	}
}

// slow starts the program before an API that holds its answers until release
// is closed, with a request on its way; its answer comes from answered.
func slow(t *testing.T, more string) (p *authproxytest.Program, release chan struct{}, answered chan authproxytest.Answer) {
	t.Helper()
	platform := platformtest.NewWeDaPrivate(platformtest.Options{})
	arrived, release := make(chan struct{}), make(chan struct{})
	config := more + authproxytest.Dialects()["weda-private"].Config(authproxytest.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == authproxytest.APIPath {
			arrived <- struct{}{}
			<-release
		}
		platform.ServeHTTP(w, r)
	})))
	p, answered = authproxytest.Start(t, config), make(chan authproxytest.Answer, 1)
	go func() {
		a, _ := authproxytest.Try(http.MethodGet, p.URL+authproxytest.APIPath, nil) // an error leaves the answer empty
		answered <- a
	}()
	<-arrived
	return p, release, answered
}

func TestSIGTERMDrains(t *testing.T) {
	t.Parallel()
	p, release, answered := slow(t, "")
	p.Signal(t, syscall.SIGTERM)
	authproxytest.Eventually(t, "the listener to close", func() bool { return refusesConnections(p.URL) })
	p.Signal(t, syscall.SIGHUP) // of a terminal that closes meanwhile
	if !p.Stderr.Await("SIGHUP") {
		t.Errorf("no word of SIGHUP: %s", p.Stderr)
	}
	if a := authproxytest.Ask(t, http.MethodGet, p.Admin+"/readyz", nil); a.Status != http.StatusServiceUnavailable {
		t.Errorf("while the last request is served, readyz: %d", a.Status)
	}
	close(release)
	if a := <-answered; a.Status != http.StatusOK || a.Code() != "" {
		t.Errorf("the request in flight got %d %v", a.Status, a.Header)
	}
	if code := p.Wait(t); code != 0 {
		t.Errorf("exit code %d: %s", code, p.Stderr)
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
	p.Stop(t)
	platform := platformtest.NewWeDaPrivate(platformtest.Options{})
	p = authproxytest.Start(t, "shutdown: { drain_delay: 2s }\n"+authproxytest.Dialects()["weda-private"].Config(authproxytest.Serve(t, platform)))
	p.Good(t)
	p.Signal(t, syscall.SIGINT)
	authproxytest.Eventually(t, "not ready", func() bool {
		return authproxytest.Ask(t, http.MethodGet, p.Admin+"/readyz", nil).Status == http.StatusServiceUnavailable
	})
	p.Good(t)
	if a := authproxytest.Ask(t, http.MethodGet, p.Admin+"/livez", nil); a.Status != http.StatusOK {
		t.Errorf("livez: %d", a.Status)
	}
	if code := p.Wait(t); code != 0 {
		t.Errorf("exit code %d: %s", code, p.Stderr)
	}
}

func TestASecondSignalEndsAtOnce(t *testing.T) {
	t.Parallel()
	p, release, answered := slow(t, "")
	p.Signal(t, syscall.SIGTERM)
	if !p.Stderr.Await("shutting down") {
		t.Fatalf("no word of shutting down: %s", p.Stderr)
	}
	p.Signal(t, syscall.SIGTERM)
	p.Wait(t)
	if status, ok := p.Cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || status.Signal() != syscall.SIGTERM {
		t.Errorf("ended with %v", p.Cmd.ProcessState)
	}
	close(release)
	if a := <-answered; a.Status != 0 {
		t.Errorf("the request in flight got %d", a.Status)
	}
}

func TestShutdownIsBounded(t *testing.T) {
	t.Parallel()
	p, release, answered := slow(t, "shutdown: { timeout: 100ms }\n")
	p.Signal(t, syscall.SIGTERM)
	code, log := p.Wait(t), p.Stderr.String()
	if code != 0 || !strings.Contains(log, `"requests were cut" count=1`) || !strings.Contains(log, `error="cut at the end of shutdown.timeout"`) {
		t.Errorf("exit code %d: %s", code, log)
	}
	close(release)
	<-answered
}

// TestRevokeOnExit gives the token back, and only when the configuration says so.
func TestRevokeOnExit(t *testing.T) {
	t.Parallel()
	for more, want := range map[string]int{"": 0, "revoke_on_exit: true, ": 1} {
		platform := platformtest.NewHengshi(platformtest.Options{})
		p := authproxytest.Start(t, strings.Replace(authproxytest.Dialects()["hengshi"].Config(authproxytest.Serve(t, platform)), "provider:", more+"provider:", 1))
		p.Good(t)
		p.Stop(t)
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
	upstream := authproxytest.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
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
	p := authproxytest.Start(t, config)
	for _, name := range []string{"a", "b", "c"} {
		if a := authproxytest.Ask(t, http.MethodGet, p.Places[name]+"/"+name+"/", nil); a.Status != 200 {
			t.Errorf("%s: %d %s", name, a.Status, a.Body)
		}
	}
	p.Stop(t)
	if got := strings.Count(p.Stderr.String(), "token revoked"); got != 3 {
		t.Errorf("%d revoked: %s", got, p.Stderr)
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
	config := authproxytest.Dialects()["oauth2"].Config("http://127.0.0.1:1")
	authproxytest.Write(t, busy, "listen: "+taken.Addr().String()+"\nadmin: { listen: '' }\n"+config)
	authproxytest.Write(t, broken, "listne: x\n")
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
		{"serve", 2, "which configuration? Give its file"},
		{"serve extra -c " + busy, 2, "serve -c FILE"}, {"check mine.yaml", 2, "check -c FILE"},
		{"sevre", 2, "sevre"},
		{"presets wedda", 2, "did you mean weda?"},
		{"token -c " + busy + " none", 2, `no token "none"; it has main`},
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
	ctx, cancel := context.WithTimeout(t.Context(), authproxytest.Patience)
	defer cancel()
	for range 2 {
		req, _ := http.NewRequestWithContext(ctx, http.MethodPost, p.URL+authproxytest.APIPath, strings.NewReader("{}"))
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
