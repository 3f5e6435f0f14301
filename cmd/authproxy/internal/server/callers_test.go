package server

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"authproxy/cmd/authproxy/internal/config"
	"authproxy/cmd/authproxy/internal/follow"
)

// output is a log that is read while it is written.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) count(text string) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return strings.Count(o.text.String(), text)
}

// replace puts a file with this content in the place of another.
func replace(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file+".new", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(file+".new", file); err != nil {
		t.Fatal(err)
	}
}

// letIn returns what those find who bring the token of callers that is in file,
// and how it is followed.
func letIn(t *testing.T, file string, log *output) http.Handler {
	t.Helper()
	text := "caller_token_file: " + file + "\ntokens: { t: { token_url: 'https://x/', client_id: i, client_secret: s } }\nupstreams: [ { name: u, token: t, url: 'https://api.example.com' } ]\n"
	cfg, err := config.Parse("callers.yaml", []byte(text), t.TempDir(), noEnv, vocabulary())
	if err != nil {
		t.Fatal(err)
	}
	s := newServer(cfg, Options{Log: log})
	g := &generation{cfg: cfg, log: s.log, metrics: s.metrics, access: s.access, history: s.history, files: follow.New(slog.New(slog.DiscardHandler))}
	t.Cleanup(g.files.Close)
	if err := g.followCallers(); err != nil {
		t.Fatal(err)
	}
	h, err := g.onlyCallers("127.0.0.1:0", http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	if err != nil {
		t.Fatal(err)
	}
	g.files.Start()
	return h
}

func callAs(h http.Handler, token string) int {
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Authorization", "Bearer "+token)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code
}

func eventually(t *testing.T, what string, yes func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !yes(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// TestCallerTokenChanges: a new token counts at the next request that brings it,
// the old one ends without one, and a file that is gone for a moment turns nobody
// away and lets nobody in.
func TestCallerTokenChanges(t *testing.T) {
	const one, two, three = "token-of-callers-1", "token-of-callers-2", "token-of-callers-3"
	file, log := filepath.Join(t.TempDir(), "caller"), new(output)
	replace(t, file, one)
	h := letIn(t, file, log)
	if callAs(h, one) != 200 || callAs(h, two) != 403 {
		t.Fatal("the token of the file does not count, or another one does")
	}
	replace(t, file, two)
	if callAs(h, two) != 200 || callAs(h, one) != 403 {
		t.Error("the new token does not count at once")
	}
	replace(t, file, three)
	eventually(t, "the old token to end", func() bool { return callAs(h, two) == 403 })
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a word of it", func() bool { return log.count("the previous one goes on counting") == 1 })
	if callAs(h, three) != 200 || callAs(h, "") != 403 {
		t.Error("a file that is gone turns everybody away, or lets everybody in")
	}
}

// TestCallerTokenChangesUnderLoad: none of many callers that have the new token
// is turned away because another one's request is reading it.
func TestCallerTokenChangesUnderLoad(t *testing.T) {
	file := filepath.Join(t.TempDir(), "caller")
	replace(t, file, "token-of-callers-1")
	h := letIn(t, file, new(output))
	replace(t, file, "token-of-callers-2")
	var all sync.WaitGroup
	for range 100 {
		all.Go(func() {
			if callAs(h, "token-of-callers-2") != 200 {
				t.Error("refused")
			}
		})
	}
	all.Wait()
}
