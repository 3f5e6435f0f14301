package endpoint

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"authproxy/internal/jsonpath"
	"authproxy/tokencache"
)

const (
	testID     = "id-3f9a:77"
	testSecret = "s3cr3t/+&= %41ü-0123456789"
	testToken  = "eyJhbGciOi.tok-abcdef0123456789"
)

func path(s string) jsonpath.Path { return jsonpath.MustParse(s) }

func at(s string) Selector { return Selector{Path: path(s)} }

// names are those of the secrets that creds returns.
func names() []string { return []string{"client_id", "client_secret", "username", "password"} }

func creds() (map[string]string, error) {
	return map[string]string{"client_id": "id", "client_secret": testSecret, "username": "user-name-1", "password": "pass-word-1"}, nil
}

func standard() Response {
	return Response{
		Token: at("access_token"), TokenType: at("token_type"), ExpiresIn: at("expires_in"),
		RefreshToken: at("refresh_token"), Error: []Selector{at("code"), at("error")},
	}
}

func must(t testing.TB, o Options) *Endpoint {
	t.Helper()
	e, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// wire is one request as the platform saw it.
type wire struct {
	method, uri, host, body string
	header                  http.Header
	length                  int64
}

// platform records requests and answers with what answer says.
type platform struct {
	*httptest.Server
	mu   sync.Mutex
	seen []wire
}

func newPlatform(t testing.TB, answer http.HandlerFunc) *platform {
	p := &platform{}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		p.mu.Lock()
		p.seen = append(p.seen, wire{r.Method, r.RequestURI, r.Host, string(body), r.Header.Clone(), r.ContentLength})
		p.mu.Unlock()
		answer(w, r)
	}))
	t.Cleanup(p.Close)
	return p
}

func (p *platform) requests() []wire {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.seen
}

func says(body string) http.HandlerFunc { return saysStatus(200, body) }

func saysStatus(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// simple is a request with everything secret in it.
func simple(url string) Options {
	return Options{
		Name: "weda", Secrets: names(), Credentials: creds, Params: map[string]string{"base_url": url},
		Request: Request{
			Method: "POST", URL: "{base_url}/token?s={client_secret}", Auth: "basic_raw",
			JSON: map[string]any{"grant_type": "client_credentials", "u": "{username}", "p": "{password}"},
		},
		Response: standard(),
	}
}

func fetchError(t testing.TB, err error) *tokencache.FetchError {
	t.Helper()
	var f *tokencache.FetchError
	if !errors.As(err, &f) {
		t.Fatalf("error is %T (%v), want *FetchError", err, err)
	}
	return f
}

func within(t testing.TB, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	t.Cleanup(cancel)
	return ctx
}

// roundTripper is a transport made of a function.
type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func contains(t testing.TB, text string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(text, p) {
			t.Errorf("%q is not in:\n%s", p, text)
		}
	}
}
