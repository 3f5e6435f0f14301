package main_test

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"authproxy/cmd/authproxy/authproxytest"
	"authproxy/proxy/platformtest"
)

// TestClientsAsTheyCome has programs that send headers of their own talk to a
// platform that answers 400 to any header that is not in its samples. Each
// takes the URL and a file, prints the answer to GET URL and then that to POST
// URL with the file, and fails when one of them is not 200.
func TestClientsAsTheyCome(t *testing.T) {
	t.Parallel()
	for name, command := range map[string][]string{
		"curl":                       {"sh", "testdata/clients/curl.sh"},
		"Node's fetch":               {"node", "testdata/clients/fetch.mjs"},
		"Java's HttpClient":          {"java", "-XX:TieredStopAtLevel=1", "testdata/clients/Client.java"},
		"Java's HttpURLConnection":   {"java", "-XX:TieredStopAtLevel=1", "testdata/clients/Connection.java"},
		"Java's HttpClient, chunked": {"java", "-XX:TieredStopAtLevel=1", "testdata/clients/Stream.java"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tools := []string{command[0]}
			switch command[0] {
			case "sh":
				tools = append(tools, "curl")
			case "java":
				tools = append(tools, "javac") // a JRE alone does not run source files
			}
			installed(t, tools...)
			body := strings.Repeat(`{"from":"a client as it comes"}`, 50_000) // 1.5 MB: curl asks with Expect
			platform := platformtest.NewGongjiangyun(platformtest.Options{})
			p := authproxytest.Start(t, strings.Replace(authproxytest.Dialects()["gongjiangyun"].Config(authproxytest.Serve(t, platform)), "token: main,", "token: main, retry: { body_limit: 4MiB },", 1))
			p.Good(t)
			platform.RevokeAll() // so that each has a request sent again, too
			file := filepath.Join(t.TempDir(), "body.json")
			authproxytest.Write(t, file, body)
			cmd := exec.CommandContext(t.Context(), command[0], append(command[1:], p.URL+authproxytest.APIPath, file)...)
			var failed strings.Builder
			cmd.Stderr = &failed
			out, err := cmd.Output()
			if err != nil {
				t.Fatalf("%v: %s%s", err, out, failed.String())
			}
			checkClient(t, platform, string(out), body)
		})
	}
}

// checkClient looks at what a client printed and at what the platform saw.
func checkClient(t *testing.T, platform *platformtest.Platform, out, body string) {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if len(lines) != 2 {
		t.Fatalf("not one answer a line: %s", out)
	}
	get, err := platformtest.DecodeEcho([]byte(lines[0]))
	if err != nil || get.Method != "GET" {
		t.Errorf("%v: %s", err, lines[0])
	}
	post, err := platformtest.DecodeEcho([]byte(lines[1]))
	sum := sha256.Sum256([]byte(body))
	if err != nil || post.Method != "POST" || post.BodySHA256 != hex.EncodeToString(sum[:]) {
		t.Errorf("%v: %s", err, lines[1])
	}
	if got := platform.Counts(); got.BadRequests != 0 || got.TokenRequests != 2 || got.Accepted != 3 {
		t.Errorf("%+v", got)
	}
}

// installed skips the test where a program is missing; in CI it must be there.
// With -short no foreign program is started.
func installed(t *testing.T, programs ...string) {
	t.Helper()
	if testing.Short() {
		t.Skipf("SKIPPED with -short: needs %s", strings.Join(programs, ", "))
	}
	for _, name := range programs {
		_, err := exec.LookPath(name)
		switch {
		case err == nil:
		case os.Getenv("CI") == "true":
			t.Fatalf("%s is not installed, and CI=true does not let this test be skipped", name)
		default:
			t.Skipf("SKIPPED: %s is not installed; its way of calling is not tested here", name)
		}
	}
}
