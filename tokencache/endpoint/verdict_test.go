package endpoint

import (
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"authproxy/tokencache"
)

// TestWhoseFault: only what speaks of the credentials keeps them from being tried
// again soon.
func TestWhoseFault(t *testing.T) {
	const status, credentials, bad = tokencache.ReasonStatus, tokencache.ReasonCredentials, tokencache.ReasonBadAnswer
	for _, c := range []struct {
		status int
		retry  string
		body   string
		want   tokencache.Reason
	}{
		{401, "", `{"error":"invalid_client"}`, credentials},
		{401, "", `<html>`, credentials},
		{401, "", `{"error":"temporarily_unavailable"}`, status},
		{400, "", `{"error":"invalid_client"}`, credentials},
		{400, "", `{"error":"unknown_error"}`, status},
		{400, "", `{"error":"Server_Error"}`, status},
		{400, "", `{"error":"slow_down"}`, status},
		{400, "", `{"code":500,"message":"x"}`, status},
		{400, "", `Bad Request`, status},
		{400, "", ``, status},
		{403, "", `<html>Request blocked`, status},
		{403, "2", `{}`, status},
		{403, "", `{}`, credentials},
		{403, "", `{"error":"temporarily_unavailable"}`, status},
		{404, "", `{"error":"x"}`, status},
		{408, "", `{"error":"invalid_client"}`, status},
		{425, "", ``, status},
		{429, "", `{"error":"invalid_client"}`, status},
		{500, "", `{"error":"invalid_client"}`, status},
		{501, "", ``, status},
		{200, "", `{"code":"INVALID_CREDENTIALS"}`, credentials},
		{200, "", `{"code":-1}`, status},
		{200, "", `{"code":"429"}`, status},
		{200, "", `{"code":0,"data":{"tokn":"x"}}`, bad},
		{200, "", `{"code":"SUCCESS"}`, bad},
		{200, "", `{"errcode":40001}`, bad}, // nobody has said that a code stands there
		{200, "", `{"state":"wrong secret"}`, credentials},
		{200, "", `{"state":"maintenance until 6"}`, status},
		{503, "", `{"state":"wrong secret"}`, credentials},
		{429, "", `{"state":"wrong secret"}`, credentials},
		{401, "", `{"state":"wrong secret","error":"temporarily_unavailable"}`, credentials},
		{200, "", `{"state":"wrong secret","code":-1}`, credentials},
		{200, "", `{"state":"wrong secret","access_token":"abc"}`, credentials},
		{200, "", `{"state":"wrong or maintenance"}`, status}, // both: busy is looked at first
		{401, "", `{"state":"maintenance"}`, status},
		{200, "", `{"state":"maintenance","access_token":"abc"}`, status},
		{200, "", `{"access_token":null,"code":-1}`, status},
		{200, "", `{"access_token":"a b","code":-1}`, status},
		{404, "", `{"state":"wrong secret"}`, credentials},
	} {
		o := simple(newPlatform(t, func(w http.ResponseWriter, r *http.Request) {
			if c.retry != "" {
				w.Header().Set("Retry-After", c.retry)
			}
			saysStatus(c.status, c.body)(w, r)
		}).URL)
		o.Response.Refused = []Match{{Path: path("state"), Values: []string{"wrong*"}}}
		o.Response.Busy = []Match{{Path: path("state"), Values: []string{"*maintenance*"}}}
		_, err := must(t, o).Fetch(t.Context(), zero)
		if f := fetchError(t, err); f.Reason != c.want {
			t.Errorf("%d %s: %s, want %s: %v", c.status, c.body, f.Reason, c.want, err)
		}
	}
}

// TestRefreshTokenBehindAFirewall: what stands in front of the platform does not
// keep the credentials from being tried, and a busy platform does.
func TestRefreshTokenBehindAFirewall(t *testing.T) {
	for body, want := range map[string]int{"<html>": 2, `{"error":"temporarily_unavailable"}`: 1, `{"error":"invalid_grant"}`: 2} {
		p := newPlatform(t, saysStatus(400, body))
		_, err := must(t, refreshing(p.URL)).Fetch(t.Context(), tokencache.Token{Value: "v", Refresh: "rt-old-0123456789"})
		fetchError(t, err)
		if got := len(p.requests()); got != want {
			t.Errorf("%s: %d requests, want %d", body, got, want)
		}
	}
}

// TestRetryAfterIsCountedOnTheClockOfTheAnswer, also in a success that is none.
func TestRetryAfterIsCountedOnTheClockOfTheAnswer(t *testing.T) {
	ahead := time.Now().Add(50 * time.Minute).UTC()
	for _, c := range []struct {
		status int
		body   string
		wait   time.Duration
	}{{503, "", 2 * time.Second}, {200, `{"code":-1}`, 2 * time.Second}, {429, "", 0}} {
		_, err := must(t, simple(newPlatform(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Date", ahead.Format(http.TimeFormat))
			w.Header().Set("Retry-After", ahead.Add(c.wait).Format(http.TimeFormat))
			saysStatus(c.status, c.body)(w, r)
		}).URL)).Fetch(t.Context(), zero)
		if f := fetchError(t, err); f.RetryAfter != c.wait {
			t.Errorf("%d: %v", c.status, f.RetryAfter)
		}
	}
}

func TestWhatThePlatformSaysIsQuoted(t *testing.T) {
	long := strings.Repeat("好", 300)
	for _, c := range []struct {
		body        string
		parts, none []string
	}{
		{`{"error":"invalid_scope","error_description":"no scope x"}`, []string{"(invalid_scope; error_description: no scope x; header:X-Request-Id: from the header): check scopes"}, []string{"client_secret"}},
		{`{"error":"invalid_client","requestId":"79e7"}`, []string{"(invalid_client; requestId: 79e7; header:X-Request-Id: from the header): check client_id", "client_secret_post"}, nil},
		{`{"error":"unsupported_grant_type"}`, []string{"check grant_type"}, nil},
		{`{"error":"invalid_target"}`, []string{"resource and audience"}, nil},
		{`{"error":"x","error_description":"user user-name-1 gave pass-word-1, not ` + testToken + `"}`, []string{"error_description: user *** gave ***, not ***"}, nil},
		{`{"error":"x","error_description":"pass-word-1"}`, []string{"(x; header:X-Request-Id: from the header): check"}, []string{"***"}},
		{`{"error":"x","error_description":"id is id"}`, []string{"error_description: *** is ***"}, nil},
		{`{"error":"x","error_description":"a\nb\u0000c\u202ed\u0085"}`, []string{"a b?c?d"}, nil},
		{`{"error":"x","error_description":"` + long + `"}`, []string{strings.Repeat("好", 199) + "…"}, []string{strings.Repeat("好", 200)}},
		{`{"error":"x","error_description":{"deep":"pass-word-1"}}`, []string{"(x; header:X-Request-Id: from the header): check"}, nil},
		{`{"error":"x","error_description":"` + strings.Repeat("a", 797) + `pass-word-1"}`, []string{"aaa…"}, []string{"pass-"}},
	} {
		o := simple(newPlatform(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-Request-Id", "from the header")
			saysStatus(401, c.body)(w, r)
		}).URL)
		o.Response.Describe = []Selector{at("error_description"), at("requestId"), {Header: "X-Request-Id"}}
		_, err := must(t, o).Fetch(t.Context(), tokencache.Token{Value: testToken})
		contains(t, err.Error(), c.parts...)
		for _, no := range c.none {
			if strings.Contains(err.Error(), no) {
				t.Errorf("%q is in %v", no, err)
			}
		}
		noLeak(t, err)
	}
}

func TestMembersOfAnAnswerWithoutAToken(t *testing.T) {
	for body, want := range map[string]string{
		`{"data":{"tokn":"x","ttl":1},"ok":true,"list":[]}`: "; its members are data.tokn, data.ttl, list, ok: check",
		`[{"a":1}]`:                             "bytes: check",
		`{"pass-word-1":1}`:                     "bytes; its members are : check",
		`{"` + strings.Repeat("k", 99) + `":1}`: "; its members are " + strings.Repeat("k", 39) + "…: check",
		`{"a":1,"b":1,"c":1,"d":1,"e":1,"f":1,"g":1,"h":1,"i":1,"j":1,"k":1,"l":1,"m":1}`: "i, j, k, l, ...: check",
	} {
		_, err := must(t, simple(newPlatform(t, says(body)).URL)).Fetch(t.Context(), zero)
		contains(t, err.Error(), want)
		noLeak(t, err)
	}
}

func TestTokenTypeThatHoldsASecret(t *testing.T) {
	for body, want := range map[string]string{`"pass-word-1"`: "", `"x-Pass-Word-1"`: "", `"bearer"`: "bearer"} {
		tok, err := must(t, simple(newPlatform(t, says(`{"access_token":"abc","token_type":`+body+`}`)).URL)).Fetch(t.Context(), zero)
		if err != nil || tok.Type != want {
			t.Errorf("%s: %q, %v", body, tok.Type, err)
		}
	}
}

func TestHeadersOfOurOwn(t *testing.T) {
	for _, c := range []struct {
		own           map[string]string
		agent, accept string
	}{
		{nil, "authproxy/1", "application/json"},
		{map[string]string{"User-Agent": "", "accept": ""}, "", ""},
		{map[string]string{"user-agent": "Mine", "Accept": "text/plain"}, "Mine", "text/plain"},
	} {
		p := newPlatform(t, says(`{"access_token":"abc"}`))
		o := simple(p.URL)
		o.UserAgent, o.Request.Headers = "authproxy/1", c.own
		if _, err := must(t, o).Fetch(t.Context(), zero); err != nil {
			t.Fatal(err)
		}
		h := p.requests()[0].header
		if h.Get("User-Agent") != c.agent || h.Get("Accept") != c.accept || c.accept == "" && len(h["Accept"]) > 0 {
			t.Errorf("%v: %v", c.own, h)
		}
	}
}

// TestPlainHTTPToAPortForTLS: the servers that say so are believed.
func TestPlainHTTPToAPortForTLS(t *testing.T) {
	secure := httptest.NewUnstartedServer(says(`{}`))
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	secure.StartTLS()
	defer secure.Close()
	urls := []string{strings.Replace(secure.URL, "https:", "http:", 1)}
	for _, page := range []string{
		"<html>\r\n<head><title>400 The plain HTTP request was sent to HTTPS port</title></head>\r\n",
		"Reason: You're speaking plain HTTP to an SSL-enabled server port.<br />",
		"Bad Request\nThis combination of host and port requires TLS.",
	} {
		urls = append(urls, newPlatform(t, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, page)
		}).URL)
	}
	for _, url := range urls {
		_, err := must(t, simple(url)).Fetch(within(t, 5*time.Second), zero)
		contains(t, err.Error(), "write https:// in the URL")
	}
}
