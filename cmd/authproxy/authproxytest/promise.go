package authproxytest

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"authproxy/proxy/platformtest"
	"authproxy/proxy/rawtest"
)

// OAuth2 returns a configuration that has the token from platform and all else
// from upstream.
func OAuth2(platform, upstream string) string {
	return strings.Replace(Dialects()["oauth2"].Config(platform), "url: "+strconv.Quote(platform), "url: "+strconv.Quote(upstream), 1)
}

// Send sends a request to the API. A body that is not "{...}" goes chunked.
func (p *Program) Send(t testing.TB, method, body string) Answer {
	t.Helper()
	var sent any
	switch {
	case strings.HasPrefix(body, "{"):
		sent = body
	case body != "":
		sent = Chunked(body)
	}
	return Ask(t, method, p.URL+APIPath+"?a=%zz;b", sent)
}

// SendGood sends a request and wants it accepted, with all of its body.
func (p *Program) SendGood(t testing.TB, method, body string) {
	t.Helper()
	a := p.Send(t, method, body)
	echo, err := platformtest.DecodeEcho([]byte(a.Body))
	if err != nil || a.Status != http.StatusOK || echo.Method != method || int(echo.BodyLength) != len(body) || echo.Path != APIPath {
		t.Errorf("%s: status %d, %v, echo %+v; standard error: %s", method, a.Status, err, echo, p.Stderr)
	}
}

// SendAllGood sends one request of each kind: without a body, with one of a
// known length, and with one without.
func (p *Program) SendAllGood(t testing.TB) {
	t.Helper()
	p.SendGood(t, http.MethodGet, "")
	p.SendGood(t, http.MethodPost, `{"known":"length"}`)
	p.SendGood(t, http.MethodPost, `["chunked"]`)
}

// Raw sends bytes and returns those of the answer.
func (p *Program) Raw(t testing.TB, request string) string {
	t.Helper()
	conn := p.Dial(t, request)
	defer conn.Close()
	answer, err := rawtest.ReadMessage(bufio.NewReader(conn))
	if err != nil {
		t.Fatalf("%v after %q", err, answer)
	}
	return answer
}

// Look sends a request and returns all that shows.
func (p *Program) Look(t testing.TB) string {
	t.Helper()
	page := func(path string) string { return Ask(t, http.MethodGet, p.Admin+path, nil).Body }
	return fmt.Sprintln(p.Send(t, http.MethodPost, `{"a":1}`), page("/metrics"), page("/readyz?verbose"), page("/api/status"))
}

// FindNothing searches the evidence for secrets, however they are spelled.
func FindNothing(t testing.TB, evidence string, secrets []string) {
	t.Helper()
	for _, trace := range []string{"outcome=recovered", "no new token", "authproxy_token_fetches_total", "fingerprint="} {
		if !strings.Contains(evidence, trace) {
			t.Errorf("%q is not to be seen: was anything searched?", trace)
		}
	}
	for _, secret := range secrets {
		for _, text := range []string{secret, url.QueryEscape(secret), url.PathEscape(secret), strconv.Quote(secret), base64.StdEncoding.EncodeToString([]byte(secret))} {
			if i := strings.Index(evidence, strings.Trim(text, `"`)); i >= 0 {
				t.Errorf("%s shows in: %.300s", secret, evidence[max(0, i-150):])
			}
		}
	}
}

// NoToken wants the answer that authproxy itself gives when there is no token.
func NoToken(t testing.TB, a Answer) {
	t.Helper()
	var body struct {
		Error struct{ Code, Message, Upstream string }
	}
	code, after := a.Code(), a.Header.Get("Retry-After")
	seconds, _ := strconv.Atoi(after)
	switch {
	case code == "token_unavailable" && a.Status == 503 && seconds > 0:
	case code == "token_timeout" && a.Status == 504:
	default:
		t.Errorf("status %d, X-Authproxy-Error %q, Retry-After %q", a.Status, code, after)
	}
	if err := json.Unmarshal([]byte(a.Body), &body); err != nil || body.Error.Code != code || body.Error.Message == "" || body.Error.Upstream != "main" {
		t.Errorf("body %q", a.Body)
	}
	if a.Header.Get("Content-Type") != "application/json" || a.Header.Get("Www-Authenticate") != "" {
		t.Errorf("headers %v", a.Header)
	}
}

// Barrier lets so many pass together, and everybody after them.
type Barrier struct {
	missing atomic.Int64
	open    chan struct{}
}

// NewBarrier returns a barrier that opens when n have come.
func NewBarrier(n int) *Barrier {
	b := &Barrier{open: make(chan struct{})}
	b.missing.Store(int64(n))
	return b
}

// Wait returns when enough have come.
func (b *Barrier) Wait() {
	if b.missing.Add(-1) == 0 {
		close(b.open)
	}
	<-b.open
}
