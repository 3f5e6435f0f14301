package main_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"authproxy/cmd/authproxy/authproxytest"
	"authproxy/proxy/platformtest"
)

// TestOneTextForClientAndLog: what the client is told of an upstream that does not work
// stands in the log as well, with the address and the path that were asked for and
// without the query.
func TestOneTextForClientAndLog(t *testing.T) {
	t.Parallel()
	platform := authproxytest.Serve(t, platformtest.NewOAuth2(platformtest.Options{}))
	secure := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(secure.Close)
	rude := authproxytest.Serve(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	socket := "unix:" + t.TempDir() + "/none.sock"
	for name, c := range map[string]struct{ url, what, todo string }{
		"nothing listens":      {authproxytest.Nobody + "/base", "GET " + authproxytest.Nobody + "/base/a/b: nothing listens at ", "check host and port in url"},
		"an unknown authority": {secure.URL, "GET " + secure.URL + "/a/b: no TLS: its certificate", "tls.ca_file"},
		"no answer":            {rude, "GET " + rude + "/a/b: the other side closed the connection", "log"},
		"no socket":            {socket, "there is no socket /", "start the program"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := authproxytest.Start(t, authproxytest.OAuth2(platform, c.url))
			a := authproxytest.Ask(t, http.MethodGet, p.URL+"/a/b?q=in-the-query", nil)
			var told struct{ Error struct{ Message string } }
			if err := json.Unmarshal([]byte(a.Body), &told); err != nil {
				t.Fatal(err, a.Body)
			}
			if !strings.Contains(told.Error.Message, c.what) || !strings.Contains(told.Error.Message, c.todo) {
				t.Errorf("the client was told %q, not %q and %q", told.Error.Message, c.what, c.todo)
			}
			if quoted := strings.ReplaceAll(told.Error.Message, `"`, `\"`); !p.Stderr.Await(quoted) {
				t.Errorf("the log does not hold %q:\n%s", quoted, p.Stderr)
			}
			if strings.Contains(a.Body+p.Stderr.String(), "in-the-query") {
				t.Errorf("the query is told: %s\n%s", a.Body, p.Stderr)
			}
		})
	}
}

// TestClocksThatDiffer: check --live compares this machine's clock with the platform's Date, whatever else came of it.
func TestClocksThatDiffer(t *testing.T) {
	t.Parallel()
	for off, want := range map[time.Duration]string{
		10 * time.Minute: "clock is 9m5", // and some seconds
		-time.Hour:       "ahead of the platform's: signatures, assertions and lifetimes are counted by it",
		0:                "",
	} {
		at := authproxytest.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Date", time.Now().Add(off).UTC().Format(http.TimeFormat))
			http.Error(w, `{"error":"invalid_client"}`, http.StatusUnauthorized)
		}))
		file := filepath.Join(t.TempDir(), "authproxy.yaml")
		authproxytest.Write(t, file, authproxytest.OAuth2(at, at))
		out, err := exec.Command("authproxy", "check", "-c", file, "--live").Output()
		if err == nil || !strings.Contains(string(out), want) || strings.Contains(string(out), "clock") != (want != "") {
			t.Errorf("%v: %v\n%s", off, err, out)
		}
	}
}
