package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"gopkg.in/yaml.v3"

	"authproxy/cmd/authproxy/internal/config"
	"authproxy/tokencache"
)

// golden is what a preset sends and how it reads what comes back: the file
// presets/golden/NAME.yaml. To support another platform is to write its preset
// and this; there is no code to it.
//
// BASE stands for the address of the recording server, HOST for its host and
// port, UUID for any UUID. A request is its method and target, its headers in
// alphabetical order but for Content-Length, and after an empty line its body.
type golden struct {
	Token     map[string]any `yaml:"token"`     // what a user writes below tokens: NAME
	Sends     string         `yaml:"sends"`     // the token request
	Answers   []reading      `yaml:"answers"`   // to it, and what comes of them
	Refresh   *exchange      `yaml:"refresh"`   // nil: the preset has no such request
	Check     *exchange      `yaml:"check"`     // the same
	Revoke    *exchange      `yaml:"revoke"`    // the same
	Upstream  string         `yaml:"upstream"`  // the URL that upstreams get
	API       api            `yaml:"api"`       // a request of an application
	OtherWays []otherWays    `yaml:"otherwise"` // other configurations
}

// exchange is a request about the token "the-token" or with the refresh token
// "the-refresh-token".
type exchange struct {
	Sends   string    `yaml:"sends"`
	Answers []reading `yaml:"answers"`
}

// said is an answer of the platform: 200 and JSON where nothing else is given.
type said struct {
	Status  int               `yaml:"status"`
	Headers map[string]string `yaml:"headers"`
	Body    string            `yaml:"body"`
}

// reading is an answer and what comes of it: a token, a verdict, or a failure.
type reading struct {
	said    `yaml:",inline"`
	Token   string `yaml:"gives"`
	Type    string `yaml:"type"`
	Life    string `yaml:"lives"`
	Refresh string `yaml:"refresh_token"`
	Verdict string `yaml:"verdict"` // good, not good, done
	Fails   string `yaml:"fails"`   // the reason
	Says    string `yaml:"says"`    // part of the error
}

// api is a request of an application, and what of the platform's answers
// refuses the token.
type api struct {
	Request string `yaml:"request"`
	Sends   string `yaml:"sends"`
	Refused []said `yaml:"refused"`
	Passed  []said `yaml:"passed"`
}

// otherWays is another configuration. With proxy_url: BASE in it, a request to
// anywhere shows.
type otherWays struct {
	Name     string         `yaml:"name"`
	Token    map[string]any `yaml:"token"`
	Sends    string         `yaml:"sends"`
	Upstream string         `yaml:"upstream"`
}

const goldenFolder = "../config/presets/golden"

func TestPresets(t *testing.T) {
	files, err := filepath.Glob(goldenFolder + "/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, file := range files {
		names = append(names, strings.TrimSuffix(filepath.Base(file), ".yaml"))
	}
	slices.Sort(names)
	if !slices.Equal(names, config.Presets()) {
		t.Errorf("golden files for %v, presets %v: each preset needs its golden file", names, config.Presets())
	}
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			g := readGolden(t, filepath.Join(goldenFolder, name+".yaml"))
			t.Run("token", func(t *testing.T) { g.testToken(t, name) })
			t.Run("refresh", func(t *testing.T) { g.testRefresh(t, name) })
			t.Run("check", func(t *testing.T) { g.testCheck(t, name) })
			t.Run("revoke", func(t *testing.T) { g.testRevoke(t, name) })
			t.Run("api", func(t *testing.T) { g.testAPI(t, name) })
			for _, other := range g.OtherWays {
				t.Run(other.Name, func(t *testing.T) { other.test(t, name) })
			}
		})
	}
}

func readGolden(t *testing.T, file string) golden {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var g golden
	decoder := yaml.NewDecoder(strings.NewReader(string(text)))
	decoder.KnownFields(true)
	if err := decoder.Decode(&g); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	good := slices.ContainsFunc(g.Answers, func(r reading) bool { return r.Fails == "" })
	bad := slices.ContainsFunc(g.Answers, func(r reading) bool { return r.Fails != "" })
	if !good || !bad || len(g.API.Refused) == 0 || len(g.API.Passed) == 0 {
		t.Errorf("%s: good and bad answers are needed, of the token endpoint and of the API", file)
	}
	return g
}

// recorder answers every request with what is next, and keeps the requests.
type recorder struct {
	url string

	mu   sync.Mutex
	next func(request string) said
	got  []string
}

func newRecorder(t *testing.T) *recorder {
	t.Helper()
	r := &recorder{}
	server := httptest.NewServer(r)
	t.Cleanup(server.Close)
	r.url = server.URL
	return r
}

func (r *recorder) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	text := r.note(req)
	r.got = append(r.got, text)
	answer := r.next(text)
	w.Header().Set("Content-Type", "application/json")
	for name, value := range answer.Headers {
		w.Header().Set(name, value)
	}
	w.WriteHeader(max(answer.Status, http.StatusOK))
	_, _ = io.WriteString(w, answer.Body)
}

var (
	uuids = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}`)
)

// note writes a request down as golden has it.
func (r *recorder) note(req *http.Request) string {
	lines := []string{"Host: " + req.Host}
	if len(req.TransferEncoding) > 0 {
		lines = append(lines, "Transfer-Encoding: "+strings.Join(req.TransferEncoding, ", "))
	}
	for name, values := range req.Header {
		if name == "Content-Length" {
			continue // the server reads no more than it says
		}
		for _, value := range values {
			lines = append(lines, name+": "+value)
		}
	}
	slices.Sort(lines)
	body, _ := io.ReadAll(req.Body) // what came is what is compared
	text := req.Method + " " + req.RequestURI + "\n" + strings.Join(lines, "\n") + "\n"
	if len(body) > 0 {
		text += "\n" + string(body) + "\n"
	}
	return uuids.ReplaceAllString(r.anonymous(text), "UUID")
}

func (r *recorder) anonymous(text string) string {
	return strings.NewReplacer(r.url, "BASE", strings.TrimPrefix(r.url, "http://"), "HOST").Replace(text)
}

// answer sets what is answered from now on, and forgets the requests so far.
func (r *recorder) answer(next func(request string) said) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.next, r.got = next, nil
}

func (r *recorder) requests() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.got)
}

// configure makes the program's configuration of a golden token.
func (r *recorder) configure(t *testing.T, preset string, token map[string]any) *config.Config {
	t.Helper()
	upstream := map[string]any{"name": "main", "token": "main"}
	if preset == "oauth2" {
		upstream["url"] = "BASE" // the one preset without an address
	}
	main := maps.Clone(token)
	main["provider"] = preset
	text, err := yaml.Marshal(map[string]any{"tokens": map[string]any{"main": main}, "upstreams": []any{upstream}})
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Parse(preset+".yaml", []byte(strings.ReplaceAll(string(text), "BASE", r.url)), t.TempDir(), noEnv, vocabulary())
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return cfg
}

func (r *recorder) expect(t *testing.T, want ...string) {
	t.Helper()
	if got := r.requests(); !slices.Equal(got, want) {
		t.Errorf("sent\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func (g golden) testToken(t *testing.T, preset string) {
	server := newRecorder(t)
	cfg := server.configure(t, preset, g.Token)
	if got := server.anonymous(cfg.Upstreams[0].URL.String()); got != g.Upstream {
		t.Errorf("upstream %s, want %s", got, g.Upstream)
	}
	for i, r := range g.Answers {
		server.answer(func(string) said { return r.said })
		got, _, err := FetchOnce(t.Context(), cfg, cfg.Tokens[0], "test", nil) // with the limits and defaults of the program
		r.check(t, fmt.Sprintf("answers[%d]", i), got, err)
		server.expect(t, g.Sends)
	}
}

// check compares what an answer was read as.
func (r reading) check(t *testing.T, where string, got tokencache.Token, err error) {
	t.Helper()
	var fetch *tokencache.FetchError
	switch {
	case r.Fails != "":
		if !errors.As(err, &fetch) || string(fetch.Reason) != r.Fails || !strings.Contains(err.Error(), r.Says) {
			t.Errorf("%s: %v, want reason %s and %q", where, err, r.Fails, r.Says)
		}
		if err != nil && strings.Contains(err.Error(), "the-s") {
			t.Errorf("%s: the error tells a secret: %v", where, err)
		}
	case err != nil:
		t.Errorf("%s: %v", where, err)
	default:
		life := got.Expiry.Sub(got.Issued)
		if got.Expiry.IsZero() {
			life = 0
		}
		want, parseErr := time.ParseDuration(r.Life)
		if parseErr != nil || got.Value != r.Token || got.Type != r.Type || life != want || got.Refresh != r.Refresh {
			t.Errorf("%s: token %q, type %q, life %v, refresh token %q; want %+v %v", where, got.Value, got.Type, life, got.Refresh, r, parseErr)
		}
	}
}

// held is a token as the requests about it see one.
func held() tokencache.Token {
	return tokencache.Token{Value: "the-token", Refresh: "the-refresh-token", Issued: time.Now(), Expiry: time.Now().Add(time.Hour)}
}

func (g golden) testRefresh(t *testing.T, preset string) {
	server := newRecorder(t)
	cfg := server.configure(t, preset, g.Token)
	if (cfg.Tokens[0].Refresh == nil) != (g.Refresh == nil) {
		t.Fatalf("preset and golden file do not agree whether there is a refresh request")
	}
	if g.Refresh == nil {
		return
	}
	for i, r := range g.Refresh.Answers {
		e, err := endpointOf(cfg.Tokens[0], "test", nil)
		if err != nil {
			t.Fatal(err)
		}
		first := g.Answers[slices.IndexFunc(g.Answers, func(r reading) bool { return r.Fails == "" })]
		server.answer(func(request string) said {
			if request == g.Refresh.Sends {
				return r.said
			}
			return first.said
		})
		got, err := e.Fetch(t.Context(), held())
		want := []string{g.Refresh.Sends}
		if r.Verdict == "first request again" {
			want = append(want, g.Sends)
			r = first
		}
		r.check(t, fmt.Sprintf("refresh.answers[%d]", i), got, err)
		server.expect(t, want...)
	}
}

func (g golden) testCheck(t *testing.T, preset string) {
	g.about(t, preset, g.Check, func(c config.Token) *config.Request { return c.Check }, func(ctx context.Context, c config.Token) (string, error) {
		e, err := endpointOf(c, "test", nil)
		if err != nil {
			return "", err
		}
		verdict, err := e.Check(ctx, held())
		return map[bool]string{true: "good", false: "not good"}[verdict.Good], err
	})
}

func (g golden) testRevoke(t *testing.T, preset string) {
	g.about(t, preset, g.Revoke, func(c config.Token) *config.Request { return c.Revoke }, func(ctx context.Context, c config.Token) (string, error) {
		e, err := endpointOf(c, "test", nil)
		if err != nil {
			return "", err
		}
		return "done", e.Revoke(ctx, held())
	})
}

// about tests a request about a token.
func (g golden) about(t *testing.T, preset string, x *exchange, has func(config.Token) *config.Request, do func(context.Context, config.Token) (string, error)) {
	t.Helper()
	server := newRecorder(t)
	token := server.configure(t, preset, g.Token).Tokens[0]
	if (has(token) == nil) != (x == nil) {
		t.Fatalf("preset and golden file do not agree whether there is such a request")
	}
	if x == nil {
		return
	}
	for i, r := range x.Answers {
		server.answer(func(string) said { return r.said })
		verdict, err := do(t.Context(), token)
		if r.Fails != "" {
			r.check(t, fmt.Sprintf("answers[%d]", i), tokencache.Token{}, err)
		} else if err != nil || verdict != r.Verdict {
			t.Errorf("answers[%d]: %q, %v; want %q", i, verdict, err, r.Verdict)
		}
		server.expect(t, x.Sends)
	}
}

func (g golden) testAPI(t *testing.T, preset string) {
	for i, answer := range g.API.Refused {
		g.call(t, preset, fmt.Sprintf("refused[%d]", i), answer, true)
	}
	for i, answer := range g.API.Passed {
		g.call(t, preset, fmt.Sprintf("passed[%d]", i), answer, false)
	}
}

// call sends the application's request through a whole program. The platform
// answers every token request with the same token, so a refusal shows as
// another token request, and no answer is lost to a second try.
func (g golden) call(t *testing.T, preset, where string, answer said, refused bool) {
	t.Helper()
	server := newRecorder(t)
	first := g.Answers[slices.IndexFunc(g.Answers, func(r reading) bool { return r.Fails == "" })]
	server.answer(func(request string) said {
		if request == g.Sends {
			return first.said
		}
		return answer
	})
	cfg := server.configure(t, preset, g.Token)
	front := httptest.NewServer(generationOf(t, cfg).handlers[string(cfg.Listen)])
	defer front.Close()
	resp, body := send(t, front, g.API.Request)
	want := answer.Body
	if refused { // the token does not come back
		want = strings.ReplaceAll(want, first.Token, strings.Repeat("*", len(first.Token)))
	}
	if resp.StatusCode != max(answer.Status, 200) || body != want {
		t.Errorf("%s: the application got %d %q", where, resp.StatusCode, body)
	}
	got := server.requests()
	if want := []string{g.Sends, g.API.Sends}; len(got) < 2 || !slices.Equal(got[:2], want) || (len(got) > 2) != refused {
		t.Errorf("%s: sent\n%s\nwant\n%sand a token request more: %t", where, strings.Join(got, "\n"), strings.Join(want, "\n"), refused)
	}
}

// send sends a request that is written as golden has it.
func send(t *testing.T, to *httptest.Server, text string) (*http.Response, string) {
	t.Helper()
	head, body, _ := strings.Cut(text, "\n\n")
	line, fields, _ := strings.Cut(strings.TrimSuffix(head, "\n"), "\n")
	method, target, _ := strings.Cut(line, " ")
	req, err := http.NewRequestWithContext(t.Context(), method, to.URL+target, strings.NewReader(strings.TrimSuffix(body, "\n")))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("User-Agent", "") // none, unless the golden request has one
	for field := range strings.Lines(fields) {
		name, value, _ := strings.Cut(strings.TrimSpace(field), ": ")
		req.Header.Set(name, value)
	}
	transport := &http.Transport{DisableCompression: true, DisableKeepAlives: false}
	defer transport.CloseIdleConnections()
	resp, err := transport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(got)
}

// test looks at what the configuration sends; the answer does not matter.
func (o otherWays) test(t *testing.T, preset string) {
	server := newRecorder(t)
	server.answer(func(string) said { return said{Status: http.StatusServiceUnavailable} })
	cfg := server.configure(t, preset, o.Token)
	if got := server.anonymous(cfg.Upstreams[0].URL.String()); o.Upstream != "" && got != o.Upstream {
		t.Errorf("upstream %s, want %s", got, o.Upstream)
	}
	if _, _, err := FetchOnce(t.Context(), cfg, cfg.Tokens[0], "test", nil); err == nil {
		t.Error("a token from nowhere")
	}
	server.expect(t, o.Sends)
}
