package main_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"authproxy/cmd/authproxy/authproxytest"
)

// killing is a platform on which a new token kills the old one. /bad answers 401
// to every token, and /NNN with that status to a good one.
type killing struct {
	mu       sync.Mutex
	requests int
	alive    string
}

func (k *killing) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	k.mu.Lock()
	defer k.mu.Unlock()
	status := http.StatusUnauthorized
	switch {
	case r.Method == http.MethodPost: // a token request
		k.requests++
		k.alive = fmt.Sprint("token-", k.requests)
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprintf(w, `{"access_token":%q,"token_type":"Bearer","expires_in":3600}`, k.alive)
		return
	case r.URL.Path != "/bad" && r.Header.Get("Authorization") == "Bearer "+k.alive:
		status = http.StatusOK
		_, _ = fmt.Sscanf(r.URL.Path, "/%d", &status)
	}
	w.WriteHeader(status)
}

func (k *killing) revoke() { k.mu.Lock(); defer k.mu.Unlock(); k.alive = "" }

func (k *killing) asked() int { k.mu.Lock(); defer k.mu.Unlock(); return k.requests }

// start serves the platform by a program of its own.
func (k *killing) start(t *testing.T, base, keys string) *authproxytest.Program {
	t.Helper()
	config := authproxytest.OAuth2(base, base)
	return authproxytest.Start(t, strings.Replace(config, "token_url:", keys+"token_url:", 1))
}

// statuses sends GETs for path, n of them, and counts the answers by status.
func statuses(t *testing.T, p *authproxytest.Program, n int, paths ...string) map[int]int {
	t.Helper()
	seen := map[int]int{}
	for range n {
		for _, path := range paths {
			seen[authproxytest.Ask(t, http.MethodGet, p.URL+path, nil).Status]++
		}
	}
	return seen
}

// TestAPathThatRefusesGoodTokens costs a few token requests, whatever the other
// paths answer, and does not hide a revocation.
func TestAPathThatRefusesGoodTokens(t *testing.T) {
	t.Parallel()
	for name, path := range map[string]string{"200": "/good", "404": "/404", "429": "/429", "500": "/500"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			platform := &killing{}
			p := platform.start(t, authproxytest.Serve(t, platform), "")
			began := time.Now()
			statuses(t, p, 100, "/bad", path)
			most := 3 + int(time.Since(began)/time.Second) // the first, one at once, and one with each pause
			if n := platform.asked(); n > most {
				t.Errorf("%d token requests for 200 calls, want at most %d", n, most)
			}
			if !p.Stderr.Await("invalid_token: { status: [] }") {
				t.Errorf("not a word on what to do: %s", p.Stderr)
			}
			statuses(t, p, 1, "/good")
			platform.revoke()
			if seen := statuses(t, p, 20, "/bad", "/good"); seen[http.StatusOK] < 18 {
				t.Errorf("after a revocation: %v", seen)
			}
		})
	}
}

// TestTwoProgramsWithOneCredential do not fight, and say what is wrong.
func TestTwoProgramsWithOneCredential(t *testing.T) {
	t.Parallel()
	platform := &killing{}
	base := authproxytest.Serve(t, platform)
	one, two := platform.start(t, base, "old_token: dies, "), platform.start(t, base, "old_token: dies, ")
	began := time.Now()
	for range 200 {
		statuses(t, one, 1, "/good")
		statuses(t, two, 1, "/good")
	}
	// Each: the first, three at once, one with each pause.
	if n, most := platform.asked(), 2*(5+int(time.Since(began)/time.Second)); n > most || n < 6 {
		t.Errorf("%d token requests, want at most %d", n, most)
	}
	authproxytest.Eventually(t, "a word of it", func() bool {
		statuses(t, one, 1, "/good")
		statuses(t, two, 1, "/good")
		return strings.Contains(one.Stderr.String()+two.Stderr.String(), "another program is likely to use the same credential")
	})
}
