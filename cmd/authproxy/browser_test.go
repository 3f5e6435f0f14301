package main_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"authproxy/cmd/authproxy/authproxytest"
)

// arrivals is an upstream that every page may read, and that notes who came.
type arrivals struct {
	mu    sync.Mutex
	paths []string
}

func (a *arrivals) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/token" {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `{"access_token":"abc","expires_in":3600}`)
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.paths = append(a.paths, r.Method+" "+r.URL.Path+" "+r.Header.Get("Authorization"))
	w.Header().Set("Access-Control-Allow-Origin", "*")
	w.Header().Set("Access-Control-Allow-Headers", "*")
	w.Header().Set("Access-Control-Allow-Methods", "*")
	fmt.Fprint(w, "ok")
}

func (a *arrivals) all() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]string(nil), a.paths...)
}

// TestWebPagesOfStrangers opens a page of another origin in a real browser. It
// tries every way that a page has to call the proxy, by every name that leads
// there: nothing arrives. A page that is allowed gets through, so the probes
// can.
func TestWebPagesOfStrangers(t *testing.T) {
	chromium := browser(t)
	for name, c := range map[string]struct {
		config string
		allow  bool
	}{
		"strangers":       {"", false},
		"an allowed page": {"allowed_origins: [\"http://%s\"]\n", true},
	} {
		t.Run(name, func(t *testing.T) {
			done := make(chan map[string]string, 1)
			page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/done" {
					var results map[string]string
					_ = json.NewDecoder(r.Body).Decode(&results) // a broken report shows as an empty one
					done <- results
					return
				}
				http.ServeFile(w, r, "testdata/browser/page.html")
			}))
			t.Cleanup(page.Close)
			port := page.Listener.Addr().String()[strings.LastIndex(page.Listener.Addr().String(), ":"):]
			upstream := &arrivals{}
			behind := httptest.NewServer(upstream)
			t.Cleanup(behind.Close)
			config := c.config
			if c.allow {
				config = fmt.Sprintf(config, "evil.test"+port)
			}
			p := authproxytest.Start(t, config+"allowed_hosts: [weda.local, weda.localhost]\n"+fmt.Sprintf("tokens: { t: { token_url: \"%s/token\", client_id: id, client_secret: secret } }\nupstreams: [{ name: main, token: t, url: \"%s\" }]\n", behind.URL, behind.URL))

			if a := authproxytest.Ask(t, "GET", p.URL+"/curl", nil); a.Status != 200 {
				t.Fatalf("a program: %d %s", a.Status, a.Body)
			}
			here, err := url.Parse(p.URL)
			if err != nil {
				t.Fatal(err)
			}
			results := visit(t, chromium, "http://evil.test"+port+"/?port="+here.Port(), done)
			if len(results) != 7*20 {
				t.Errorf("%d probes have reported: %v", len(results), results)
			}
			arrived := upstream.all()[1:] // without the program's
			if c.allow {
				if !strings.Contains(fmt.Sprint(arrived), "/probe/fetch Bearer abc") || results["127.0.0.1 fetch"] != "cors 200" {
					t.Errorf("the allowed page did not get through: %v, %v", arrived, results)
				}
				return
			}
			if len(arrived) > 0 {
				t.Errorf("arrived: %v", arrived)
			}
			for probe, end := range results {
				if strings.HasPrefix(end, "cors") || strings.HasPrefix(end, "basic") || end == "open" {
					t.Errorf("%s: %s", probe, end)
				}
			}
		})
	}
}

// browser returns the path of a Chromium.
func browser(t *testing.T) string {
	t.Helper()
	if testing.Short() {
		t.Skip("SKIPPED with -short: needs a browser")
	}
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if os.Getenv("CI") == "true" {
		t.Fatal("chromium is missing")
	}
	t.Skip("chromium is not installed: the test with a real browser is skipped")
	return ""
}

// visit opens a page and waits for its report.
func visit(t *testing.T, chromium, address string, done <-chan map[string]string) map[string]string {
	t.Helper()
	cmd := exec.Command(chromium, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
		"--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--disable-popup-blocking",
		"--user-data-dir="+t.TempDir(), "--remote-debugging-pipe",
		"--host-resolver-rules=MAP evil.test 127.0.0.1, MAP rebound.test 127.0.0.1, MAP weda.local 127.0.0.1", address)
	log := new(authproxytest.Output)
	cmd.Stdout, cmd.Stderr = log, log
	// A browser that is told to speak by these pipes stays open for as long as they do.
	from, to, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	defer to.Close()
	cmd.ExtraFiles = []*os.File{from, to}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}()
	select {
	case results := <-done:
		return results
	case <-time.After(2 * authproxytest.Patience):
		t.Fatalf("the page did not report; the browser says %s", log)
		return nil
	}
}
