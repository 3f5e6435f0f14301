package main_test

import (
	"fmt"
	"io"
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

	"github.com/alicebob/miniredis/v2"

	"authproxy/cmd/authproxy/authproxytest"
	"authproxy/proxy/platformtest"
)

// reloading is a program whose configuration is changed while it runs.
type reloading struct {
	*authproxytest.Program
	file string
}

// head says where it listens; what follows is the test's.
const head = "listen: 127.0.0.1:0\nadmin: { listen: 127.0.0.1:0 }\n"

func startReloading(t *testing.T, config string) *reloading {
	t.Helper()
	file := filepath.Join(t.TempDir(), "authproxy.yaml")
	authproxytest.Write(t, file, head+config)
	p, err := authproxytest.Launch(exec.Command("authproxy", "serve", "-c", file))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Stop(t) })
	return &reloading{p, file}
}

// change has config taken over, and returns the answer to the wish for that.
func (r *reloading) change(t *testing.T, config string, header ...string) authproxytest.Answer {
	t.Helper()
	authproxytest.Write(t, r.file, head+config)
	return authproxytest.Ask(t, http.MethodPost, r.Admin+"/-/reload", nil, header...)
}

// unconfined lets another port be connected to.
const unconfined = "sandbox: off\n"

const unwatched = "reload: { watch: false }\n"

// named serves a name.
func named(t *testing.T, name string) string {
	t.Helper()
	return authproxytest.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, name) }))
}

// TestReload: what is changed is served, in each of the three ways to ask for it, and the
// token goes on.
func TestReload(t *testing.T) {
	t.Parallel()
	platform := platformtest.NewOAuth2(platformtest.Options{})
	url := authproxytest.Serve(t, platform)
	one, two := named(t, "one"), named(t, "two")
	for name, ask := range map[string]func(*reloading, string){
		"SIGHUP": func(r *reloading, config string) {
			authproxytest.Write(t, r.file, head+config)
			r.Signal(t, syscall.SIGHUP)
		},
		"POST": func(r *reloading, config string) {
			if a := r.change(t, config); a.Status != http.StatusNoContent {
				t.Errorf("%d %s", a.Status, a.Body)
			}
		},
	} {
		r := startReloading(t, unwatched+unconfined+authproxytest.OAuth2(url, one))
		before := authproxytest.Ask(t, http.MethodGet, r.URL+"/x", nil)
		asked := platform.Counts().TokenRequests
		ask(r, unwatched+unconfined+authproxytest.OAuth2(url, two))
		authproxytest.Eventually(t, name+" to be followed", func() bool {
			return authproxytest.Ask(t, http.MethodGet, r.URL+"/x", nil).Body == "two"
		})
		if before.Body != "one" || platform.Counts().TokenRequests != asked {
			t.Errorf("%s: %q before, %d token requests more", name, before.Body, platform.Counts().TokenRequests-asked)
		}
		if !r.Stderr.Await("configuration taken over") || r.Series(t)["authproxy_config_last_reload_successful"] != 1 {
			t.Errorf("%s: not told, or not counted: %s", name, r.Stderr)
		}
	}
}

// TestReloadWhenTheFileChanges: written at once, in two steps, or by a rename; a faulty one
// changes nothing and says why.
func TestReloadWhenTheFileChanges(t *testing.T) {
	t.Parallel()
	url := authproxytest.Serve(t, platformtest.NewOAuth2(platformtest.Options{}))
	r := startReloading(t, unconfined+authproxytest.OAuth2(url, named(t, "first")))
	serves := func(want string) {
		t.Helper()
		authproxytest.Eventually(t, want, func() bool { return authproxytest.Ask(t, http.MethodGet, r.URL+"/x", nil).Body == want })
	}
	serves("first")
	authproxytest.Write(t, r.file, head+unconfined+authproxytest.OAuth2(url, named(t, "at once")))
	serves("at once")
	text := head + unconfined + authproxytest.OAuth2(url, named(t, "in two steps"))
	f, err := os.Create(r.file)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = f.WriteString(text[:len(text)/2])
	time.Sleep(100 * time.Millisecond) // an editor that is slow
	_, _ = f.WriteString(text[len(text)/2:])
	_ = f.Close()
	serves("in two steps")
	if strings.Contains(r.Stderr.String(), "not taken over") {
		t.Errorf("half a file was judged: %s", r.Stderr)
	}
	authproxytest.Write(t, r.file+".new", head+unconfined+authproxytest.OAuth2(url, named(t, "renamed")))
	if err := os.Rename(r.file+".new", r.file); err != nil {
		t.Fatal(err)
	}
	serves("renamed")
	authproxytest.Write(t, r.file, head+"lisen: 1\n"+authproxytest.OAuth2(url, named(t, "faulty")))
	if !r.Stderr.Await("did you mean listen?") {
		t.Errorf("the fault is not told: %s", r.Stderr)
	}
	serves("renamed")
	text = head + unconfined + authproxytest.OAuth2(url, named(t, "mended"))
	authproxytest.Write(t, r.file, text)
	serves("mended")
	authproxytest.Write(t, r.file, "lisen: 1\n"+text)
	authproxytest.Eventually(t, "the fault to be counted", func() bool { return r.Series(t)["authproxy_config_last_reload_successful"] == 0 })
	authproxytest.Write(t, r.file, text) // as it is served
	authproxytest.Eventually(t, "the fault to be gone", func() bool { return r.Series(t)["authproxy_config_last_reload_successful"] == 1 })
}

// TestFaultyReload: nothing changes, and the log, the metric and the answer say why.
func TestFaultyReload(t *testing.T) {
	t.Parallel()
	url := authproxytest.Serve(t, platformtest.NewOAuth2(platformtest.Options{}))
	good := unwatched + authproxytest.OAuth2(url, url)
	r := startReloading(t, good)
	a := r.change(t, strings.Replace(good, "token: main", "token: mian", 1)+"colour: red\n")
	if a.Status != 422 || !strings.Contains(a.Body, "did you mean main?") || !strings.Contains(a.Body, "colour: unknown key") {
		t.Errorf("%d %s", a.Status, a.Body)
	}
	a = r.change(t, "lisen: 1\n"+good, "Accept", "application/json")
	if a.Status != 422 || !strings.Contains(a.Body, `"path":"lisen"`) || !strings.Contains(a.Body, `"hint":"did you mean listen?"`) {
		t.Errorf("%d %s", a.Status, a.Body)
	}
	if r.Series(t)["authproxy_config_last_reload_successful"] != 0 || !r.Stderr.Await("is served on") {
		t.Errorf("not counted, or not told: %s", r.Stderr)
	}
	r.Good(t)
	for key, change := range map[string]string{"max_header": "max_header: 64KiB\n", "log.format": "log: { format: json }\n", "sandbox": "sandbox: off\n"} {
		if a := r.change(t, change+good); a.Status != 422 || !strings.Contains(a.Body, key+" cannot be changed while the program runs: restart it") {
			t.Errorf("%s: %d %s", key, a.Status, a.Body)
		}
	}
	if a := authproxytest.Ask(t, http.MethodPost, r.Admin+"/-/reload", nil, "Origin", "http://evil.example"); a.Status != 403 {
		t.Errorf("a web page: %d", a.Status)
	}
	if a := authproxytest.Ask(t, http.MethodPost, r.Admin+"/-/reload", nil, "Origin", r.Admin); a.Status != 403 {
		t.Errorf("a page of its own: %d", a.Status)
	}
	if a := r.change(t, good); a.Status != http.StatusNoContent {
		t.Errorf("mended: %d %s", a.Status, a.Body)
	}
}

// TestReloadBeyondTheSandbox is refused as a whole, with the key, and "restart".
func TestReloadBeyondTheSandbox(t *testing.T) {
	t.Parallel()
	url := authproxytest.Serve(t, platformtest.NewOAuth2(platformtest.Options{}))
	good := unwatched + "sandbox: required\n" + authproxytest.OAuth2(url, url)
	r := startReloading(t, good)
	secret := filepath.Join(t.TempDir(), "secret")
	authproxytest.Write(t, secret, "secret")
	for name, c := range map[string]struct{ config, want string }{
		"a listener": {strings.Replace(good, "{ name: main", "{ listen: 127.0.0.1:0, name: main", 1), `listen of upstream "main": the sandbox lets no other place be listened on: restart`},
		"a port":     {strings.Replace(good, fmt.Sprintf("url: %q", url), `url: "https://platform.example:4711"`, 1), `upstream "main": the sandbox leaves no connections to port 4711: restart`},
	} {
		if a := r.change(t, c.config); a.Status != 422 || !strings.Contains(a.Body, c.want) {
			t.Errorf("%s: %d %s, want %q", name, a.Status, a.Body, c.want)
		}
	}
	// A secret elsewhere cannot even be read.
	if a := r.change(t, strings.Replace(good, `client_secret: "secret"`, fmt.Sprintf("client_secret_file: %q", secret), 1)); a.Status != 422 || !strings.Contains(a.Body, "client_secret_file") || !strings.Contains(a.Body, "restart") {
		t.Errorf("%d %s", a.Status, a.Body)
	}
	r.Good(t)
}

// TestListenersComeAndGo, where there is no sandbox, and those that stay lose no connection;
// the series of what is gone are gone.
func TestListenersComeAndGo(t *testing.T) {
	t.Parallel()
	url := authproxytest.Serve(t, platformtest.NewOAuth2(platformtest.Options{}))
	socket := filepath.Join(t.TempDir(), "s")
	base := unwatched + "sandbox: off\n" + authproxytest.OAuth2(url, url)
	more := strings.Replace(base, "upstreams: [", fmt.Sprintf("upstreams: [ { name: second, token: main, url: %q, listen: \"unix:%s\" },", url, socket), 1)
	r := startReloading(t, base)
	r.Good(t)
	if a := r.change(t, more); a.Status != http.StatusNoContent {
		t.Fatal(a.Status, a.Body)
	}
	out, err := exec.Command("curl", "-sS", "--max-time", "10", "--unix-socket", socket, "http://localhost/x").CombinedOutput()
	if err != nil || !strings.Contains(string(out), "granted") {
		t.Errorf("%v %s", err, out)
	}
	const series = `authproxy_requests_total{code="200",method="GET",upstream="second"}`
	if r.Series(t)[series] != 1 {
		t.Error("not counted")
	}
	if a := r.change(t, base); a.Status != http.StatusNoContent {
		t.Fatal(a.Status, a.Body)
	}
	authproxytest.Eventually(t, "the socket to go", func() bool { _, err := os.Lstat(socket); return err != nil })
	for name := range r.Series(t) {
		if strings.Contains(name, `"second"`) {
			t.Errorf("%s is left", name)
		}
	}
	r.Good(t)
}

// TestManyReloadsUnderLoad: no request fails, and nothing is left behind.
func TestManyReloadsUnderLoad(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes some seconds")
	}
	t.Parallel()
	url := authproxytest.Serve(t, platformtest.NewOAuth2(platformtest.Options{}))
	config := func(n int) string {
		return unwatched + strings.Replace(authproxytest.OAuth2(url, url), "name: main", fmt.Sprintf("max_in_flight: %d, name: main", 1000+n%2), 1)
	}
	r := startReloading(t, config(0))
	r.Good(t)
	var stop atomic.Bool
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for !stop.Load() {
				if a, err := authproxytest.Try(http.MethodGet, r.URL+"/x", nil); err != nil || a.Status != 200 {
					t.Errorf("%v %d %s", err, a.Status, a.Body)
					return
				}
			}
		})
	}
	reload := func(n int) {
		if a := r.change(t, config(n)); a.Status != http.StatusNoContent {
			t.Error(a.Status, a.Body)
		}
	}
	for n := range 20 {
		reload(n)
	}
	before := r.Series(t)
	for n := range 200 {
		reload(n)
	}
	stop.Store(true)
	group.Wait()
	authproxytest.Client.CloseIdleConnections()
	authproxytest.Eventually(t, "what reloads leave behind to go", func() bool {
		after := r.Series(t)
		return after["go_goroutines"] < before["go_goroutines"]+20 && after["process_open_fds"] < before["process_open_fds"]+20
	})
}

// TestSharedTokensAfterReloads: what other processes announce is heard after a reload, and
// after one that failed.
func TestSharedTokensAfterReloads(t *testing.T) {
	t.Parallel()
	redis := miniredis.RunT(t)
	platform, config := killer(t)
	config = unwatched + onRedis(redis.Addr(), config)
	r := startReloading(t, config)
	other := authproxytest.Start(t, config)
	for name, change := range map[string]string{"a reload": "allowed_hosts: [a.local]\n" + config, "one that fails": "max_header: 1MiB\n" + config} {
		r.change(t, change)
		get(t, r.Program)
		platform.RevokeAll()
		heard := strings.Count(r.Stderr.String(), "token of another process")
		if a := get(t, other); a.Status != 200 {
			t.Fatal(a.Body)
		}
		authproxytest.Eventually(t, "the new token to be heard of after "+name, func() bool {
			return strings.Count(r.Stderr.String(), "token of another process") > heard
		})
	}
}

// TestConfigurationFromAPipe is served, and nobody waits for more to come out of it.
func TestConfigurationFromAPipe(t *testing.T) {
	t.Parallel()
	url := authproxytest.Serve(t, platformtest.NewOAuth2(platformtest.Options{}))
	in, out, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("authproxy", "serve", "-c", "/dev/stdin")
	cmd.Stdin = in
	go func() {
		_, _ = io.WriteString(out, head+authproxytest.OAuth2(url, url))
		_ = out.Close()
	}()
	p, err := authproxytest.Launch(cmd)
	if err != nil {
		t.Fatal(err)
	}
	_ = in.Close()
	t.Cleanup(func() { p.Stop(t) })
	p.Good(t)
	p.Signal(t, syscall.SIGHUP) // there is nothing to read any more
	if !p.Stderr.Await("is served on") {
		t.Errorf("not told: %s", p.Stderr)
	}
	p.Good(t)
}
