package endpoint

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"authproxy/tokencache"
)

var zero tokencache.Token

func TestFailures(t *testing.T) {
	big := strings.Repeat("a", 17<<10)
	html := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = io.WriteString(w, "<html>login "+testToken)
	}
	endless := func(w http.ResponseWriter, _ *http.Request) {
		for {
			if _, err := io.WriteString(w, strings.Repeat(" ", 1<<16)); err != nil {
				return
			}
		}
	}
	tests := []struct {
		name   string
		answer http.HandlerFunc
		reason tokencache.Reason
		parts  []string
	}{
		{"401", saysStatus(401, `{"code":"INVALID_CREDENTIALS","message":"no `+testToken+`"}`), "credentials",
			[]string{"/token was refused with 401 (INVALID_CREDENTIALS): check client_id, client_secret, username and password"}},
		{"400", saysStatus(400, `{"error":"invalid_grant"}`), "credentials", []string{"400 (invalid_grant)", "other values"}},
		{"403 without JSON", saysStatus(403, `no`), "status", []string{"answered with 403; it sent application/json, 2 bytes: something in front"}},
		{"code that repeats the secret", saysStatus(401, `{"code":"pass-word-1"}`), "credentials", []string{"refused with 401: check"}},
		{"code that is a sentence", saysStatus(401, `{"code":"wrong user admin"}`), "credentials", []string{"refused with 401 (wrong user admin): check"}},
		{"404", saysStatus(404, ``), "status", []string{"404: check the URL"}},
		{"429", saysStatus(429, ``), "status", []string{"429: wait"}},
		{"503", saysStatus(503, `{"code":12}`), "status", []string{"503 (12): wait"}},
		{"empty 200", saysStatus(200, ``), "bad_answer", []string{"an empty body"}},
		{"204", saysStatus(204, ``), "bad_answer", []string{"204", "an empty body"}},
		{"{}", says(`{}`), "bad_answer", []string{"without a token at access_token; it sent application/json, 2 bytes: check"}},
		{"null", says(`null`), "bad_answer", []string{"without a token"}},
		{"two documents", says(`{"access_token":"a"}{}`), "bad_answer", []string{"not with JSON"}},
		{"error in a 200", says(`{"code":"INVALID_CREDENTIALS"}`), "credentials", []string{"refused in an answer with 200 (INVALID_CREDENTIALS): check"}},
		{"html", html, "bad_answer", []string{"not with JSON", "text/html, ", " bytes"}},
		{"endless", endless, "bad_answer", []string{"more than 1 MiB"}},
		{"deep", says(strings.Repeat("[", 500_000)), "bad_answer", nil},
		{"empty token", says(`{"access_token":""}`), "bad_answer", []string{"without a token"}},
		{"null token", says(`{"access_token":null}`), "bad_answer", []string{"without a token"}},
		{"number", says(`{"access_token":12}`), "bad_answer", []string{"no token"}},
		{"CRLF", says(`{"access_token":"abc\r\nX-Evil: 1"}`), "bad_answer", []string{"no token"}},
		{"space", says(`{"access_token":"abc def"}`), "bad_answer", nil},
		{"not ASCII", says(`{"access_token":"ab\u00e9"}`), "bad_answer", nil},
		{"long", says(`{"access_token":"` + big + `"}`), "bad_answer", []string{"16 KiB"}},
		{"long refresh token", says(`{"access_token":"abc","refresh_token":"` + big + `"}`), "bad_answer", []string{"refresh_token"}},
		{"100 then nothing", func(w http.ResponseWriter, _ *http.Request) { hijack(w, "HTTP/1.1 100 Continue\r\n\r\n") }, "network", nil},
		{"101", func(w http.ResponseWriter, _ *http.Request) {
			hijackAndWait(w, "HTTP/1.1 101 X\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n")
		}, "status", []string{"101"}},
		{"not HTTP", func(w http.ResponseWriter, _ *http.Request) { hijack(w, "SSH-2.0 "+testSecret+"\r\n\r\n") }, "network", []string{"not HTTP"}},
		{"cut", func(w http.ResponseWriter, _ *http.Request) {
			hijack(w, "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{}")
		}, "network", []string{"closed"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := newPlatform(t, tt.answer)
			_, err := must(t, simple(p.URL)).Fetch(within(t, 5*time.Second), zero)
			if f := fetchError(t, err); f.Reason != tt.reason {
				t.Errorf("reason %s, want %s: %v", f.Reason, tt.reason, err)
			}
			contains(t, err.Error(), append(tt.parts, `token "weda": POST `+p.URL+"/token ")...)
			noLeak(t, err)
		})
	}
}

func hijack(w http.ResponseWriter, text string) {
	conn, buf, _ := w.(http.Hijacker).Hijack()
	_, _ = buf.WriteString(text)
	_ = buf.Flush()
	_ = conn.Close()
}

func hijackAndWait(w http.ResponseWriter, text string) {
	conn, buf, _ := w.(http.Hijacker).Hijack()
	_, _ = buf.WriteString(text)
	_ = buf.Flush()
	_, _ = conn.Read(make([]byte, 1))
	_ = conn.Close()
}

func TestSlowAnswerEndsWithTheContext(t *testing.T) {
	for name, head := range map[string]bool{"headers": false, "body": true} {
		p := newPlatform(t, func(w http.ResponseWriter, r *http.Request) {
			for head && r.Context().Err() == nil {
				_, _ = io.WriteString(w, " ")
				w.(http.Flusher).Flush()
				time.Sleep(5 * time.Millisecond)
			}
			<-r.Context().Done()
		})
		_, err := must(t, simple(p.URL)).Fetch(within(t, 80*time.Millisecond), zero)
		if f := fetchError(t, err); f.Reason != tokencache.ReasonTimeout || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %s %v", name, f.Reason, err)
		}
		noLeak(t, err)
	}
}

func TestBodyThatIgnoresTheContextIsClosed(t *testing.T) {
	r, _ := io.Pipe()
	o := simple("http://h")
	o.Transport = roundTripper(func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 200, Body: r}, nil
	})
	_, err := must(t, o).Fetch(within(t, 30*time.Millisecond), zero)
	if f := fetchError(t, err); f.Reason != tokencache.ReasonTimeout {
		t.Error(err)
	}
}

func TestRedirectIsNotFollowed(t *testing.T) {
	other := newPlatform(t, says(`{"access_token":"abc"}`))
	for _, status := range []int{301, 302, 307, 308} {
		p := newPlatform(t, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, other.URL+"/?s="+testSecret, status)
		})
		_, err := must(t, simple(p.URL)).Fetch(t.Context(), zero)
		if f := fetchError(t, err); f.Reason != tokencache.ReasonStatus {
			t.Error(f.Reason)
		}
		contains(t, err.Error(), fmt.Sprintf("%d, a redirect to %s, which is not followed", status, other.URL))
		noLeak(t, err)
	}
	if n := len(other.requests()); n != 0 {
		t.Errorf("the other host got %d requests", n)
	}
}

func TestNetworkErrors(t *testing.T) {
	closed := httptest.NewServer(nil)
	closed.Close()
	tlsServer := httptest.NewTLSServer(says(`{}`))
	defer tlsServer.Close()
	plainServer := newPlatform(t, says(`{}`))
	for url, part := range map[string]string{
		closed.URL:    "connection refused",
		tlsServer.URL: "tls.ca_file",
		strings.Replace(plainServer.URL, "http:", "https:", 1): "no TLS: the other side speaks plain HTTP",
	} {
		_, err := must(t, simple(url)).Fetch(within(t, 5*time.Second), zero)
		if f := fetchError(t, err); f.Reason != tokencache.ReasonNetwork {
			t.Error(f.Reason, err)
		}
		contains(t, err.Error(), part)
		noLeak(t, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := must(t, simple(plainServer.URL)).Fetch(ctx, zero)
	if f := fetchError(t, err); f.Reason != tokencache.ReasonNetwork || !errors.Is(err, context.Canceled) {
		t.Error(f.Reason, err)
	}
}

func TestRetryAfterIsHandedOn(t *testing.T) {
	for _, status := range []int{429, 503, 401, 302} {
		p := newPlatform(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Retry-After", "17")
			w.WriteHeader(status)
		})
		_, err := must(t, simple(p.URL)).Fetch(t.Context(), zero)
		if f := fetchError(t, err); f.RetryAfter != 17*time.Second {
			t.Error(status, f.RetryAfter)
		}
	}
}

func TestCredentialsThatCannotBeRead(t *testing.T) {
	cause := errors.New("open /run/secret: no such file")
	o := simple("http://h")
	o.Credentials = func() (map[string]string, error) { return nil, cause }
	_, err := must(t, o).Fetch(t.Context(), zero)
	if f := fetchError(t, err); f.Reason != tokencache.ReasonCredentials || !errors.Is(err, cause) {
		t.Error(err)
	}
	contains(t, err.Error(), "/run/secret")
}

func TestOK(t *testing.T) {
	tests := []struct {
		body   string
		reason tokencache.Reason
	}{
		{`{"errcode":0,"status":{"ok":true},"access_token":"abc"}`, ""},
		{`{"errcode":"0","status":{"ok":"true"},"access_token":"abc"}`, ""},
		{`{"errcode":40013,"status":{"ok":true},"access_token":"abc"}`, "credentials"},
		{`{"errcode":0,"access_token":"abc"}`, "bad_answer"},
		{`{"errcode":null,"status":{"ok":true},"access_token":"abc"}`, "bad_answer"},
		{`{"errcode":-1,"status":{"ok":true}}`, "status"},
		{`{"errcode":0,"status":{"ok":false}}`, "credentials"},
		{`{}`, "bad_answer"}, {``, "bad_answer"}, {`<html>`, "bad_answer"},
		{`{"errcode":0,"status":{"ok":true}}`, "bad_answer"},
	}
	for _, tt := range tests {
		o := simple(newPlatform(t, says(tt.body)).URL)
		o.Response.OK = []Match{{Path: path("errcode"), Values: []string{"200", "0"}}}
		o.Request.OK = []Match{{Path: path("status.ok"), Values: []string{"true"}}}
		_, err := must(t, o).Fetch(t.Context(), zero)
		if tt.reason == "" {
			if err != nil {
				t.Errorf("%s: %v", tt.body, err)
			}
			continue
		}
		if f := fetchError(t, err); f.Reason != tt.reason {
			t.Errorf("%s: %s %v", tt.body, f.Reason, err)
		}
	}
}

func TestTokenTypeThatNoHeaderCanHoldOrThatIsTheTokenIsIgnored(t *testing.T) {
	for text, want := range map[string]string{`"bearer"`: "bearer", `"N_A"`: "N_A", `"a b"`: "", `"a\r\nb"`: "", `null`: "", `1`: "", `"abc"`: "", `"x.abc"`: "", `""`: ""} {
		e := must(t, simple(newPlatform(t, says(`{"access_token":"abc","token_type":`+text+`}`)).URL))
		if tok, err := e.Fetch(t.Context(), zero); err != nil || tok.Type != want {
			t.Errorf("%s: %q %v", text, tok.Type, err)
		}
	}
}

// TestBoundTokens: a token that takes a proof with each request (RFC 9449) is none that can be used.
func TestBoundTokens(t *testing.T) {
	for _, written := range []string{"DPoP", "dpop"} {
		p := newPlatform(t, func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprintf(w, `{"access_token":%q,"token_type":%q,"expires_in":60}`, testToken, written)
		})
		_, err := must(t, Options{Name: "main", Request: Request{URL: p.URL}, Response: standard()}).Fetch(context.Background(), tokencache.Token{})
		if err == nil || !strings.Contains(err.Error(), "a token of the type DPoP") || !strings.Contains(err.Error(), "type Bearer") {
			t.Errorf("%v", err)
		}
		noLeak(t, err)
	}
}
