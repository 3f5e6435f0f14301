package endpoint

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"testing"

	"authproxy/tokencache"
)

// known are the secrets of the tests in this package.
func known() []string {
	return []string{testSecret, testToken, "pass-word-1", "user-name-1", "rt-old-0123456789"}
}

// noLeak looks for secrets in every way to print err and what it wraps.
func noLeak(t testing.TB, err error) {
	t.Helper()
	noLeakOf(t, err, known()...)
}

func noLeakOf(t testing.TB, err error, secrets ...string) {
	t.Helper()
	for e := err; e != nil; e = errors.Unwrap(e) {
		quoted, _ := json.Marshal(e)
		text := fmt.Sprintf("%v %+v %#v %s", e, e, e, quoted)
		for _, s := range secrets {
			for _, form := range []string{
				s, url.QueryEscape(s), url.PathEscape(s), base64.StdEncoding.EncodeToString([]byte(s)),
				base64.URLEncoding.EncodeToString([]byte(s)), base64.StdEncoding.EncodeToString([]byte("id:" + s)),
				fmt.Sprintf("%x", s),
			} {
				if strings.Contains(text, form) {
					t.Errorf("a secret (%s) is in %s", form, text)
				}
			}
		}
		if strings.Contains(text, "?s=") {
			t.Errorf("a query is in %s", text)
		}
	}
}

func TestTransportErrorsDoNotQuoteTheURL(t *testing.T) {
	for name, cause := range map[string]func(*http.Request) error{
		"url.Error": func(r *http.Request) error {
			return &url.Error{Op: "Post", URL: r.URL.String(), Err: errors.New("x " + testSecret)}
		},
		"plain":      func(r *http.Request) error { return fmt.Errorf("%s %v", r.URL, r.Header) },
		"net quotes": func(r *http.Request) error { return netError(r.URL.String()) },
		"password":   func(*http.Request) error { return netError("pass-word-1") },
	} {
		o := simple("http://h")
		o.Transport = roundTripper(func(r *http.Request) (*http.Response, error) { return nil, cause(r) })
		_, err := must(t, o).Fetch(t.Context(), tokencache.Token{Value: testToken})
		if f := fetchError(t, err); f.Reason != tokencache.ReasonNetwork {
			t.Error(name, f.Reason)
		}
		noLeak(t, err)
	}
}

// reasoned is an error of a transport that says in a word what happened, and
// has the text of what it wraps.
type reasoned struct{ error }

func (r reasoned) Unwrap() error { return r.error }
func (reasoned) Reason() string  { return "dial" }

func TestTransportErrorWithAReasonIsExplained(t *testing.T) {
	for _, c := range []struct {
		cause error
		part  string
	}{
		{netError("no such host"), "cannot be looked up (no such host): check the host in the URL, and the name server"},
		{&net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}, "(connection refused): check host and port"},
		{fmt.Errorf("x %s", testSecret), ": the connection failed, or the answer is not HTTP"},
	} {
		o := simple("http://h")
		o.Transport = roundTripper(func(*http.Request) (*http.Response, error) { return nil, reasoned{c.cause} })
		_, err := must(t, o).Fetch(t.Context(), zero)
		contains(t, fetchError(t, err).Error(), c.part)
		noLeak(t, err)
	}
}

// TestEchoes lets the platform repeat each secret at each place of an answer.
func TestEchoes(t *testing.T) {
	for _, status := range []int{200, 302, 400, 401, 429, 500} {
		for _, s := range append(known(), url.QueryEscape(testSecret), base64.RawURLEncoding.EncodeToString([]byte(testSecret)),
			base64.StdEncoding.EncodeToString([]byte("id:"+testSecret)), "pass-wor") {
			p := newPlatform(t, func(w http.ResponseWriter, _ *http.Request) {
				h := w.Header()
				h.Set("Content-Type", "application/"+s)
				h.Set("Location", "https://"+s+"/")
				h.Set("WWW-Authenticate", s)
				h.Set("Retry-After", s)
				w.WriteHeader(status)
				_ = json.NewEncoder(w).Encode(map[string]any{"code": s, "error": s, "access_token": "bad " + s})
			})
			_, err := must(t, refreshing(p.URL)).Fetch(t.Context(), tokencache.Token{Value: testToken, Refresh: "rt-old-0123456789"})
			fetchError(t, err)
			noLeak(t, err)
			if strings.Contains(err.Error(), s) {
				t.Errorf("%q is in %v", s, err)
			}
		}
	}
}

func TestNewTokenOfABadAnswerIsASecretToo(t *testing.T) {
	for _, body := range []string{
		`{"access_token":"fresh-token-1 ","code":"fresh-token-1"}`,
		`{"access_token":"","refresh_token":"fresh-token-1","code":"fresh-token-1"}`,
	} {
		_, err := must(t, simple(newPlatform(t, says(body)).URL)).Fetch(t.Context(), zero)
		noLeakOf(t, err, "fresh-token-1")
	}
}
