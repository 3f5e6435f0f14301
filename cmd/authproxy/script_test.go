package main_test

import (
	"errors"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"authproxy/cmd/authproxy/authproxytest"
	"authproxy/proxy/platformtest"
)

// TestScripts runs testdata/script/*.txtar: each command, in good and bad use.
// The scripts find platforms at $PLATFORM (WeDa, private), $HENGSHI and $OAUTH2.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:           "testdata/script",
		UpdateScripts: *update,
		Setup:         platformsFor,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"code": exitsWith, "mentions": mentions, "running": runs, "stopped": stopped, "said": said,
		},
	})
}

func platformsFor(env *testscript.Env) error {
	env.Setenv("GORACE", os.Getenv("GORACE")) // scripts inherit nothing
	for name, p := range map[string]*platformtest.Platform{
		"PLATFORM": platformtest.NewWeDaPrivate(platformtest.Options{}),
		"HENGSHI":  platformtest.NewHengshi(platformtest.Options{}),
		"OAUTH2":   platformtest.NewOAuth2(platformtest.Options{}),
	} {
		server := httptest.NewServer(p)
		env.Defer(server.Close)
		env.Setenv(name, server.URL)
	}
	env.Values[running{}] = new(*authproxytest.Program)
	return nil
}

// running is the key of where a script keeps the program that it runs in the
// background.
type running struct{}

// program returns that program.
func program(ts *testscript.TestScript) *authproxytest.Program {
	p := *ts.Value(running{}).(**authproxytest.Program)
	if p == nil {
		ts.Fatalf("no program was started with the command running")
	}
	return p
}

// exitsWith is the command "code N PROGRAM ARGS...", an exec with an exit code.
func exitsWith(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	code := 0
	var exit *exec.ExitError
	if err := ts.Exec(args[1], args[2:]...); errors.As(err, &exit) {
		code = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if code != want {
		ts.Fatalf("exit code %d, want %d", code, want)
	}
}

// mentions is the command "mentions WORD...": each is in the last standard output.
func mentions(ts *testscript.TestScript, _ bool, words []string) {
	text := ts.ReadFile("stdout")
	for _, word := range words {
		if !strings.Contains(text, word) {
			ts.Fatalf("standard output does not mention %s", word)
		}
	}
}

// runs is the command "running FILE", or "running FLAGS...", or "running - FILE": it starts authproxy
// serve, and sets $APP and $ADMIN to its addresses, $ADMIN_LISTEN to what listen: of admin then is.
func runs(ts *testscript.TestScript, _ bool, args []string) {
	cmd := exec.Command("authproxy", "serve")
	cmd.Dir = ts.MkAbs(".")
	cmd.Env = append(os.Environ(), "PLATFORM="+ts.Getenv("PLATFORM"), "AUTHPROXY_CONFIG="+ts.Getenv("AUTHPROXY_CONFIG"), "SECRET="+ts.Getenv("SECRET"))
	switch {
	case args[0] == "-":
		cmd.Args = append(cmd.Args, "-c", "-")
		cmd.Stdin = strings.NewReader(ts.ReadFile(args[1]))
	case strings.HasPrefix(args[0], "-"):
		cmd.Args = append(cmd.Args, args...)
	case args[0] != "":
		cmd.Args = append(cmd.Args, "-c", ts.MkAbs(args[0]))
	}
	p, err := authproxytest.Launch(cmd)
	ts.Check(err)
	ts.Defer(func() {
		_ = cmd.Process.Kill() // an error means that it has ended
		<-p.Exited
	})
	*ts.Value(running{}).(**authproxytest.Program) = p
	ts.Setenv("APP", p.URL)
	ts.Setenv("ADMIN", p.Admin)
	ts.Setenv("ADMIN_LISTEN", strings.TrimPrefix(p.Admin, "http://"))
}

// stopped is the command "stopped": it ends that program with SIGTERM.
func stopped(ts *testscript.TestScript, _ bool, _ []string) {
	p := program(ts)
	ts.Check(p.Cmd.Process.Signal(syscall.SIGTERM))
	select {
	case <-p.Exited:
	case <-time.After(authproxytest.Patience):
		ts.Fatalf("authproxy did not end: %s", p.Stderr)
	}
	if code := p.Cmd.ProcessState.ExitCode(); code != 0 {
		ts.Fatalf("exit code %d: %s", code, p.Stderr)
	}
}

// said is the command "said REGEXP": a line that the program has written matches.
func said(ts *testscript.TestScript, _ bool, args []string) {
	text := program(ts).Stdout.String() + program(ts).Stderr.String()
	if !regexp.MustCompile("(?m)" + args[0]).MatchString(text) {
		ts.Fatalf("no line matches %s in\n%s", args[0], text)
	}
}
