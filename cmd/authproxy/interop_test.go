package main_test

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"authproxy/cmd/authproxy/authproxytest"
)

// The tests in interop_*_test.go prove promise 1 of the design, that everything
// that is HTTP passes, with programs and suites that others wrote.

// lacking skips the test because something is missing on somebody's machine. In CI it
// fails: there everything is installed.
func lacking(t *testing.T, why string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal(why)
	}
	t.Skip(why)
}

// issuer is the token endpoint of any number of clients. The n'th token of each
// is "t<n>", and the last one is good until it is revoked.
type issuer struct {
	url string

	mu      sync.Mutex
	issued  map[string]int // by the name of the client
	revoked map[string]bool
}

func newIssuer(t *testing.T) *issuer {
	t.Helper()
	is := &issuer{issued: map[string]int{}, revoked: map[string]bool{}}
	is.url = authproxytest.Serve(t, is)
	return is
}

// ServeHTTP implements [http.Handler]: the path names the client.
func (is *issuer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name := strings.Trim(r.URL.Path, "/")
	is.mu.Lock()
	defer is.mu.Unlock()
	is.issued[name]++
	is.revoked[name] = false
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprintf(w, `{"access_token":"t%d","token_type":"Bearer","expires_in":3600}`, is.issued[name])
}

// revoke makes the token of the upstream main a dead one.
func (is *issuer) revoke() {
	is.mu.Lock()
	defer is.mu.Unlock()
	is.revoked["main"] = true
}

// guard lets only requests with the good token of main through to next.
func (is *issuer) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		is.mu.Lock()
		good := !is.revoked["main"] && r.Header.Get("Authorization") == fmt.Sprint("Bearer t", is.issued["main"])
		is.mu.Unlock()
		if !good {
			w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// token is the configuration of the token of an upstream, in one line.
func (is *issuer) token(name string) string {
	return fmt.Sprintf("  %s: { token_url: %s/%s, client_id: id, client_secret: secret }\n", name, is.url, name)
}

// config has the upstream main at url; more are further keys of it.
func (is *issuer) config(url string, more ...string) string {
	text := "tokens:\n" + is.token("main") + "upstreams:\n  - name: main\n    token: main\n    url: " + strconv.Quote(url) + "\n"
	for _, line := range more {
		text += "    " + line + "\n"
	}
	return text
}

// proxied starts the program in front of upstream, which sees only requests
// with a good token.
func proxied(t *testing.T, upstream http.Handler, more ...string) (*authproxytest.Program, *issuer) {
	t.Helper()
	is := newIssuer(t)
	return authproxytest.Start(t, is.config(authproxytest.Serve(t, is.guard(upstream)), more...)), is
}

// interop are the programs of the module in testdata/interop, built once.
var interop struct {
	sync.Mutex
	users int
	dir   string
}

// interopProgram returns the path of a program of testdata/interop. What is
// built goes away with its last user.
func interopProgram(t *testing.T, name string) string {
	t.Helper()
	if testing.Short() {
		t.Skipf("SKIPPED with -short: needs %s", name)
	}
	interop.Lock()
	defer interop.Unlock()
	if interop.users == 0 {
		interop.dir = buildInterop(t)
	}
	interop.users++
	t.Cleanup(func() {
		interop.Lock()
		defer interop.Unlock()
		if interop.users--; interop.users == 0 {
			_ = os.RemoveAll(interop.dir)
		}
	})
	return filepath.Join(interop.dir, name)
}

func buildInterop(t *testing.T) string {
	t.Helper()
	module := filepath.Join("testdata", "interop")
	if out, err := exec.Command("go", "-C", module, "mod", "download").CombinedOutput(); err != nil {
		lacking(t, fmt.Sprintf("SKIPPED: needs the modules of %s: %v: %s", module, err, out))
	}
	dir, err := os.MkdirTemp("", "authproxy-interop-")
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("go", "-C", module, "build", "-o", dir, "./...", "tool").CombinedOutput()
	if err != nil {
		_ = os.RemoveAll(dir)
		t.Fatalf("go build in %s: %v\n%s", module, err, out)
	}
	return dir
}

// run runs a program to its end and returns what it wrote; it has to succeed.
func run(t *testing.T, program string, args ...string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), program, args...).CombinedOutput()
	if err != nil {
		t.Errorf("%s %s: %v\n%s", program, strings.Join(args, " "), err, out)
	}
	return string(out)
}

// level is how much of something the program holds.
type level struct{ goroutines, files, inFlight float64 }

// levelOf says how many goroutines and open files the program has. It
// makes sure first that the program has its token.
func levelOf(t *testing.T, p *authproxytest.Program) level {
	t.Helper()
	var l level
	authproxytest.Client.CloseIdleConnections()
	for line := range strings.Lines(authproxytest.Ask(t, http.MethodGet, p.Admin+"/metrics", nil).Body) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		n, _ := strconv.ParseFloat(value, 64)
		switch name {
		case "go_goroutines":
			l.goroutines = n
		case "process_open_fds":
			l.files = n
		case `authproxy_requests_in_flight{upstream="main"}`:
			l.inFlight = n
		}
	}
	return l
}

// settles waits until nothing is left behind of what went on since before, but
// for a few idle connections, of two goroutines and one file each.
func settles(t *testing.T, p *authproxytest.Program, before level) {
	t.Helper()
	const idle = 4
	var now level
	authproxytest.Eventually(t, "connections and goroutines to be given back", func() bool {
		now = levelOf(t, p)
		return now.inFlight == 0 && now.goroutines <= before.goroutines+3*idle && now.files <= before.files+idle
	})
	t.Logf("before %v, after %v", before, now)
}
