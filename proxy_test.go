// Package authproxy_test states the promises of authproxy, black box, against
// the built binary: transparent, never needlessly refused, never a burden to
// the platform, never a leak. The finer points of each, and of the commands,
// are tested beside the program in cmd/authproxy.
package authproxy_test

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"authproxy/cmd/authproxy/authproxytest"
	"authproxy/proxy/platformtest"
	"authproxy/proxy/rawtest"
)

// ---------------------------------------------------------------------------
// 1. Transparent: what is sent is what arrives, plus the token and minus
// hop-by-hop headers; the answer comes back the same way, streamed as it comes.

func TestRequestsArriveAsTheyWereSent(t *testing.T) {
	t.Parallel()
	upstream := newRawUpstream(t, "HTTP/1.1 204 No Content\r\n\r\n")
	platform := platformtest.NewOAuth2(platformtest.Options{})
	p := start(t, oauth2Config(authproxytest.Serve(t, platform), upstream.url))
	here := strings.TrimPrefix(p.URL, "http://")

	for name, c := range rawRequests() {
		t.Run(name, func(t *testing.T) {
			sent := strings.NewReplacer("\n", "\r\n", "HERE", here).Replace(c.sent)
			raw(t, p, sent+c.body)
			got := <-upstream.requests
			token := "Authorization: Bearer " + platform.LiveTokens()[0]
			lines := strings.Split(strings.TrimSuffix(sent, "\r\n\r\n"), "\r\n")
			lines = slices.DeleteFunc(lines, func(line string) bool {
				name, _, _ := strings.Cut(line, ":")
				return slices.Contains(c.gone, name)
			})
			want := strings.Join(append(lines, token), "\r\n") + "\r\n\r\n" + c.body
			want = strings.ReplaceAll(want, "Host: "+here, "Host: "+upstream.host())
			if sorted(got) != sorted(want) {
				t.Errorf("the upstream got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

type rawRequest struct {
	sent string // the head; lines end with \n here
	body string // byte for byte
	gone []string
}

// rawRequests are what applications may send, by name.
func rawRequests() map[string]rawRequest {
	all := map[string]rawRequest{
		"a client's own credentials are replaced": {sent: "GET / HTTP/1.1\nHost: HERE\nAuthorization: Bearer mine\n\n", gone: []string{"Authorization"}},
		"Connection cannot remove the token":      {sent: "GET / HTTP/1.1\nHost: HERE\nConnection: Authorization, X-Hop\nX-Hop: 1\nX-Stays: 1\n\n", gone: []string{"Connection", "X-Hop"}},
		"hop-by-hop headers":                      {sent: "GET / HTTP/1.1\nHost: HERE\nConnection: keep-alive\nKeep-Alive: 5\nProxy-Connection: keep-alive\nProxy-Authorization: Basic eDp5\nTE: gzip\nX-Stays: 1\n\n", gone: []string{"Connection", "Keep-Alive", "Proxy-Connection", "Proxy-Authorization", "TE"}},
		"an upgrade that is not configured":       {sent: "GET / HTTP/1.1\nHost: HERE\nConnection: Upgrade, HTTP2-Settings\nUpgrade: h2c\nHTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\n\n", gone: []string{"Connection", "Upgrade", "HTTP2-Settings"}},
		"headers of proxies before us":            {sent: "GET / HTTP/1.1\nHost: HERE\nForwarded: for=192.0.2.1\nVia: 1.1 other\nX-Forwarded-For: 192.0.2.1\nX-Forwarded-Host: a.example\nX-Forwarded-Proto: https\nX-Real-Ip: 192.0.2.1\n\n"},
		"headers that transports like to add":     {sent: "GET / HTTP/1.1\nHost: HERE\nUser-Agent: legacy/1.0\nAccept-Encoding: br;q=1, identity\nAccept: */*\n\n"},
		"repeated and empty headers":              {sent: "GET / HTTP/1.1\nHost: HERE\nCookie: a=1\nCookie: b=2\nX-Empty: \nX-Twice: 2\nX-Twice: 1\nX_under_score: 1\n\n"},
		"conditional and range headers":           {sent: "GET / HTTP/1.1\nHost: HERE\nIf-None-Match: \"x\", W/\"y\"\nIf-Modified-Since: yesterday\nRange: bytes=0-0\n\n"},
		"a known length":                          {sent: "POST /a HTTP/1.1\nHost: HERE\nContent-Type: application/octet-stream\nContent-Length: 6\n\n", body: "\x00\xff\r\n\r\n"},
		"an unknown length":                       {sent: "POST /a HTTP/1.1\nHost: HERE\nContent-Type: text/plain\nTransfer-Encoding: chunked\n\n", body: "b\r\nhello world\r\n0\r\n\r\n"},
		"a body that is empty":                    {sent: "POST /a HTTP/1.1\nHost: HERE\nContent-Length: 0\n\n"},
		"a GET with a body":                       {sent: "GET /a HTTP/1.1\nHost: HERE\nContent-Length: 2\n\n", body: "{}"},
		"many parameters":                         {sent: "GET /?" + strings.Repeat("a=1&", 12000) + " HTTP/1.1\nHost: HERE\n\n"},
	}
	for _, method := range []string{"PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND", "BREW"} {
		all["method "+method] = rawRequest{sent: method + " /a HTTP/1.1\nHost: HERE\nContent-Length: 3\n\n", body: "abc"}
	}
	for _, target := range []string{"/", "//", "//a//b//", "/a/../b/./c", "/%2e%2E/admin", "/..%2fadmin", "/a%2Fb%2fc", "/a;v=1/b;c", "/%E5%b7%a5",
		`/"<>^{|}`, "/a:b@c!$&'()*+,=~", "/%00", "/?", "/a?", "/?a=1;b=2&c=3", "/?a=%zz&b=%&%", "/?a&a=&=&&a=1&a=2", "/?q=a+b%20c&u=http://x/y?z", "/?[]{}^|`\""} {
		all["target "+target] = rawRequest{sent: "GET " + target + " HTTP/1.1\nHost: HERE\n\n"}
	}
	return all
}

// TestTwoSlashesBeforeForbiddenCharacters states the one exception: net/http
// cannot send a target that begins with two slashes and holds characters that
// no URI may hold (RFC 3986 appendix A) as it is. These arrive percent-encoded,
// which means the same.
func TestTwoSlashesBeforeForbiddenCharacters(t *testing.T) {
	t.Parallel()
	upstream := newRawUpstream(t, "HTTP/1.1 204 No Content\r\n\r\n")
	p := start(t, oauth2Config(authproxytest.Serve(t, platformtest.NewOAuth2(platformtest.Options{})), upstream.url))
	raw(t, p, "GET //\"a\"/%2f HTTP/1.1\r\nHost: localhost\r\n\r\n")
	if target := strings.Fields(<-upstream.requests)[1]; target != "//%22a%22/%2f" {
		t.Errorf("target %s", target)
	}
}

func TestAnswersComeBackAsTheyWereSent(t *testing.T) {
	t.Parallel()
	const date = "Date: Mon, 02 Jan 2006 15:04:05 GMT\r\n"
	answers := map[string]string{
		"known length":           "HTTP/1.1 200 OK\r\n" + date + "Content-Type: application/json\r\nContent-Length: 8\r\n\r\n{\"a\": 1}",
		"unknown length":         "HTTP/1.1 200 OK\r\n" + date + "Content-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
		"an error of the other":  "HTTP/1.1 404 Not Found\r\n" + date + "Content-Type: text/html\r\nX-Empty: \r\nContent-Length: 3\r\n\r\n<p>",
		"an error without words": "HTTP/1.1 500 Internal Server Error\r\n" + date + "Content-Length: 0\r\n\r\n",
		"no content":             "HTTP/1.1 204 No Content\r\n" + date + "X-A: 1\r\n\r\n",
		"not modified":           "HTTP/1.1 304 Not Modified\r\n" + date + "Etag: \"x\"\r\n\r\n",
		"cookies":                "HTTP/1.1 200 OK\r\n" + date + "Set-Cookie: a=1\r\nSet-Cookie: b=2; Path=/\r\nContent-Type: a/b\r\nContent-Length: 1\r\n\r\nx",
		"a redirect elsewhere":   "HTTP/1.1 302 Found\r\n" + date + "Location: https://elsewhere.example/a?b#c\r\nContent-Length: 0\r\n\r\n",
		"compressed, in doubt":   "HTTP/1.1 200 OK\r\n" + date + "Content-Type: application/json\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\nnogz!",
		"no media type":          "HTTP/1.1 200 OK\r\n" + date + "Content-Length: 15\r\n\r\n<!DOCTYPE html>",
		"trailers":               "HTTP/1.1 200 OK\r\n" + date + "Content-Type: a/b\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nX-Sum: 7\r\n\r\n",
	}
	for name, answer := range answers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			upstream := newRawUpstream(t, answer)
			p := start(t, oauth2Config(authproxytest.Serve(t, platformtest.NewOAuth2(platformtest.Options{})), upstream.url))
			if got := raw(t, p, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"); sorted(got) != sorted(answer) {
				t.Errorf("the client got\n%s\nwant\n%s", got, answer)
			}
		})
	}
}

func TestBothWaysStream(t *testing.T) {
	t.Parallel()
	for _, mediaType := range []string{"text/event-stream", "application/x-ndjson", "application/json", "application/octet-stream"} {
		t.Run(mediaType, func(t *testing.T) {
			t.Parallel()
			upstream := authproxytest.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", mediaType)
				_ = http.NewResponseController(w).EnableFullDuplex()
				_, _ = io.Copy(flushing{w}, r.Body) // each piece goes back before the next one is sent
			}))
			p := start(t, oauth2Config(authproxytest.Serve(t, platformtest.NewOAuth2(platformtest.Options{})), upstream))
			body, pieces := io.Pipe()
			req, _ := http.NewRequestWithContext(limited(t), http.MethodPost, p.URL, body)
			go func() { _, _ = io.WriteString(pieces, `[1]`) }() // taken when the upstream reads it
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			piece := make([]byte, 3)
			for _, next := range []string{"[2]", "[3]", ""} {
				if _, err := io.ReadFull(resp.Body, piece); err != nil {
					t.Fatalf("the answer to a piece did not come before the next piece: %v", err)
				}
				if next != "" {
					_, _ = io.WriteString(pieces, next)
				}
			}
			if pieces.Close(); string(piece) != "[3]" {
				t.Errorf("the last piece is %q", piece)
			}
		})
	}
}

// flushing sends on whatever is written to it.
type flushing struct{ http.ResponseWriter }

func (f flushing) Write(b []byte) (int, error) {
	n, err := f.ResponseWriter.Write(b)
	return n, errors.Join(err, http.NewResponseController(f.ResponseWriter).Flush())
}

// ---------------------------------------------------------------------------
// 2. Never needlessly refused: a token that dies costs the application nothing.

func TestADeadTokenCostsTheApplicationNothing(t *testing.T) {
	t.Parallel()
	for name, dialect := range authproxytest.Dialects() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			platform := dialect.Simulate(platformtest.Options{})
			var now atomic.Pointer[platformtest.Platform]
			now.Store(platform)
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { now.Load().ServeHTTP(w, r) }))
			t.Cleanup(server.Close)
			p := start(t, dialect.Config(server.URL))
			allGood(t, p)
			issued := platform.Counts().Issued
			for range 2 {
				platform.RevokeAll()
				allGood(t, p)
			}
			if got := platform.Counts(); got.Issued != issued+2 || got.TokenRequests != got.Issued {
				t.Errorf("%+v, want one more token for each revocation", got)
			}
			again := dialect.Simulate(platformtest.Options{}) // knows no token of before
			now.Store(again)
			server.CloseClientConnections()
			allGood(t, p)
			if got := again.Counts(); got.Issued != 1 {
				t.Errorf("after a restart of the platform: %+v", got)
			}
		})
	}
}

func TestATokenThatExpiresEarlyCostsNothing(t *testing.T) {
	t.Parallel()
	platform := platformtest.NewWeDaPrivate(platformtest.Options{Lifetime: 300 * time.Millisecond})
	platform.SetExpiresIn("7200") // what the platform says is not what it does
	p := start(t, authproxytest.Dialects()["weda-private"].Config(authproxytest.Serve(t, platform)))
	for range 3 {
		good(t, p, http.MethodGet, "")
		authproxytest.Eventually(t, "expiry", func() bool { return len(platform.LiveTokens()) == 0 })
	}
	if got := platform.Counts(); got.Accepted != 3 || got.Refused != 2 || got.TokenRequests != 3 {
		t.Errorf("%+v", got)
	}
}

func TestAHundredRefusalsMakeOneTokenRequest(t *testing.T) {
	t.Parallel()
	for name, dialect := range authproxytest.Dialects() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const callers = 100
			platform := dialect.Simulate(platformtest.Options{})
			all := newBarrier(callers)
			p := start(t, dialect.Config(authproxytest.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodPost && r.URL.Path == authproxytest.APIPath {
					all.wait() // until every caller is here with the token that is dead
				}
				platform.ServeHTTP(w, r)
			}))))
			good(t, p, http.MethodGet, "")
			platform.RevokeAll()
			before := platform.Counts()
			var group sync.WaitGroup
			for i := range callers {
				group.Go(func() { good(t, p, http.MethodPost, fmt.Sprintf(`{"n":%d}`, i)) })
			}
			group.Wait()
			got := platform.Counts()
			if got.TokenRequests != before.TokenRequests+1 || got.Accepted != before.Accepted+callers || got.Refused != before.Refused+callers {
				t.Errorf("before %+v, after %+v", before, got)
			}
		})
	}
}

// ---------------------------------------------------------------------------
// 3. Never a burden: one token request where others make N, and no storms.

func TestAThousandColdCallersMakeOneTokenRequest(t *testing.T) {
	t.Parallel()
	const callers = 1000
	platform := platformtest.NewWeDaPrivate(platformtest.Options{})
	release := make(chan struct{})
	p := start(t, authproxytest.Dialects()["weda-private"].Config(authproxytest.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == platform.TokenPath() {
			<-release
		}
		platform.ServeHTTP(w, r)
	}))))
	var group sync.WaitGroup
	for range callers {
		group.Go(func() { good(t, p, http.MethodGet, "") })
	}
	authproxytest.Eventually(t, "all callers to wait", func() bool { return p.Series(t)[`authproxy_token_waiters{token="main"}`] == callers })
	close(release)
	group.Wait()
	if got := platform.Counts(); got.TokenRequests != 1 || got.Accepted != callers {
		t.Errorf("%+v", got)
	}
}

func TestATokenEndpointInTroubleIsLeftInPeace(t *testing.T) {
	t.Parallel()
	html := http.Header{"Content-Type": {"text/html"}}
	for name, fault := range map[string]*platformtest.Fault{
		"closes the connection": {Close: true},
		"hangs":                 {Hang: true},
		"drips":                 {Body: `{"access_token":"x"}`, Drip: 200 * time.Millisecond},
		"HTML":                  {Body: "<html>Sign in</html>", Header: html},
		"an empty 200":          {},
		"{}":                    {Body: "{}"},
		"an endless body":       {Body: "{", EndlessBody: true},
		"a body cut short":      {Body: `{"access_token":"x","expires_in":`, Truncate: true},
		"500":                   {Status: 500, Body: `{"code":"SYS_ERR"}`},
		"429":                   {Status: 429, Header: http.Header{"Retry-After": {"2"}}},
		"a redirect":            {Status: 302, Header: http.Header{"Location": {"https://elsewhere.example/"}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			platform := platformtest.NewWeDaPrivate(platformtest.Options{})
			platform.SetTokenFault(fault)
			p := start(t, authproxytest.Impatient(authproxytest.Dialects()["weda-private"].Config(authproxytest.Serve(t, platform))))
			began := time.Now()
			var group sync.WaitGroup
			for range 50 {
				group.Go(func() { noToken(t, do(t, p, http.MethodGet, "")) })
			}
			group.Wait()
			noToken(t, do(t, p, http.MethodPost, "{}"))
			// One at once, then at most one for each second of pause.
			if got, most := platform.Counts(), 1+int(time.Since(began)/time.Second); got.TokenRequests > most || got.APIRequests != 0 {
				t.Errorf("%d token requests, at most %d are due; %d requests without a token", got.TokenRequests, most, got.APIRequests)
			}
			platform.SetTokenFault(nil)
			authproxytest.Eventually(t, "recovery", func() bool {
				a := do(t, p, http.MethodGet, "")
				if a.Status != http.StatusOK {
					noToken(t, a)
				}
				return a.Status == http.StatusOK
			})
		})
	}
}

// noToken checks the answer of authproxy itself when there is no token.
func noToken(t *testing.T, a authproxytest.Answer) {
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

// ---------------------------------------------------------------------------
// 4. Never a leak: no secret and no token in a log, an answer, a metric or a
// page, whatever goes wrong.

func TestNothingLeaks(t *testing.T) {
	t.Parallel()
	for name, dialect := range authproxytest.Dialects() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := platformtest.Options{ClientSecret: "h0le in+one/=&%zz?:" + name, Password: `pa55 w"rd\+/=&` + name}
			platform := dialect.Simulate(o)
			config := "log: { level: debug, access: all }\n" + authproxytest.Impatient(dialect.Config(authproxytest.Serve(t, platform)))
			config = strings.NewReplacer(`"secret"`, strconv.Quote(o.ClientSecret), `"password"`, strconv.Quote(o.Password)).Replace(config)
			p := start(t, config)
			evidence := look(t, p)
			platform.SetQuoteRefused(true)
			platform.RevokeAll()
			evidence += look(t, p)
			tells, _ := json.Marshal(map[string]any{"code": o.ClientSecret, "error": o.Password, "message": platform.Secrets()})
			platform.SetTokenFault(&platformtest.Fault{Status: http.StatusUnauthorized, Body: string(tells)})
			platform.RevokeAll()
			platform.RevokeRefreshTokens()
			_ = do(t, p, http.MethodGet, "") // the platform's own refusal, which is the application's to read
			platform.SetAPIFault(&platformtest.Fault{Close: true})
			evidence += look(t, p) + look(t, p)
			p.Stop(t)
			findNothing(t, evidence+p.Stdout.String()+p.Stderr.String(), platform.Secrets())
		})
	}
}

// TestWebPagesGetNothing: a browser runs the code of strangers, which can call
// this machine. What it sends does not leave with a token, and what an upstream
// lets any page read, in the belief that it has a token of its own, none reads.
func TestWebPagesGetNothing(t *testing.T) {
	t.Parallel()
	upstream := newRawUpstream(t, "HTTP/1.1 200 OK\r\nAccess-Control-Allow-Origin: *\r\nContent-Length: 0\r\n\r\n")
	p := start(t, "allowed_hosts: [weda.local]\nallowed_origins: ['http://good.example']\n"+
		oauth2Config(authproxytest.Serve(t, platformtest.NewOAuth2(platformtest.Options{})), upstream.url))
	here := strings.TrimPrefix(p.URL, "http://")
	for request, want := range map[string]string{
		"GET / Host: HERE":       "200 ",
		"GET / Host: weda.local": "200 ",
		"GET / Host: HERE|Origin: http://HERE|Sec-Fetch-Site: same-origin":                    "200 ",
		"GET / Host: HERE|Origin: http://good.example":                                        "200 *",
		"OPTIONS / Host: HERE|Origin: http://good.example":                                    "200 *",
		"GET / Host: rebound.example":                                                         "421 host_not_allowed",
		"POST / Host: rebound.example|Origin: http://rebound.example":                         "421 host_not_allowed",
		"GET / Host: 0.0.0.0":                                                                 "421 host_not_allowed",
		"GET / Host: HERE|Origin: http://evil.example":                                        "403 cross_site",
		"POST / Host: HERE|Origin: null|Content-Length: 0":                                    "403 cross_site",
		"GET / Host: HERE|Sec-Fetch-Site: cross-site":                                         "403 cross_site",
		"OPTIONS / Host: HERE|Origin: http://evil.example|Access-Control-Request-Method: PUT": "403 cross_site",
		"GET / Host: HERE|Origin: http://evil.example|Connection: Upgrade|Upgrade: websocket": "403 cross_site",
	} {
		sent := strings.NewReplacer(" / ", " / HTTP/1.1\r\n", "|", "\r\n", "HERE", here).Replace(request) + "\r\n\r\n"
		got, err := http.ReadResponse(bufio.NewReader(strings.NewReader(raw(t, p, sent))), nil)
		if err != nil {
			t.Fatal(err)
		}
		if text := fmt.Sprint(got.StatusCode, " ", got.Header.Get("X-Authproxy-Error"), got.Header.Get("Access-Control-Allow-Origin")); text != want {
			t.Errorf("%s: %s, want %s", request, text, want)
		}
		if arrived := len(upstream.requests) > 0; arrived != (got.StatusCode == http.StatusOK) {
			t.Errorf("%s: arrived %t", request, arrived)
		}
		for len(upstream.requests) > 0 {
			<-upstream.requests
		}
	}
}

// look sends a request and returns all that shows.
func look(t *testing.T, p *authproxytest.Program) string {
	t.Helper()
	page := func(path string) string { return authproxytest.Ask(t, http.MethodGet, p.Admin+path, nil).Body }
	return fmt.Sprintln(do(t, p, http.MethodPost, `{"a":1}`), page("/metrics"), page("/readyz?verbose"))
}

// findNothing searches the evidence for secrets, however they are spelled.
func findNothing(t *testing.T, evidence string, secrets []string) {
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

// oauth2Config has the token from platform and all else from upstream.
func oauth2Config(platform, upstream string) string {
	return strings.Replace(authproxytest.Dialects()["oauth2"].Config(platform), "url: "+strconv.Quote(platform), "url: "+strconv.Quote(upstream), 1)
}

// ---------------------------------------------------------------------------
// The binary, and what it takes to talk to it.

func TestMain(m *testing.M) {
	os.Exit(buildAndRun(m))
}

func buildAndRun(m *testing.M) int {
	dir, err := os.MkdirTemp("", "authproxy-test-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	args := []string{"build", "-o", filepath.Join(dir, "authproxy")}
	if underRace() {
		args = append(args, "-race") // the program is to be watched, not only its tests
		// Such a process sleeps for a second at its end, unless told not to.
		if err := os.Setenv("GORACE", "atexit_sleep_ms=0 "+os.Getenv("GORACE")); err != nil {
			panic(err)
		}
	}
	build := exec.Command("go", append(args, "./cmd/authproxy")...)
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "go build ./cmd/authproxy:", err)
		return 1
	}
	if err := os.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH")); err != nil {
		panic(err)
	}
	return m.Run()
}

// sources has go test forget its cached results when the program changes: it
// knows what files a test looks at, but not what it builds.
var sources = sync.OnceFunc(func() {
	for _, root := range []string{"cmd", "proxy", "tokencache", "go.mod"} {
		_ = filepath.WalkDir(root, func(string, fs.DirEntry, error) error { return nil }) // looking is all
	}
})

func underRace() bool {
	info, _ := debug.ReadBuildInfo()
	return info != nil && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"})
}

// start runs the program until the end of the test.
func start(t *testing.T, config string) *authproxytest.Program {
	t.Helper()
	sources()
	return authproxytest.Start(t, config)
}

// do sends a request to the API. A body that is not "{...}" goes chunked.
func do(t *testing.T, p *authproxytest.Program, method, body string) authproxytest.Answer {
	t.Helper()
	var sent any
	switch {
	case strings.HasPrefix(body, "{"):
		sent = body
	case body != "":
		sent = authproxytest.Chunked(body)
	}
	return authproxytest.Ask(t, method, p.URL+authproxytest.APIPath+"?a=%zz;b", sent)
}

// good sends a request and wants it accepted, with all of its body.
func good(t *testing.T, p *authproxytest.Program, method, body string) {
	t.Helper()
	a := do(t, p, method, body)
	echo, err := platformtest.DecodeEcho([]byte(a.Body))
	if err != nil || a.Status != http.StatusOK || echo.Method != method || int(echo.BodyLength) != len(body) || echo.Path != authproxytest.APIPath {
		t.Errorf("%s: status %d, %v, echo %+v; standard error: %s", method, a.Status, err, echo, p.Stderr)
	}
}

// allGood sends one request of each kind.
func allGood(t *testing.T, p *authproxytest.Program) {
	t.Helper()
	good(t, p, http.MethodGet, "")
	good(t, p, http.MethodPost, `{"known":"length"}`)
	good(t, p, http.MethodPost, `["chunked"]`)
}

// raw sends bytes and returns those of the answer.
func raw(t *testing.T, p *authproxytest.Program, request string) string {
	t.Helper()
	conn := p.Dial(t, request)
	defer conn.Close()
	answer, err := readMessage(bufio.NewReader(conn))
	if err != nil {
		t.Fatalf("%v after %q", err, answer)
	}
	return answer
}

// rawUpstream gives every request the same bytes for an answer, and keeps the
// bytes that it got.
type rawUpstream struct {
	url      string
	answer   string
	requests chan string
}

func newRawUpstream(t *testing.T, answer string) *rawUpstream {
	t.Helper()
	u := &rawUpstream{answer: answer, requests: make(chan string, 10)}
	u.url = "http://" + rawtest.Listen(t, u.talk)
	return u
}

func (u *rawUpstream) host() string { return strings.TrimPrefix(u.url, "http://") }

func (u *rawUpstream) talk(conn net.Conn, in *bufio.Reader) {
	for {
		request, err := readMessage(in)
		if err != nil {
			return
		}
		u.requests <- request
		if _, err := io.WriteString(conn, u.answer); err != nil {
			return
		}
	}
}

var (
	lengthField  = regexp.MustCompile(`(?im)^content-length: *(\d+)`)
	chunkedField = regexp.MustCompile(`(?im)^transfer-encoding: *chunked`)
)

// readMessage reads a request or an answer, byte for byte.
func readMessage(r *bufio.Reader) (string, error) {
	head, err := readTo(r, "\r\n\r\n")
	switch length := lengthField.FindStringSubmatch(head); {
	case err != nil:
		return head, err
	case chunkedField.MatchString(head):
		// Trailers or not, an empty line ends it; no test has one before.
		body, err := readTo(r, "0\r\n")
		if err != nil {
			return head + body, err
		}
		for line := ""; line != "\r\n" && err == nil; body += line {
			line, err = readTo(r, "\r\n")
		}
		return head + body, err
	case length != nil && !strings.Contains(head, " 304 "):
		n, _ := strconv.Atoi(length[1])
		body := make([]byte, n)
		_, err = io.ReadFull(r, body)
		return head + string(body), err
	}
	return head, nil
}

func readTo(r *bufio.Reader, end string) (string, error) {
	var text strings.Builder
	for !strings.HasSuffix(text.String(), end) {
		line, err := r.ReadString('\n')
		text.WriteString(line)
		if err != nil {
			return text.String(), err
		}
	}
	return text.String(), nil
}

// sorted brings the headers of a message into an order, values of one name in
// the order in which they came, and names, which have no case, into one case.
func sorted(message string) string {
	head, body, _ := strings.Cut(message, "\r\n\r\n")
	lines := strings.Split(head, "\r\n")
	name := func(line string) string {
		name, _, _ := strings.Cut(line, ":")
		return http.CanonicalHeaderKey(name)
	}
	for i, line := range lines[1:] {
		_, value, _ := strings.Cut(line, ":")
		lines[i+1] = name(line) + ":" + value
	}
	slices.SortStableFunc(lines[1:], func(a, b string) int { return strings.Compare(name(a), name(b)) })
	return strings.Join(lines, "\r\n") + "\r\n\r\n" + body
}

// barrier lets so many pass together, and everybody after them.
type barrier struct {
	missing atomic.Int64
	open    chan struct{}
}

func newBarrier(n int) *barrier {
	b := &barrier{open: make(chan struct{})}
	b.missing.Store(int64(n))
	return b
}

func (b *barrier) wait() {
	if b.missing.Add(-1) == 0 {
		close(b.open)
	}
	<-b.open
}

func limited(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), authproxytest.Patience)
	t.Cleanup(cancel)
	return ctx
}
