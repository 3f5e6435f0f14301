package main_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/cgi"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestTransfers has clients that others wrote fetch and send 50 MiB.
func TestTransfers(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "blob")
	blob := randomFile(t, file, 50<<20)
	p, _ := proxied(t, transfers(file))

	for name, c := range map[string]struct {
		tools   []string
		command string // of the shell; $URL, $FILE and $TARGET are set
		uploads int
	}{
		"curl": {[]string{"curl"}, `
			curl -sSf -o "$TARGET" "$URL/blob"
			curl -sSf -T "$FILE" "$URL/up"
			curl -sSf -T - "$URL/up" <"$FILE"
			curl -sSf -H 'Expect:' --data-binary @"$FILE" "$URL/up"`, 3},
		"curl, HTTP/2": {[]string{"curl"}, `
			curl -sSf --http2-prior-knowledge -o "$TARGET" "$URL/blob"
			curl -sSf --http2-prior-knowledge -T "$FILE" "$URL/up"
			curl -sSf --http2-prior-knowledge -T - "$URL/up" <"$FILE"`, 2},
		"curl, in parts": {[]string{"curl"}, `
			curl -sSf -r 0-12345678 -o "$TARGET" "$URL/blob"
			curl -sSf -C - -o "$TARGET" "$URL/blob"`, 0},
		"curl, asking for HTTP/2": {[]string{"curl"}, `
			curl -sSf --http2 -o "$TARGET" "$URL/blob"
			curl -sSf --http2 -T "$FILE" "$URL/up"`, 1},
		"wget": {[]string{"wget"}, `
			wget -q -O "$TARGET" "$URL/blob"
			wget -q -O - --post-file="$FILE" "$URL/up"
			wget -q -O - --method=PUT --body-file="$FILE" "$URL/up"`, 2},
		"Node's fetch":      {[]string{"node"}, `node testdata/interop/clients/transfer.mjs "$URL" "$FILE" "$TARGET"`, 1},
		"Java's HttpClient": {[]string{"java", "javac"}, `java -XX:TieredStopAtLevel=1 testdata/interop/clients/Transfer.java "$URL" "$FILE" "$TARGET"`, 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			installed(t, append(c.tools, "sh")...)
			target := filepath.Join(t.TempDir(), "target")
			cmd := exec.CommandContext(t.Context(), "sh", "-ec", c.command)
			cmd.Env = append(os.Environ(), "URL="+p.URL, "FILE="+file, "TARGET="+target, "no_proxy=*")
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			if got := sumOf(t, target); got != blob {
				t.Error("what was fetched differs from what was served")
			}
			if want := strings.Repeat(blob+" ", c.uploads); strings.Join(strings.Fields(string(out)), " ")+" " != want && c.uploads > 0 {
				t.Errorf("the server got\n%s\nwant\n%s", out, want)
			}
		})
	}
}

// transfers serves file as /blob, and answers the sum of what is sent to it.
func transfers(file string) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /blob", func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, file) })
	mux.HandleFunc("/up", func(w http.ResponseWriter, r *http.Request) {
		sum := sha256.New()
		if _, err := io.Copy(sum, r.Body); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		fmt.Fprintln(w, hex.EncodeToString(sum.Sum(nil)))
	})
	return mux
}

// randomFile writes a file that cannot be compressed and returns its sum.
func randomFile(t *testing.T, name string, size int64) string {
	t.Helper()
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := io.CopyN(f, rand.NewChaCha8([32]byte{}), size); err != nil {
		t.Fatal(err)
	}
	return sumOf(t, name)
}

func sumOf(t *testing.T, name string) string {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Error(err)
		return ""
	}
	defer f.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		t.Error(err)
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// TestGit clones, pushes and pulls over HTTP. The token dies in between.
func TestGit(t *testing.T) {
	t.Parallel()
	installed(t, "git")
	root := t.TempDir()
	execPath := strings.TrimSpace(run(t, "git", "--exec-path"))
	run(t, "git", "init", "--quiet", "--bare", "--initial-branch=main", filepath.Join(root, "repo.git"))
	run(t, "git", "-C", filepath.Join(root, "repo.git"), "config", "http.receivepack", "true")
	backend := &cgi.Handler{
		Path: filepath.Join(execPath, "git-http-backend"),
		Env:  []string{"GIT_PROJECT_ROOT=" + root, "GIT_HTTP_EXPORT_ALL=1", "REMOTE_USER=somebody"},
	}
	// net/http/cgi wants lengths, and git sends what is large in chunks.
	p, is := proxied(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		r.Body, r.ContentLength, r.TransferEncoding = io.NopCloser(bytes.NewReader(body)), int64(len(body)), nil
		backend.ServeHTTP(w, r)
	}))
	one, two := filepath.Join(root, "one"), filepath.Join(root, "two")
	g := git{t, root}
	g.run("clone", "--quiet", p.URL+"/repo.git", one)
	var sums []string
	for i, size := range []int64{100, 5 << 20} { // the second is more than git sends in one piece
		sums = append(sums, randomFile(t, filepath.Join(one, fmt.Sprint("file", i)), size))
		g.run("-C", one, "add", ".")
		g.run("-C", one, "commit", "--quiet", "--message", "more")
		is.revoke()
		g.run("-C", one, "push", "--quiet", "origin", "HEAD:main")
	}
	is.revoke()
	g.run("clone", "--quiet", p.URL+"/repo.git", two)
	is.revoke()
	g.run("-C", two, "-c", "protocol.version=0", "fetch", "--quiet")
	for i, sum := range sums {
		if got := sumOf(t, filepath.Join(two, fmt.Sprint("file", i))); got != sum {
			t.Errorf("file %d came out as another", i)
		}
	}
}

// git runs git without the settings of whoever runs the test.
type git struct {
	t    *testing.T
	home string
}

func (g git) run(args ...string) {
	g.t.Helper()
	cmd := exec.CommandContext(g.t.Context(), "git", args...)
	cmd.WaitDelay = time.Second
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + g.home, "GIT_CONFIG_NOSYSTEM=1", "GIT_TERMINAL_PROMPT=0",
		"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.com", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.com",
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		g.t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}
