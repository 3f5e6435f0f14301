package main_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"unicode/utf8"

	"authproxy/cmd/authproxy/authproxytest"
	"authproxy/proxy/platformtest"
)

// TestHelpFits: the help of every command has lines of at most 80 columns, and the
// commands that are used by hand have an example.
func TestHelpFits(t *testing.T) {
	t.Parallel()
	command := regexp.MustCompile(`(?m)^  ([a-z]+)  +[A-Z]`)
	var visit func(path []string)
	visit = func(path []string) {
		out, err := exec.Command("authproxy", append(path, "--help")...).CombinedOutput()
		if err != nil {
			t.Fatal(path, err)
		}
		for _, line := range strings.Split(string(out), "\n") {
			if n := utf8.RuneCountInString(line); n > 80 {
				t.Errorf("%v: %d columns: %s", path, n, line)
			}
		}
		if len(path) == 1 && path[0] != "help" && path[0] != "completion" && !strings.Contains(string(out), "\nExamples:\n  authproxy "+path[0]) {
			t.Errorf("%v: no example", path)
		}
		_, list, _ := strings.Cut(string(out), "Available Commands:")
		list, _, _ = strings.Cut(list, "\n\n")
		for _, m := range command.FindAllStringSubmatch(list, -1) {
			visit(append(path[:len(path):len(path)], m[1]))
		}
	}
	visit(nil)
	for _, args := range [][]string{{"presets"}, {"version"}, {"demo", "--once"}} {
		out, err := exec.Command("authproxy", args...).Output()
		if err != nil {
			t.Error(args, err)
		}
		for _, line := range strings.Split(string(out), "\n") {
			if n := utf8.RuneCountInString(line); n > 80 && !strings.Contains(line, "body_sha256") { // one word of the platform's
				t.Errorf("%v: %d columns: %s", args, n, line)
			}
		}
	}
}

// jsonLines fails the test unless each line is an object of JSON with time, level and msg.
func jsonLines(t *testing.T, text string) {
	t.Helper()
	for _, line := range strings.Split(strings.TrimSpace(text), "\n") {
		var one struct{ Time, Level, Msg string }
		if err := json.Unmarshal([]byte(line), &one); err != nil || one.Time == "" || one.Level == "" || one.Msg == "" {
			t.Errorf("no line of a JSON log: %q", line)
		}
	}
}

// TestJSONOnBothStreams: where the log is JSON, so is what is printed at start and at the
// end, and why the program does not start.
func TestJSONOnBothStreams(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = taken.Close() })
	url := authproxytest.Serve(t, platformtest.NewOAuth2(platformtest.Options{}))
	good := authproxytest.OAuth2(url, url)
	for name, c := range map[string]struct {
		config, want string
		code         int
	}{
		"a port that is taken": {"listen: " + taken.Addr().String() + "\n" + good, taken.Addr().String(), 1},
		"faults":               {"lisen: 1\n" + strings.Replace(good, "token: main", "token: mian", 1), `"path":"upstreams[0].token"`, 2},
		"a secret that is not": {strings.Replace(good, `client_secret: "secret"`, "client_secret_file: none", 1), "none cannot be read", 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "a.yaml")
			authproxytest.Write(t, file, "log: { format: json }\nadmin: { listen: 127.0.0.1:0 }\n"+c.config)
			cmd := exec.Command("authproxy", "serve", "-c", file)
			var out, errs bytes.Buffer
			cmd.Stdout, cmd.Stderr = &out, &errs
			_ = cmd.Run() // the code is looked at
			if code := cmd.ProcessState.ExitCode(); code != c.code || !strings.Contains(errs.String(), c.want) {
				t.Errorf("exit code %d, want %d with %q: %s", code, c.code, c.want, &errs)
			}
			jsonLines(t, errs.String())
			if out.Len() > 0 {
				t.Errorf("%s", &out)
			}
		})
	}
	t.Run("start and end", func(t *testing.T) {
		t.Parallel()
		file := filepath.Join(t.TempDir(), "a.yaml")
		authproxytest.Write(t, file, "listen: 127.0.0.1:0\nlog: { format: json, access: all }\nadmin: { listen: 127.0.0.1:0 }\n"+good)
		p, err := authproxytest.Launch(exec.Command("authproxy", "serve", "-c", file))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { p.Stop(t) })
		var place struct{ Address string }
		line := regexp.MustCompile(`(?m)^.*"upstream":"main".*$`).FindString(p.Stdout.String())
		if err := json.Unmarshal([]byte(line), &place); err != nil || place.Address == "" {
			t.Fatalf("where it serves is not told: %s", p.Stdout)
		}
		if a := authproxytest.Ask(t, http.MethodGet, place.Address+"x", nil); a.Status != 200 {
			t.Errorf("%d %s", a.Status, a.Body)
		}
		p.Signal(t, syscall.SIGTERM)
		if code := p.Wait(t); code != 0 {
			t.Errorf("exit code %d", code)
		}
		jsonLines(t, p.Stdout.String())
		jsonLines(t, p.Stderr.String())
	})
}

// TestHealthcheckOfASocket: by its address and by the file.
func TestHealthcheckOfASocket(t *testing.T) {
	t.Parallel()
	url := authproxytest.Serve(t, platformtest.NewOAuth2(platformtest.Options{}))
	dir := t.TempDir()
	file, socket := filepath.Join(dir, "a.yaml"), "unix:"+filepath.Join(dir, "admin")
	authproxytest.Write(t, file, "listen: 127.0.0.1:0\nadmin: { listen: "+socket+" }\n"+authproxytest.OAuth2(url, url))
	p, err := authproxytest.Launch(exec.Command("authproxy", "serve", "-c", file))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Stop(t) })
	for _, args := range [][]string{{socket}, {"-c", file}} {
		if out, err := exec.Command("authproxy", append([]string{"healthcheck"}, args...)...).CombinedOutput(); err != nil {
			t.Errorf("%v: %v: %s", args, err, out)
		}
	}
	p.Stop(t)
	if out, err := exec.Command("authproxy", "healthcheck", socket).CombinedOutput(); err == nil || !strings.Contains(string(out), "admin") {
		t.Errorf("of one that is gone: %v: %s", err, out)
	}
}

// TestFileOfTheDemo: what the demo prints can be saved and served beside it, and it does
// not wait for a key where there is no keyboard.
func TestFileOfTheDemo(t *testing.T) {
	t.Parallel()
	demo := exec.Command("authproxy", "demo")
	out := new(authproxytest.Output)
	demo.Stdout = out
	if err := demo.Start(); err != nil { // its input is /dev/null
		t.Fatal(err)
	}
	defer func() {
		_ = demo.Process.Signal(syscall.SIGTERM)
		_ = demo.Wait()
	}()
	if !out.Await("Ctrl-C ends") {
		t.Fatal("no show:", out)
	}
	if strings.Contains(out.String(), "Enter") {
		t.Errorf("a key is waited for: %s", out)
	}
	var yaml strings.Builder
	for _, line := range regexp.MustCompile(`(?m)^    .*$`).FindAllString(out.String(), -1) {
		fmt.Fprintln(&yaml, strings.TrimPrefix(line, "    "))
	}
	file := filepath.Join(t.TempDir(), "demo.yaml")
	authproxytest.Write(t, file, yaml.String())
	p, err := authproxytest.Launch(exec.Command("authproxy", "serve", "-c", file))
	if err != nil {
		t.Fatal(err, yaml.String())
	}
	t.Cleanup(func() { p.Stop(t) })
	if a := authproxytest.Ask(t, http.MethodGet, p.Places["weda"]+"/weda/odata/v1/prod/sys_user", nil); a.Status != 200 || !strings.Contains(a.Body, "granted") {
		t.Errorf("%d %s", a.Status, a.Body)
	}
}
