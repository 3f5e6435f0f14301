package main_test

import (
	"compress/gzip"
	"compress/zlib"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"authproxy/proxy/platformtest"
)

// weda starts the program before a platform of the kind weda-private, with
// more keys for the upstream.
func weda(t *testing.T, o platformtest.Options, more string) (*platformtest.Platform, *authproxy) {
	t.Helper()
	platform := platformtest.NewWeDaPrivate(o)
	config := dialects()["weda-private"].config(serve(t, platform))
	return platform, start(t, strings.Replace(config, "token: main,", "token: main, "+more, 1))
}

// plain undoes the content coding of an answer.
func plain(t *testing.T, a answer) answer {
	t.Helper()
	var r io.Reader = strings.NewReader(a.body)
	var err error
	switch a.header.Get("Content-Encoding") {
	case "gzip":
		r, err = gzip.NewReader(r)
	case "deflate":
		r, err = zlib.NewReader(r)
	}
	if err != nil {
		t.Error(err)
		return a
	}
	text, err := io.ReadAll(r)
	if err != nil {
		t.Error(err)
	}
	a.body = string(text)
	return a
}

// TestHoweverARefusalComes goes through statuses, codes, content codings,
// lengths and requests: each refusal costs one token request and is not seen.
func TestHoweverARefusalComes(t *testing.T) {
	t.Parallel()
	platform, p := weda(t, platformtest.Options{}, "")
	p.good(t)
	for _, status := range []int{200, 401, 403, 500} {
		for _, code := range []string{"INVALID_ACCESS_TOKEN", "INVALID_CREDENTIALS"} {
			for _, encoding := range []string{"", "gzip", "deflate"} {
				for _, lengthless := range []bool{false, true} {
					platform.SetRefusalStatus(status)
					platform.SetRefusalCode(code)
					platform.SetEncoding(encoding)
					platform.SetChunked(lengthless)
					recovers(t, platform, p, fmt.Sprintf("%d %s %q chunked=%t", status, code, encoding, lengthless))
				}
			}
		}
	}
}

// recovers revokes the token before each kind of request.
func recovers(t *testing.T, platform *platformtest.Platform, p *authproxy, what string) {
	t.Helper()
	const body = `{"some":"body"}`
	for method, send := range map[string]func() any{
		"GET": func() any { return nil }, "POST": func() any { return body }, "PUT": func() any { return chunked(body) },
	} {
		platform.RevokeAll()
		before := platform.Counts()
		echo := echoOf(t, plain(t, ask(t, method, p.url+apiPath, send())))
		got := platform.Counts()
		if got.TokenRequests != before.TokenRequests+1 || got.APIRequests != before.APIRequests+2 || echo.Method != method || (method != "GET") != (echo.BodyLength == int64(len(body))) {
			t.Errorf("%s, %s: echo %+v, before %+v, after %+v", what, method, echo, before, got)
		}
	}
}

func TestARefusalBehindZstd(t *testing.T) {
	t.Parallel()
	platform := platformtest.NewOAuth2(platformtest.Options{})
	packer, _ := zstd.NewWriter(nil) // its options are right
	packed := func(text string) string { return string(packer.EncodeAll([]byte(text), nil)) }
	var dead atomic.Value // the token that was used last before it was refused
	dead.Store("")
	upstream := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := `{"code":"FINE"}`
		if r.Header.Get("Authorization") == dead.Load() {
			answer = `{"code":"TOKEN_DEAD"}`
		} else if r.Method == http.MethodDelete {
			dead.Store(r.Header.Get("Authorization"))
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Encoding", "zstd")
		_, _ = io.WriteString(w, packed(answer))
	}))
	config := dialects()["oauth2"].config(serve(t, platform))
	before, _, _ := strings.Cut(config, "upstreams:")
	p := start(t, before+"upstreams: [ { name: main, token: main, invalid_token: { body: { code: [TOKEN_DEAD] } }, url: "+strconv.Quote(upstream)+" } ]\n")
	for i, method := range []string{http.MethodDelete, http.MethodGet, http.MethodGet} {
		if a := ask(t, method, p.url+apiPath, nil); a.body != packed(`{"code":"FINE"}`) {
			t.Errorf("request %d: %d %q", i, a.status, a.body)
		}
	}
	if got := platform.Counts().TokenRequests; got != 2 {
		t.Errorf("%d token requests", got)
	}
}

func TestBodiesOfAnySizeAreSentAgain(t *testing.T) {
	t.Parallel()
	platform, p := weda(t, platformtest.Options{}, "retry: { body_limit: 1MiB },")
	for _, size := range []int{1, 32 << 10, 32<<10 + 1, 1<<20 - 1, 1 << 20} {
		body := strings.Repeat("0123456789abcdef", size/16+1)[:size]
		for _, known := range []bool{true, false} {
			platform.RevokeAll()
			var send any = body
			if !known {
				send = chunked(body)
			}
			echo := echoOf(t, ask(t, http.MethodPost, p.url+apiPath, send))
			if sum := sha256.Sum256([]byte(body)); echo.BodySHA256 != hex.EncodeToString(sum[:]) {
				t.Errorf("%d bytes, known length %t: another body arrived: %+v", size, known, echo)
			}
		}
	}
}

// TestABodyThatOverrunsTheLimit is refused after all of it has been read.
func TestABodyThatOverrunsTheLimit(t *testing.T) {
	t.Parallel()
	platform, p := weda(t, platformtest.Options{}, "retry: { body_limit: 64KiB },")
	p.good(t)
	platform.RevokeAll()
	before := p.series(t)
	a := ask(t, http.MethodPost, p.url+apiPath, strings.Repeat("x", 300<<10))
	if a.status != 200 || !strings.Contains(a.body, "INVALID_ACCESS_TOKEN") || a.code() != "" {
		t.Errorf("not the platform's own refusal: %d %v %s", a.status, a.header, a.body)
	}
	eventually(t, "a new token for the next request", func() bool { return platform.Counts().Issued == 2 })
	p.good(t)
	if got := platform.Counts(); got.Refused != 1 || got.TokenRequests != 2 {
		t.Errorf("%+v", got)
	}
	const series = `authproxy_retries_total{outcome="not_replayable",trigger="body",upstream="main"}`
	if got := changed(before, p.series(t))[series]; got != 1 {
		t.Errorf("%s = %v", series, got)
	}
}

// TestARefusalBeforeTheLimitIsOverrun comes while a large body is on its way:
// what was recorded and the rest of the stream make the second try.
func TestARefusalBeforeTheLimitIsOverrun(t *testing.T) {
	t.Parallel()
	platform := platformtest.NewOAuth2(platformtest.Options{}) // judges the token before the body
	config := dialects()["oauth2"].config(serve(t, platform))
	p := start(t, strings.Replace(config, "token: main,", "token: main, retry: { body_limit: 64KiB },", 1))
	p.good(t)
	platform.RevokeAll()
	body, pieces := io.Pipe()
	go func() {
		_, _ = io.WriteString(pieces, "begin ")
		eventually(t, "a new token", func() bool { return platform.Counts().Issued == 2 })
		_, _ = io.WriteString(pieces, strings.Repeat("x", 1<<20))
		_ = pieces.Close()
	}()
	echo := echoOf(t, ask(t, http.MethodPost, p.url+apiPath, body))
	if want := int64(len("begin ") + 1<<20); echo.BodyLength != want {
		t.Errorf("%d bytes arrived, want %d", echo.BodyLength, want)
	}
}

// TestTheSecondRefusalIsPassedOn has a platform that refuses everything.
func TestTheSecondRefusalIsPassedOn(t *testing.T) {
	t.Parallel()
	platform := platformtest.NewOAuth2(platformtest.Options{})
	p := start(t, strings.Replace(dialects()["oauth2"].config(serve(t, platform)), "provider:", "min_refresh_interval: 1h, provider:", 1))
	platform.SetAPIFault(&platformtest.Fault{Status: 401, Body: "go away", Header: http.Header{
		"Content-Type": {"text/x-own"}, "Www-Authenticate": {`Bearer error="invalid_token"`}, "X-Own": {"1", "2"}}})
	for i, want := range []int{2, 3, 4} { // one request more each: a fresh token was refused, so its turn has not come
		a := ask(t, http.MethodPost, p.url+apiPath, "body")
		if a.status != 401 || a.body != "go away" || len(a.header["X-Own"]) != 2 || a.header.Get("Content-Type") != "text/x-own" || a.header.Get("Www-Authenticate") == "" || a.code() != "" {
			t.Errorf("%d: %d %v %q", i, a.status, a.header, a.body)
		}
		if got := platform.Counts(); got.APIRequests != want || got.TokenRequests != 2 {
			t.Errorf("%d: %+v, want %d API requests and 2 tokens", i, got, want)
		}
	}
}

// TestTheSameTokenIsNotSentAgain has a platform that refuses a token and
// answers with it again.
func TestTheSameTokenIsNotSentAgain(t *testing.T) {
	t.Parallel()
	platform, p := weda(t, platformtest.Options{}, "")
	platform.SetReissue(true)
	platform.SetAPIFault(&platformtest.Fault{Status: 401, Body: `{"own":1}`})
	if a := p.get(t); a.status != 401 || a.body != `{"own":1}` {
		t.Errorf("%d %q", a.status, a.body)
	}
	if got := platform.Counts(); got.APIRequests != 1 || got.TokenRequests != 2 {
		t.Errorf("%+v", got)
	}
}

// TestErrorsThatAreNotAboutTheToken go to the application, and the token stays.
func TestErrorsThatAreNotAboutTheToken(t *testing.T) {
	t.Parallel()
	platform, p := weda(t, platformtest.Options{}, "")
	p.good(t)
	bodies := map[string]string{
		"business":              platformtest.WeDaBusinessError("InvalidParameter", "no"),
		"business, same word":   platformtest.WeDaBusinessError("INVALID_ACCESS_TOKEN", "no"),
		"the word in a message": platformtest.WeDaError("BAD_REQUEST", "INVALID_ACCESS_TOKEN"),
		"a large answer":        `{"code":"INVALID_ACCESS_TOKEN","rows":"` + strings.Repeat("x", 64<<10) + `"}`,
		"an array":              `["INVALID_ACCESS_TOKEN"]`,
		"a nested code":         `{"data":{"code":"INVALID_ACCESS_TOKEN"}}`,
		"broken JSON":           `{"code":"INVALID_ACCESS_TOKEN"`,
	}
	for _, code := range platformtest.WeDaCodes()[1:] {
		bodies[code] = platformtest.WeDaError(code, "no")
	}
	for name, body := range bodies {
		for _, status := range []int{200, 403, 429, 500} {
			platform.SetAPIFault(&platformtest.Fault{Status: status, Body: body})
			before := platform.Counts()
			if a := p.get(t); a.status != status || a.body != body {
				t.Errorf("%s with %d came back as %d %.200q", name, status, a.status, a.body)
			}
			if got := platform.Counts(); got.APIRequests != before.APIRequests+1 || got.TokenRequests != 1 {
				t.Errorf("%s with %d: %+v", name, status, got)
			}
		}
	}
	platform.SetAPIFault(&platformtest.Fault{Body: bodies["a nested code"] + " ", Header: http.Header{"Content-Type": {"text/html"}}})
	p.get(t)
	platform.SetAPIFault(&platformtest.Fault{Body: platformtest.WeDaError("INVALID_ACCESS_TOKEN", ""), Header: http.Header{"Content-Type": {"text/html"}}})
	p.get(t)
	if got := platform.Counts().TokenRequests; got != 1 {
		t.Errorf("%d token requests", got)
	}
}

// TestDenialsDoNotTouchTheToken asks every platform for its permission error,
// its rate limit and, where there is one, insufficient_scope with a 401.
func TestDenialsDoNotTouchTheToken(t *testing.T) {
	t.Parallel()
	for name, dialect := range dialects() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			platform := dialect.simulate(platformtest.Options{})
			p := start(t, dialect.config(serve(t, platform)))
			endings := []string{"/forbidden", "/ratelimit"}
			if name == "oauth2" {
				endings = append(endings, "/scope401")
			}
			for _, ending := range endings {
				if a := ask(t, http.MethodGet, p.url+apiPath+ending, nil); a.status < 400 || a.code() != "" {
					t.Errorf("%s: %d %s", ending, a.status, a.body)
				}
			}
			if got := platform.Counts(); got.Denied != len(endings) || got.APIRequests != len(endings) || got.TokenRequests != 1 {
				t.Errorf("%+v", got)
			}
		})
	}
}

func TestRetryTurnedOff(t *testing.T) {
	t.Parallel()
	platform, p := weda(t, platformtest.Options{}, "retry: { enabled: false },")
	p.good(t)
	platform.RevokeAll()
	if a := p.get(t); !strings.Contains(a.body, "INVALID_ACCESS_TOKEN") {
		t.Errorf("not the platform's own refusal: %d %s", a.status, a.body)
	}
	eventually(t, "a new token for the next request", func() bool { return platform.Counts().Issued == 2 })
	p.good(t)
	if got := platform.Counts(); got.APIRequests != 3 || got.TokenRequests != 2 {
		t.Errorf("%+v", got)
	}
}

// TestATokenThatKillsTheOldOne has somebody else use the same credentials.
func TestATokenThatKillsTheOldOne(t *testing.T) {
	t.Parallel()
	platform := platformtest.NewGongjiangyun(platformtest.Options{})
	p := start(t, dialects()["gongjiangyun"].config(serve(t, platform)))
	rival := start(t, dialects()["gongjiangyun"].config(serve(t, platform)))
	for range 3 {
		p.good(t)
		rival.good(t)
	}
	if got := platform.Counts(); got.TokenRequests != 6 || got.BadRequests != 0 {
		t.Errorf("%+v", got)
	}
}

// TestRefreshTokensRotate sees one sign-in, one device, and each refresh token
// used once.
func TestRefreshTokensRotate(t *testing.T) {
	t.Parallel()
	platform := platformtest.NewCloudBase(platformtest.Options{})
	p := start(t, dialects()["cloudbase-user"].config(serve(t, platform)))
	p.good(t)
	for range 3 {
		platform.RevokeAll()
		p.good(t)
	}
	if got := platform.Counts(); got.SignIns != 1 || got.Refreshes != 3 || got.Devices != 1 || got.WrongCredentials != 0 {
		t.Errorf("%+v", got)
	}
	platform.RevokeAll()
	platform.RevokeRefreshTokens()
	p.good(t) // the platform answers invalid_grant, so it signs in again, on the same device
	if got := platform.Counts(); got.SignIns != 2 || got.Refreshes != 4 || got.Devices != 1 {
		t.Errorf("%+v", got)
	}
}

// TestATokenInUseIsRenewedAhead sends requests through three lives of a token.
func TestATokenInUseIsRenewedAhead(t *testing.T) {
	t.Parallel()
	platform, p := weda(t, platformtest.Options{Lifetime: 2 * time.Second}, "")
	began := time.Now()
	eventually(t, "the third token", func() bool {
		p.good(t)
		return platform.Counts().Issued == 3
	})
	// A token of 2 s is renewed in its last 300 ms.
	if took := time.Since(began); took < 3*time.Second {
		t.Errorf("three tokens in %v", took)
	}
	if got := platform.Counts(); got.TokenRequests != 3 {
		t.Errorf("%+v", got)
	}
}
