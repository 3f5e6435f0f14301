// Package authproxy_test states the promises of authproxy, black box, against
// the built binary: transparent, never needlessly refused, never a burden to
// the platform, never a leak. The finer points of each, and of the commands,
// are tested beside the program in cmd/authproxy.
package authproxy_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
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

func TestMain(m *testing.M) { os.Exit(authproxytest.Build(m)) }

// start runs the program until the end of the test.
func start(t *testing.T, config string) *authproxytest.Program {
	t.Helper()
	authproxytest.LookAtSources(".") // from within a test: only then go test takes note
	return authproxytest.Start(t, config)
}

// ---------------------------------------------------------------------------
// 1. Transparent: what is sent is what arrives, plus the token and minus
// hop-by-hop headers; the answer comes back the same way, streamed as it comes.

func TestRequestsArriveAsTheyWereSent(t *testing.T) {
	t.Parallel()
	upstream := rawtest.NewUpstream(t, "HTTP/1.1 204 No Content\r\n\r\n")
	platform := platformtest.NewOAuth2(platformtest.Options{})
	p := start(t, authproxytest.OAuth2(authproxytest.Serve(t, platform), upstream.URL))
	here := strings.TrimPrefix(p.URL, "http://")

	for name, c := range rawRequests() {
		t.Run(name, func(t *testing.T) {
			sent := strings.NewReplacer("\n", "\r\n", "HERE", here).Replace(c.sent)
			p.Raw(t, sent+c.body)
			got := <-upstream.Requests
			token := "Authorization: Bearer " + platform.LiveTokens()[0]
			lines := strings.Split(strings.TrimSuffix(sent, "\r\n\r\n"), "\r\n")
			lines = slices.DeleteFunc(lines, func(line string) bool {
				name, _, _ := strings.Cut(line, ":")
				return slices.Contains(c.gone, name)
			})
			want := strings.Join(append(lines, token), "\r\n") + "\r\n\r\n" + c.body
			want = strings.ReplaceAll(want, "Host: "+here, "Host: "+upstream.Host())
			if rawtest.Sorted(got) != rawtest.Sorted(want) {
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
	upstream := rawtest.NewUpstream(t, "HTTP/1.1 204 No Content\r\n\r\n")
	p := start(t, authproxytest.OAuth2(authproxytest.Serve(t, platformtest.NewOAuth2(platformtest.Options{})), upstream.URL))
	p.Raw(t, "GET //\"a\"/%2f HTTP/1.1\r\nHost: localhost\r\n\r\n")
	if target := strings.Fields(<-upstream.Requests)[1]; target != "//%22a%22/%2f" {
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
			upstream := rawtest.NewUpstream(t, answer)
			p := start(t, authproxytest.OAuth2(authproxytest.Serve(t, platformtest.NewOAuth2(platformtest.Options{})), upstream.URL))
			if got := p.Raw(t, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"); rawtest.Sorted(got) != rawtest.Sorted(answer) {
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
			p := start(t, authproxytest.OAuth2(authproxytest.Serve(t, platformtest.NewOAuth2(platformtest.Options{})), upstream))
			body, pieces := io.Pipe()
			ctx, cancel := context.WithTimeout(t.Context(), authproxytest.Patience)
			defer cancel()
			req, _ := http.NewRequestWithContext(ctx, http.MethodPost, p.URL, body)
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
			p.SendAllGood(t)
			issued := platform.Counts().Issued
			for range 2 {
				platform.RevokeAll()
				p.SendAllGood(t)
			}
			if got := platform.Counts(); got.Issued != issued+2 || got.TokenRequests != got.Issued {
				t.Errorf("%+v, want one more token for each revocation", got)
			}
			again := dialect.Simulate(platformtest.Options{}) // knows no token from before
			now.Store(again)
			server.CloseClientConnections()
			p.SendAllGood(t)
			if got := again.Counts(); got.Issued != 1 {
				t.Errorf("after a restart of the platform: %+v", got)
			}
		})
	}
}

func TestATokenThatExpiresEarlyCostsNothing(t *testing.T) {
	t.Parallel()
	platform := platformtest.NewWeDaPrivate(platformtest.Options{})
	p := start(t, authproxytest.Dialects()["weda-private"].Config(authproxytest.Serve(t, platform)))
	for range 3 {
		p.SendGood(t, http.MethodGet, "")
		platform.ExpireAll() // what the platform said of it is not what it does
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
			all := authproxytest.NewBarrier(callers)
			p := start(t, dialect.Config(authproxytest.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodPost && r.URL.Path == authproxytest.APIPath {
					all.Wait() // until every caller is here with the token that is dead
				}
				platform.ServeHTTP(w, r)
			}))))
			p.SendGood(t, http.MethodGet, "")
			platform.RevokeAll()
			before := platform.Counts()
			var group sync.WaitGroup
			for i := range callers {
				group.Go(func() { p.SendGood(t, http.MethodPost, fmt.Sprintf(`{"n":%d}`, i)) })
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
		group.Go(func() { p.SendGood(t, http.MethodGet, "") })
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
				group.Go(func() { authproxytest.NoToken(t, p.Send(t, http.MethodGet, "")) })
			}
			group.Wait()
			authproxytest.NoToken(t, p.Send(t, http.MethodPost, "{}"))
			// One at once, then at most one for each second of pause.
			if got, most := platform.Counts(), 1+int(time.Since(began)/time.Second); got.TokenRequests > most || got.APIRequests != 0 {
				t.Errorf("%d token requests, at most %d are due; %d requests without a token", got.TokenRequests, most, got.APIRequests)
			}
			platform.SetTokenFault(nil)
			authproxytest.Eventually(t, "recovery", func() bool {
				a := p.Send(t, http.MethodGet, "")
				if a.Status != http.StatusOK {
					authproxytest.NoToken(t, a)
				}
				return a.Status == http.StatusOK
			})
		})
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
			config := "log: { level: debug, access: all }\n" + dialect.Config(authproxytest.Serve(t, platform))
			config = strings.NewReplacer(`"secret"`, strconv.Quote(o.ClientSecret), `"password"`, strconv.Quote(o.Password)).Replace(config)
			p := start(t, config)
			evidence := p.Look(t)
			platform.SetQuoteRefused(true)
			platform.RevokeAll()
			evidence += p.Look(t)
			tells, _ := json.Marshal(map[string]any{"code": o.ClientSecret, "error": o.Password, "message": platform.Secrets()})
			platform.SetTokenFault(&platformtest.Fault{Status: http.StatusUnauthorized, Body: string(tells)})
			platform.RevokeAll()
			platform.RevokeRefreshTokens()
			_ = p.Send(t, http.MethodGet, "") // the platform's own refusal, which is the application's to read
			platform.SetAPIFault(&platformtest.Fault{Close: true})
			evidence += p.Look(t) + p.Look(t)
			p.Stop(t)
			authproxytest.FindNothing(t, evidence+p.Stdout.String()+p.Stderr.String(), platform.Secrets())
		})
	}
}

// TestWebPagesGetNothing: a browser runs the code of strangers, which can call
// this machine. What it sends does not leave with a token, and what an upstream
// lets any page read, in the belief that it has a token of its own, none reads.
func TestWebPagesGetNothing(t *testing.T) {
	t.Parallel()
	upstream := rawtest.NewUpstream(t, "HTTP/1.1 200 OK\r\nAccess-Control-Allow-Origin: *\r\nContent-Length: 0\r\n\r\n")
	p := start(t, "allowed_hosts: [weda.local]\nallowed_origins: ['http://good.example']\n"+
		authproxytest.OAuth2(authproxytest.Serve(t, platformtest.NewOAuth2(platformtest.Options{})), upstream.URL))
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
		got, err := http.ReadResponse(bufio.NewReader(strings.NewReader(p.Raw(t, sent))), nil)
		if err != nil {
			t.Fatal(err)
		}
		if text := fmt.Sprint(got.StatusCode, " ", got.Header.Get("X-Authproxy-Error"), got.Header.Get("Access-Control-Allow-Origin")); text != want {
			t.Errorf("%s: %s, want %s", request, text, want)
		}
		if arrived := len(upstream.Requests) > 0; arrived != (got.StatusCode == http.StatusOK) {
			t.Errorf("%s: arrived %t", request, arrived)
		}
		for len(upstream.Requests) > 0 {
			<-upstream.Requests
		}
	}
}
