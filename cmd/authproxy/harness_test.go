package main_test

import (
	"bytes"
	"context"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"authproxy/proxy/platformtest"
)

// patience bounds every wait; no test waits that long unless it fails.
const patience = 30 * time.Second

// authproxy is a running "authproxy serve".
type authproxy struct {
	url, admin     string            // of the upstream main, without a slash at the end
	places         map[string]string // the same of every upstream, by name
	cmd            *exec.Cmd
	stdout, stderr *output
	exited         chan struct{}
	stopping       sync.Once
}

const anywhere = "listen: 127.0.0.1:0\nadmin: { listen: 127.0.0.1:0 }\n"

// start runs the program until the end of the test.
func start(t *testing.T, config string, env ...string) *authproxy {
	t.Helper()
	return startIn(t, config, env, "authproxy")
}

// startBy has another program run authproxy, whose arguments are put behind
// its own.
func startBy(t *testing.T, config string, command ...string) *authproxy {
	t.Helper()
	return startIn(t, config, nil, command...)
}

func startIn(t *testing.T, config string, env []string, command ...string) *authproxy {
	t.Helper()
	file := filepath.Join(t.TempDir(), "authproxy.yaml")
	write(t, file, anywhere+config)
	p := &authproxy{stdout: newOutput(), stderr: newOutput(), exited: make(chan struct{})}
	p.cmd = exec.Command(command[0], append(command[1:], "serve", "-c", file)...)
	p.cmd.Env = append(os.Environ(), env...)
	p.cmd.Stdout, p.cmd.Stderr = p.stdout, p.stderr
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.exited)
		_ = p.cmd.Wait() // stop looks at the state
	}()
	t.Cleanup(func() { p.stop(t) })
	if !p.stdout.await("/livez", p.exited) {
		t.Fatalf("authproxy did not start: %s%s", p.stdout, p.stderr)
	}
	p.read()
	return p
}

var placeLine = regexp.MustCompile(`(?m)^  (\w+): (http://[^/\s]+)`)

// read takes the addresses from what the program says at its start.
func (p *authproxy) read() {
	p.places = map[string]string{}
	for _, m := range placeLine.FindAllStringSubmatch(p.stdout.String(), -1) {
		p.places[m[1]] = m[2]
	}
	p.url, p.admin = p.places["main"], p.places["admin"]
}

// signal sends a signal to the program.
func (p *authproxy) signal(t *testing.T, s os.Signal) {
	t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		t.Error(err)
	}
}

// wait returns the exit code; -1 after a signal.
func (p *authproxy) wait(t *testing.T) int {
	t.Helper()
	select {
	case <-p.exited:
	case <-time.After(patience):
		_ = p.cmd.Process.Kill()
		<-p.exited
		t.Error("authproxy did not end")
	}
	return p.cmd.ProcessState.ExitCode()
}

// stop ends the program as an operator does, and sees that it went well.
func (p *authproxy) stop(t *testing.T) {
	t.Helper()
	p.stopping.Do(func() {
		select {
		case <-p.exited: // the test itself has ended it
		default:
			p.signal(t, syscall.SIGTERM)
			if code := p.wait(t); code != 0 {
				t.Errorf("exit code %d", code)
			}
		}
		if text := p.stderr.String(); strings.Contains(text, "DATA RACE") || strings.Contains(text, "goroutine ") {
			t.Errorf("standard error: %s", text)
		}
	})
}

// output keeps what a process writes.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
	news chan struct{}
}

func newOutput() *output { return &output{news: make(chan struct{}, 1)} }

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	select {
	case o.news <- struct{}{}:
	default:
	}
	return o.text.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// await tells whether want comes before the process or the patience ends.
func (o *output) await(want string, exited <-chan struct{}) bool {
	deadline := time.After(patience)
	for !strings.Contains(o.String(), want) {
		select {
		case <-o.news:
		case <-exited:
			return strings.Contains(o.String(), want)
		case <-deadline:
			return false
		}
	}
	return true
}

type answer struct {
	status int
	header http.Header
	body   string
}

// code is that of an answer of authproxy itself.
func (a answer) code() string { return a.header.Get("X-Authproxy-Error") }

// client keeps connections, and adds nothing to a request.
var client = &http.Client{
	Transport:     &http.Transport{MaxIdleConnsPerHost: 100, DisableCompression: true},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// ask sends a request; body may be nil, a string, or an io.Reader, which goes
// chunked. header holds names and values by turns.
func ask(t *testing.T, method, url string, body any, header ...string) answer {
	t.Helper()
	a, err := try(t, method, url, body, header...)
	if err != nil {
		t.Errorf("%s %s: %v", method, url, err)
	}
	return a
}

func try(t *testing.T, method, url string, body any, header ...string) (answer, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	var reader io.Reader
	switch b := body.(type) {
	case string:
		reader = strings.NewReader(b)
	case io.Reader:
		reader = b
	}
	req, err := http.NewRequestWithContext(ctx, method, url, reader)
	if err != nil {
		return answer{}, err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Add(header[i], header[i+1])
	}
	resp, err := client.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return answer{resp.StatusCode, resp.Header, string(text)}, err
}

// get asks for apiPath at the upstream main.
func (p *authproxy) get(t *testing.T) answer {
	t.Helper()
	return ask(t, http.MethodGet, p.url+apiPath, nil)
}

// good asks for apiPath and wants a good answer.
func (p *authproxy) good(t *testing.T) {
	t.Helper()
	echoOf(t, p.get(t))
}

// echoOf is what the platform says that it got, in a good answer.
func echoOf(t *testing.T, a answer) platformtest.Echo {
	t.Helper()
	echo, err := platformtest.DecodeEcho([]byte(a.body))
	if err != nil || a.status != http.StatusOK {
		t.Errorf("status %d, body %.300q: %v", a.status, a.body, err)
	}
	return echo
}

// chunked hides the length of a body.
func chunked(body string) io.Reader { return io.MultiReader(strings.NewReader(body)) }

// series returns every series of ours and its value.
func (p *authproxy) series(t *testing.T) map[string]float64 {
	t.Helper()
	all := map[string]float64{}
	for line := range strings.Lines(ask(t, http.MethodGet, p.admin+"/metrics", nil).body) {
		at := strings.LastIndex(line, " ")
		if !strings.HasPrefix(line, "authproxy_") || at < 0 {
			continue
		}
		value, err := strconv.ParseFloat(strings.TrimSpace(line[at:]), 64)
		if err != nil {
			t.Errorf("%s: %v", line, err)
		}
		all[line[:at]] = value
	}
	return all
}

// changed are the series that are not what they were.
func changed(before, after map[string]float64) map[string]float64 {
	out := maps.Clone(after)
	maps.DeleteFunc(out, func(name string, value float64) bool { return before[name] == value })
	return out
}

func serve(t *testing.T, h http.Handler) string {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server.URL
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// eventually asks until the answer is yes.
func eventually(t *testing.T, what string, yes func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for !yes() {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
		time.Sleep(10 * time.Millisecond)
	}
}
