package main_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"authproxy/cmd/authproxy/authproxytest"
	"authproxy/proxy/platformtest"
)

// status reads /api/status.
func status(t *testing.T, p *authproxytest.Program) (s struct {
	Ready  bool
	Config struct {
		Error    string
		Warnings []string
	}
	Tokens []struct {
		Name, Fingerprint, Error, Store string
		Valid                           bool
		Issued, Renewal, Expiry         string
		Fetched, Failed, Replaced       int
		Upstreams                       []string
	}
	Upstreams []struct {
		Name, Address, URL string
		Requests, Failed   []int
		Retries            map[string][]int
		P50                []*float64 `json:"p50_ms"`
		Failures           []struct {
			Count              int
			Method, Path, Text string
			Status             int
			Code, Outcome      string
		}
	}
	Rejected []struct{ Code, Text string }
}) {
	t.Helper()
	a := authproxytest.Ask(t, http.MethodGet, p.Admin+"/api/status", nil)
	if err := json.Unmarshal([]byte(a.Body), &s); err != nil {
		t.Fatalf("%v: %d %s", err, a.Status, a.Body)
	}
	return s
}

// TestStatus: what happened is told, without token, secret or query.
func TestStatus(t *testing.T) {
	t.Parallel()
	platform := platformtest.NewOAuth2(platformtest.Options{})
	url := authproxytest.Serve(t, platform)
	p := authproxytest.Start(t, authproxytest.OAuth2(url, url))
	p.Good(t)
	platform.RevokeAll()
	p.Good(t)
	authproxytest.Ask(t, http.MethodGet, p.URL+"/x?a=in-the-query", nil, "Host", "localhost")
	a, err := exec.Command("curl", "-sS", "-H", "Host: evil.example", p.URL+"/y?b=in-the-query").CombinedOutput()
	if err != nil {
		t.Fatal(err, string(a))
	}
	s := status(t, p)
	if !s.Ready || len(s.Tokens) != 1 || len(s.Upstreams) != 1 {
		t.Fatalf("%+v", s)
	}
	token, up := s.Tokens[0], s.Upstreams[0]
	if !token.Valid || token.Error != "" || token.Replaced != 1 || token.Fetched != 2 || token.Issued >= token.Renewal || token.Renewal >= token.Expiry || fmt.Sprint(token.Upstreams) != "[main]" {
		t.Errorf("%+v", token)
	}
	last := len(up.Requests) - 1
	if len(up.Requests) != 90 || up.Requests[last]+up.Requests[last-1] != 3 || up.Address != p.URL+"/" || up.URL != url || up.P50[0] != nil {
		t.Errorf("%+v", up)
	}
	if got := up.Retries["recovered"]; len(got) != 90 || got[last]+got[last-1] != 1 {
		t.Errorf("%+v", up.Retries)
	}
	if len(s.Rejected) != 1 || s.Rejected[0].Code != "host_not_allowed" || !strings.Contains(s.Rejected[0].Text, "add it to allowed_hosts") {
		t.Errorf("%+v", s.Rejected)
	}
	if body := authproxytest.Ask(t, http.MethodGet, p.Admin+"/api/status", nil).Body; strings.Contains(body, "in-the-query") {
		t.Errorf("a query is told: %s", body)
	}
}

// TestStatusOfTrouble: a platform that refuses, an upstream that is away, and a faulty
// reload are told with what to do.
func TestStatusOfTrouble(t *testing.T) {
	t.Parallel()
	url := authproxytest.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusUnauthorized)
		fmt.Fprint(w, `{"error":"invalid_client"}`)
	}))
	good := authproxytest.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `{"access_token":"abc","expires_in":3600}`)
	}))
	config := unwatched + fmt.Sprintf(`tokens: { bad: { token_url: %q, client_id: x, client_secret: secret }, good: { token_url: %q, client_id: id, client_secret: secret } }
upstreams: [ { name: main, token: good, url: %q }, { name: refused, token: bad, url: %q, path: /refused/ } ]
`, url+"/token", good+"/token", authproxytest.Nobody, good)
	r := startReloading(t, config)
	authproxytest.Ask(t, http.MethodGet, r.URL+"/x", nil)
	authproxytest.Ask(t, http.MethodGet, r.URL+"/refused/x", nil)
	r.change(t, "lisen: 1\n"+config)
	s := status(t, r.Program)
	if !strings.Contains(s.Config.Error, "did you mean listen?") {
		t.Errorf("the reload: %q", s.Config.Error)
	}
	for _, token := range s.Tokens {
		if bad := token.Name == "bad"; bad == token.Valid || bad != strings.Contains(token.Error, "check client_id and client_secret") || bad != (token.Failed > 0) {
			t.Errorf("%+v", token)
		}
	}
	for _, u := range s.Upstreams {
		want := map[string]string{"main": "check host and port", "refused": "check client_id and client_secret"}[u.Name]
		if len(u.Failures) != 1 || !strings.Contains(u.Failures[0].Text, want) || u.Failures[0].Count != 1 || u.Failures[0].Method != "GET" || !strings.HasSuffix(u.Failures[0].Path, "/x") {
			t.Errorf("%s: %+v", u.Name, u.Failures)
		}
	}
	r.change(t, config)
	if s := status(t, r.Program); s.Config.Error != "" {
		t.Error("what was mended is still told of")
	}
}

// TestStatusIsGuarded: by another Host and for other pages there is none; a link leads to
// the page, which shows nothing by itself.
func TestStatusIsGuarded(t *testing.T) {
	t.Parallel()
	url := authproxytest.Serve(t, platformtest.NewOAuth2(platformtest.Options{}))
	p := authproxytest.Start(t, "allowed_hosts: [status.example]\nadmin: { listen: 127.0.0.1:0 }\n"+authproxytest.OAuth2(url, url))
	browser := []string{"User-Agent", "Mozilla/5.0", "Accept-Language", "en"}
	for name, c := range map[string]struct {
		host   string
		header []string
		page   int
		api    int
	}{
		"a program":                     {"", nil, 200, 200},
		"an allowed name":               {"status.example", nil, 200, 200},
		"another name":                  {"evil.example", nil, 421, 421},
		"a page of strangers":           {"", append(browser, "Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"), 200, 403},
		"a link":                        {"", append(browser, "Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate"), 200, 403},
		"a browser, by another name":    {"status.example", browser, 200, 403},
		"the page, by another name":     {"status.example", append(browser, "Referer", "http://status.example/"), 200, 200},
		"the page of another by a name": {"status.example", append(browser, "Referer", "http://evil.example/"), 200, 403},
	} {
		for path, want := range map[string]int{"/": c.page, "/api/status": c.api} {
			req, _ := http.NewRequest(http.MethodGet, p.Admin+path, nil)
			req.Host = c.host
			for i := 0; i < len(c.header); i += 2 {
				req.Header.Set(c.header[i], c.header[i+1])
			}
			a, err := authproxytest.Do(authproxytest.Client, req)
			if err != nil || a.Status != want {
				t.Errorf("%s: %s: %d %s %v, want %d", name, path, a.Status, a.Body, err, want)
			}
		}
	}
}

// watched is the admin listener as a browser sees it through a test, which notes what is
// asked for.
type watched struct {
	mu    sync.Mutex
	paths []string
	seen  func(n int) // before the n'th answer of /api/status
}

func (w *watched) start(t *testing.T, admin string) string {
	t.Helper()
	to, err := url.Parse(admin)
	if err != nil {
		t.Fatal(err)
	}
	behind := httputil.NewSingleHostReverseProxy(to)
	return authproxytest.Serve(t, http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.mu.Lock()
		w.paths = append(w.paths, r.URL.Path)
		n := strings.Count(strings.Join(w.paths, " "), "/api/status")
		w.mu.Unlock()
		if r.URL.Path == "/api/status" && w.seen != nil {
			w.seen(n)
		}
		r.Host = to.Host
		behind.ServeHTTP(rw, r)
	}))
}

// dump is the page as a browser of that language shows it after some seconds.
func dump(t *testing.T, chromium, address, language string) string {
	t.Helper()
	cmd := exec.Command(chromium, "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage",
		"--user-data-dir="+t.TempDir(), "--lang="+language, "--accept-lang="+language, "--enable-logging=stderr", "--virtual-time-budget=12000", "--dump-dom", address)
	log := new(strings.Builder)
	cmd.Stderr = log
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err, log)
	}
	for line := range strings.Lines(log.String()) {
		if strings.Contains(line, "CONSOLE") {
			t.Error(line)
		}
	}
	return string(out)
}

// TestStatusPage opens the page in a real browser: it asks for nothing else, says what
// happens in the browser's language, follows it without being loaded again, and takes
// nothing that comes from outside for HTML.
func TestStatusPage(t *testing.T) {
	chromium := browser(t)
	platform := authproxytest.Serve(t, platformtest.NewOAuth2(platformtest.Options{}))
	for language, want := range map[string][]string{
		"en-US": {"Tokens", "● valid", "expires", "Last failures", "check host and port"},
		"zh-CN": {"令牌", "● 有效", "到期", "最近的失败", "check host and port"},
		"fr":    {"Tokens", "● valid"},
	} {
		p := authproxytest.Start(t, authproxytest.OAuth2(platform, authproxytest.Nobody))
		w := &watched{seen: func(n int) {
			if n == 2 { // after the page has shown the first
				authproxytest.Ask(t, http.MethodGet, p.URL+"/%3Cimg%20src=x%20onerror=alert(1)%3E<img src=y>", nil)
			}
		}}
		authproxytest.Eventually(t, "a token", func() bool { return status(t, p).Tokens[0].Valid })
		page := dump(t, chromium, w.start(t, p.Admin)+"/", language)
		for _, text := range want {
			if !strings.Contains(page, text) {
				t.Errorf("%s: no %q in %s", language, text, page[strings.Index(page, "<body"):strings.Index(page, "<script")])
			}
		}
		if strings.Contains(page, "<img") {
			t.Errorf("%s: what a caller wrote has become HTML", language)
		}
		count := map[string]int{}
		for _, path := range w.paths {
			count[path]++
		}
		if count["/"] != 1 || count["/api/status"] < 3 || len(count) != 2 {
			t.Errorf("%s: asked for %v", language, count)
		}
	}
}

// TestStatusWhileListenersComeAndGo: whoever looks during a reload sees one configuration or
// the other.
func TestStatusWhileListenersComeAndGo(t *testing.T) {
	t.Parallel()
	url := authproxytest.Serve(t, platformtest.NewOAuth2(platformtest.Options{}))
	base := unwatched + "sandbox: off\n" + authproxytest.OAuth2(url, url)
	more := strings.Replace(base, "upstreams: [", fmt.Sprintf("upstreams: [ { name: second, token: main, url: %q, listen: 127.0.0.1:0 },", url), 1)
	r := startReloading(t, base)
	stop := make(chan struct{})
	var looking sync.WaitGroup
	for range 4 {
		looking.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				a, err := authproxytest.Try(http.MethodGet, r.Admin+"/api/status", nil)
				if err != nil || a.Status != 200 {
					t.Errorf("%v %d %s", err, a.Status, a.Body)
					return
				}
			}
		})
	}
	for i := range 40 {
		if a := r.change(t, []string{more, base}[i%2]); a.Status != http.StatusNoContent {
			t.Errorf("%d %s", a.Status, a.Body)
		}
	}
	close(stop)
	looking.Wait()
}
