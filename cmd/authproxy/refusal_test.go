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

	"authproxy/cmd/authproxy/authproxytest"
	"authproxy/proxy/platformtest"
)

// weda starts the program before a platform of the kind weda-private, with
// more keys for the upstream.
func weda(t *testing.T, o platformtest.Options, more string) (*platformtest.Platform, *authproxytest.Program) {
	t.Helper()
	platform := platformtest.NewWeDaPrivate(o)
	config := authproxytest.Dialects()["weda-private"].Config(authproxytest.Serve(t, platform))
	return platform, authproxytest.Start(t, strings.Replace(config, "token: main,", "token: main, "+more, 1))
}

// plain undoes the content coding of an answer.
func plain(t *testing.T, a authproxytest.Answer) authproxytest.Answer {
	t.Helper()
	var r io.Reader = strings.NewReader(a.Body)
	var err error
	switch a.Header.Get("Content-Encoding") {
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
	a.Body = string(text)
	return a
}

// TestHoweverARefusalComes goes through statuses, codes, content codings,
// lengths and requests: each refusal costs one token request and is not seen.
func TestHoweverARefusalComes(t *testing.T) {
	t.Parallel()
	platform, p := weda(t, platformtest.Options{}, "")
	p.Good(t)
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
func recovers(t *testing.T, platform *platformtest.Platform, p *authproxytest.Program, what string) {
	t.Helper()
	const body = `{"some":"body"}`
	for method, send := range map[string]func() any{
		"GET": func() any { return nil }, "POST": func() any { return body }, "PUT": func() any { return authproxytest.Chunked(body) },
	} {
		platform.RevokeAll()
		before := platform.Counts()
		echo := authproxytest.EchoOf(t, plain(t, authproxytest.Ask(t, method, p.URL+authproxytest.APIPath, send())))
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
	upstream := authproxytest.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
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
	config := authproxytest.Dialects()["oauth2"].Config(authproxytest.Serve(t, platform))
	before, _, _ := strings.Cut(config, "upstreams:")
	p := authproxytest.Start(t, before+"upstreams: [ { name: main, token: main, invalid_token: { body: { code: [TOKEN_DEAD] } }, url: "+strconv.Quote(upstream)+" } ]\n")
	for i, method := range []string{http.MethodDelete, http.MethodGet, http.MethodGet} {
		if a := authproxytest.Ask(t, method, p.URL+authproxytest.APIPath, nil); a.Body != packed(`{"code":"FINE"}`) {
			t.Errorf("request %d: %d %q", i, a.Status, a.Body)
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
				send = authproxytest.Chunked(body)
			}
			echo := authproxytest.EchoOf(t, authproxytest.Ask(t, http.MethodPost, p.URL+authproxytest.APIPath, send))
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
	p.Good(t)
	platform.RevokeAll()
	before := p.Series(t)
	a := authproxytest.Ask(t, http.MethodPost, p.URL+authproxytest.APIPath, strings.Repeat("x", 300<<10))
	if a.Status != 200 || !strings.Contains(a.Body, "INVALID_ACCESS_TOKEN") || a.Code() != "" {
		t.Errorf("not the platform's own refusal: %d %v %s", a.Status, a.Header, a.Body)
	}
	authproxytest.Eventually(t, "a new token for the next request", func() bool { return platform.Counts().Issued == 2 })
	p.Good(t)
	if got := platform.Counts(); got.Refused != 1 || got.TokenRequests != 2 {
		t.Errorf("%+v", got)
	}
	const series = `authproxy_retries_total{outcome="not_replayable",trigger="body",upstream="main"}`
	if got := authproxytest.Changed(before, p.Series(t))[series]; got != 1 {
		t.Errorf("%s = %v", series, got)
	}
}

// TestARefusalBeforeTheLimitIsOverrun comes while a large body is on its way:
// what was recorded and the rest of the stream make the second try.
func TestARefusalBeforeTheLimitIsOverrun(t *testing.T) {
	t.Parallel()
	platform := platformtest.NewOAuth2(platformtest.Options{}) // judges the token before the body
	config := authproxytest.Dialects()["oauth2"].Config(authproxytest.Serve(t, platform))
	p := authproxytest.Start(t, strings.Replace(config, "token: main,", "token: main, retry: { body_limit: 64KiB },", 1))
	p.Good(t)
	platform.RevokeAll()
	body, pieces := io.Pipe()
	go func() {
		_, _ = io.WriteString(pieces, "begin ")
		authproxytest.Eventually(t, "a new token", func() bool { return platform.Counts().Issued == 2 })
		_, _ = io.WriteString(pieces, strings.Repeat("x", 1<<20))
		_ = pieces.Close()
	}()
	echo := authproxytest.EchoOf(t, authproxytest.Ask(t, http.MethodPost, p.URL+authproxytest.APIPath, body))
	if want := int64(len("begin ") + 1<<20); echo.BodyLength != want {
		t.Errorf("%d bytes arrived, want %d", echo.BodyLength, want)
	}
}

// TestTheSecondRefusalIsPassedOn has a platform that refuses everything.
func TestTheSecondRefusalIsPassedOn(t *testing.T) {
	t.Parallel()
	platform := platformtest.NewOAuth2(platformtest.Options{})
	p := authproxytest.Start(t, strings.Replace(authproxytest.Dialects()["oauth2"].Config(authproxytest.Serve(t, platform)), "provider:", "min_refresh_interval: 1h, provider:", 1))
	platform.SetAPIFault(&platformtest.Fault{Status: 401, Body: "go away", Header: http.Header{
		"Content-Type": {"text/x-own"}, "Www-Authenticate": {`Bearer error="invalid_token"`}, "X-Own": {"1", "2"}}})
	for i, want := range []int{2, 3, 4} { // one request more each: a fresh token was refused, so its turn has not come
		a := authproxytest.Ask(t, http.MethodPost, p.URL+authproxytest.APIPath, "body")
		if a.Status != 401 || a.Body != "go away" || len(a.Header["X-Own"]) != 2 || a.Header.Get("Content-Type") != "text/x-own" || a.Header.Get("Www-Authenticate") == "" || a.Code() != "" {
			t.Errorf("%d: %d %v %q", i, a.Status, a.Header, a.Body)
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
	if a := p.Get(t); a.Status != 401 || a.Body != `{"own":1}` {
		t.Errorf("%d %q", a.Status, a.Body)
	}
	if got := platform.Counts(); got.APIRequests != 1 || got.TokenRequests != 2 {
		t.Errorf("%+v", got)
	}
}

// TestErrorsThatAreNotAboutTheToken go to the application, and the token stays.
func TestErrorsThatAreNotAboutTheToken(t *testing.T) {
	t.Parallel()
	platform, p := weda(t, platformtest.Options{}, "")
	p.Good(t)
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
			if a := p.Get(t); a.Status != status || a.Body != body {
				t.Errorf("%s with %d came back as %d %.200q", name, status, a.Status, a.Body)
			}
			if got := platform.Counts(); got.APIRequests != before.APIRequests+1 || got.TokenRequests != 1 {
				t.Errorf("%s with %d: %+v", name, status, got)
			}
		}
	}
	refusal := platformtest.WeDaError("INVALID_ACCESS_TOKEN", "")
	for body, media := range map[string]string{bodies["a nested code"] + " ": "text/html", refusal + "\nnext": "text/plain", refusal: "image/png"} {
		platform.SetAPIFault(&platformtest.Fault{Body: body, Header: http.Header{"Content-Type": {media}}})
		p.Get(t)
	}
	if got := platform.Counts().TokenRequests; got != 1 {
		t.Errorf("%d token requests", got)
	}
}

// TestDenialsDoNotTouchTheToken asks every platform for its permission error,
// its rate limit and, where there is one, insufficient_scope with a 401.
func TestDenialsDoNotTouchTheToken(t *testing.T) {
	t.Parallel()
	for name, dialect := range authproxytest.Dialects() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			platform := dialect.Simulate(platformtest.Options{})
			p := authproxytest.Start(t, dialect.Config(authproxytest.Serve(t, platform)))
			endings := []string{"/forbidden", "/ratelimit"}
			if name == "oauth2" {
				endings = append(endings, "/scope401")
			}
			for _, ending := range endings {
				if a := authproxytest.Ask(t, http.MethodGet, p.URL+authproxytest.APIPath+ending, nil); a.Status < 400 || a.Code() != "" {
					t.Errorf("%s: %d %s", ending, a.Status, a.Body)
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
	p.Good(t)
	platform.RevokeAll()
	if a := p.Get(t); !strings.Contains(a.Body, "INVALID_ACCESS_TOKEN") {
		t.Errorf("not the platform's own refusal: %d %s", a.Status, a.Body)
	}
	authproxytest.Eventually(t, "a new token for the next request", func() bool { return platform.Counts().Issued == 2 })
	p.Good(t)
	if got := platform.Counts(); got.APIRequests != 3 || got.TokenRequests != 2 {
		t.Errorf("%+v", got)
	}
}

// TestATokenThatKillsTheOldOne has somebody else use the same credentials.
func TestATokenThatKillsTheOldOne(t *testing.T) {
	t.Parallel()
	platform := platformtest.NewGongjiangyun(platformtest.Options{})
	p := authproxytest.Start(t, authproxytest.Dialects()["gongjiangyun"].Config(authproxytest.Serve(t, platform)))
	rival := authproxytest.Start(t, authproxytest.Dialects()["gongjiangyun"].Config(authproxytest.Serve(t, platform)))
	for range 3 {
		p.Good(t)
		rival.Good(t)
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
	p := authproxytest.Start(t, authproxytest.Dialects()["cloudbase-user"].Config(authproxytest.Serve(t, platform)))
	p.Good(t)
	for range 3 {
		platform.RevokeAll()
		p.Good(t)
	}
	if got := platform.Counts(); got.SignIns != 1 || got.Refreshes != 3 || got.Devices != 1 || got.WrongCredentials != 0 {
		t.Errorf("%+v", got)
	}
	platform.RevokeAll()
	platform.RevokeRefreshTokens()
	p.Good(t) // the platform answers invalid_grant, so it signs in again, on the same device
	if got := platform.Counts(); got.SignIns != 2 || got.Refreshes != 4 || got.Devices != 1 {
		t.Errorf("%+v", got)
	}
}

// TestATokenInUseIsRenewedAhead sends requests through three lives of a token.
func TestATokenInUseIsRenewedAhead(t *testing.T) {
	t.Parallel()
	platform, p := weda(t, platformtest.Options{Lifetime: 2 * time.Second}, "")
	began := time.Now()
	authproxytest.Eventually(t, "the third token", func() bool {
		p.Good(t)
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
