package endpoint

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"authproxy/tokencache"
)

func refreshing(url string) Options {
	o := simple(url)
	o.Request.URL = "{base_url}/signin"
	o.Refresh = &Request{URL: "{base_url}/refresh", JSON: map[string]any{"refresh_token": "{refresh_token}", "client_id": "{client_id}"}}
	return o
}

func TestRefresh(t *testing.T) {
	last := tokencache.Token{Value: testToken, Refresh: "rt-old-0123456789"}
	tests := []struct {
		name    string
		refresh http.HandlerFunc
		last    tokencache.Token
		seen    []string
		token   string // value and refresh token
	}{
		{"renews", says(`{"access_token":"b","refresh_token":"rt2"}`), last, []string{"/refresh"}, "b rt2"},
		{"keeps the old refresh token", says(`{"access_token":"b"}`), last, []string{"/refresh"}, "b rt-old-0123456789"},
		{"null is none", says(`{"access_token":"b","refresh_token":null}`), last, []string{"/refresh"}, "b rt-old-0123456789"},
		{"none held", says(`{"access_token":"b"}`), zero, []string{"/signin"}, "in rt-in"},
		{"400", saysStatus(400, `{"error":"invalid_grant"}`), last, []string{"/refresh", "/signin"}, "in rt-in"},
		{"401", saysStatus(401, ``), last, []string{"/refresh", "/signin"}, "in rt-in"},
		{"403", saysStatus(403, ``), last, []string{"/refresh", "/signin"}, "in rt-in"},
		{"404", saysStatus(404, ``), last, []string{"/refresh", "/signin"}, "in rt-in"},
		{"302", saysStatus(302, ``), last, []string{"/refresh", "/signin"}, "in rt-in"},
		{"error in a 200", says(`{"code":"INVALID"}`), last, []string{"/refresh", "/signin"}, "in rt-in"},
		{"429", saysStatus(429, ``), last, []string{"/refresh"}, ""},
		{"500", saysStatus(500, ``), last, []string{"/refresh"}, ""},
		{"503", saysStatus(503, ``), last, []string{"/refresh"}, ""},
		{"cut", func(w http.ResponseWriter, _ *http.Request) { hijack(w, "") }, last, []string{"/refresh"}, ""},
		{"slow", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, last, []string{"/refresh"}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := newPlatform(t, func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/refresh" {
					tt.refresh(w, r)
					return
				}
				says(`{"access_token":"in","refresh_token":"rt-in"}`)(w, r)
			})
			tok, err := must(t, refreshing(p.URL)).Fetch(within(t, time.Second), tt.last)
			if tt.token == "" {
				noLeak(t, err)
			} else if err != nil || tok.Value+" "+tok.Refresh != tt.token {
				t.Errorf("%q %q %v", tok.Value, tok.Refresh, err)
			}
			var seen []string
			for _, r := range p.requests() {
				seen = append(seen, r.uri)
			}
			got, _ := json.Marshal(seen)
			if want, _ := json.Marshal(tt.seen); string(got) != string(want) {
				t.Errorf("requests %s, want %s", got, want)
			}
			if body := p.requests()[0].body; tt.seen[0] == "/refresh" && body != `{"client_id":"id","refresh_token":"rt-old-0123456789"}` {
				t.Error(body)
			}
		})
	}
}

// TestRefusedRefreshTokenIsSentOnce: also when the credentials that follow it
// are refused, time and again.
func TestRefusedRefreshTokenIsSentOnce(t *testing.T) {
	p := newPlatform(t, saysStatus(401, `{"error":"invalid_grant"}`))
	e := must(t, refreshing(p.URL))
	for _, last := range []string{"r1", "r1", "r1", "r2", "r2"} {
		if _, err := e.Fetch(t.Context(), tokencache.Token{Value: testToken, Refresh: last}); err == nil {
			t.Error("no error")
		}
	}
	refreshes := 0
	for _, r := range p.requests() {
		if r.uri == "/refresh" {
			refreshes++
		}
	}
	if refreshes != 2 || len(p.requests()) != 7 {
		t.Errorf("%d requests with a refresh token among %d", refreshes, len(p.requests()))
	}
}

// TestObserved: what happened at the endpoint is told, and nothing secret.
func TestObserved(t *testing.T) {
	p := newPlatform(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/refresh" {
			saysStatus(400, `{"error":"invalid_grant","expires_in":"`+testSecret+`"}`)(w, r)
			return
		}
		says(`{"access_token":"`+testToken+`","expires_in":7200}`)(w, r)
	})
	o := refreshing(p.URL)
	o.Request.URL = "{base_url}/signin?s={client_secret}"
	var seen []Record
	o.Observers = []Observer{ObserverFunc(func(s Start) func(Record) {
		return func(r Record) {
			if r.Request != s.Request || r.Method != s.Method || r.URL != s.URL || time.Since(s.Time) < r.Duration {
				t.Errorf("began as %+v, ended as %+v", s, r)
			}
			seen = append(seen, r)
		}
	})}
	e := must(t, o)
	if _, err := e.Fetch(t.Context(), tokencache.Token{Refresh: "rt-old-0123456789"}); err != nil {
		t.Fatal(err)
	}
	p.Close()
	_, _ = e.Fetch(t.Context(), zero)
	e.Close()
	for i := range seen {
		if seen[i].Duration <= 0 {
			t.Errorf("no duration: %+v", seen[i])
		}
		seen[i].Duration = 0
	}
	if len(seen) != 3 || seen[2].Err == nil || seen[2].Status != 0 {
		t.Fatalf("%+v", seen)
	}
	noLeak(t, fmt.Errorf("%+v", seen))
	if want := (Record{Request: "refresh", Method: "POST", URL: p.URL + "/refresh", Status: 400, Body: "application/json, 68 bytes"}); seen[0] != want {
		t.Errorf("%+v, want %+v", seen[0], want)
	}
	if want := (Record{Request: "request", Method: "POST", URL: p.URL + "/signin", Status: 200, Body: "application/json, 68 bytes", Expires: "7200"}); seen[1] != want {
		t.Errorf("%+v, want %+v", seen[1], want)
	}
}

func TestRefreshTokenThatCannotBeSentLeadsToSignIn(t *testing.T) {
	p := newPlatform(t, says(`{"access_token":"in"}`))
	o := refreshing(p.URL)
	o.Refresh.Headers = map[string]string{"X-R": "{refresh_token}"}
	tok, err := must(t, o).Fetch(t.Context(), tokencache.Token{Refresh: "a\nb"})
	if err != nil || tok.Value != "in" || tok.Refresh != "" || len(p.requests()) != 1 {
		t.Error(tok, err, tok.Refresh)
	}
}

func TestCheck(t *testing.T) {
	tests := []struct {
		status   int
		body     string
		auth     string
		good     bool
		verdict  bool // an answer, and not an error
		lifetime time.Duration
	}{
		{200, `{"active":true,"expires_in":"60","token_type":"bearer"}`, "", true, true, time.Minute},
		{200, `{"active":false}`, "", false, true, 0},
		{200, `{}`, "", false, false, 0},
		{200, `<html>`, "", false, false, 0},
		{400, `{"error":"invalid_token"}`, "basic", false, true, 0},
		{401, ``, "", false, true, 0},
		{401, ``, "basic", false, false, 0},
		{403, ``, "", false, true, 0},
		{404, ``, "", false, true, 0},
		{429, ``, "", false, false, 0},
		{500, ``, "", false, false, 0},
	}
	for _, tt := range tests {
		p := newPlatform(t, saysStatus(tt.status, tt.body))
		o := simple(p.URL)
		o.Check = &Request{Method: "GET", Auth: tt.auth, URL: "{base_url}/check?token={token}", OK: []Match{{Path: path("active"), Values: []string{"true"}}}}
		v, err := must(t, o).Check(t.Context(), tokencache.Token{Value: testToken})
		if v.Good != tt.good || (err == nil) != tt.verdict || tt.verdict && (v.Err == nil) != tt.good {
			t.Errorf("%d %s: %+v %v", tt.status, tt.body, v, err)
		}
		if tt.good && (v.Type != "bearer" || time.Until(v.Expiry) > tt.lifetime || time.Until(v.Expiry) < tt.lifetime-10*time.Second) {
			t.Errorf("%+v", v)
		}
		for _, e := range []error{err, v.Err} {
			if e != nil {
				fetchError(t, e)
				noLeak(t, e)
			}
		}
		if uri := p.requests()[0].uri; uri != "/check?token="+testToken {
			t.Error(uri)
		}
	}
}

func TestCheckWithoutOK(t *testing.T) {
	for body, good := range map[string]bool{``: true, `{}`: true, `<html>`: false} {
		o := simple(newPlatform(t, says(body)).URL)
		o.Check = &Request{URL: "{base_url}/check?token={token}"}
		if v, err := must(t, o).Check(t.Context(), tokencache.Token{Value: testToken}); v.Good != good || (err == nil) != good {
			t.Errorf("%q: %v %v", body, v, err)
		}
	}
}

func TestRevoke(t *testing.T) {
	for body, good := range map[string]bool{`{"code":0,"msg":"ok"}`: true, `{"code":7}`: false, `{}`: false} {
		p := newPlatform(t, says(body))
		o := simple(p.URL)
		o.Revoke = &Request{URL: "{base_url}/revoke", JSON: map[string]string{"token": "{token}"}, OK: []Match{{Path: path("code"), Values: []string{"0"}}}}
		err := must(t, o).Revoke(t.Context(), tokencache.Token{Value: testToken})
		if (err == nil) != good {
			t.Errorf("%s: %v", body, err)
		}
		if err != nil {
			noLeak(t, err)
		}
		if got := p.requests()[0].body; got != `{"token":"`+testToken+`"}` {
			t.Error(got)
		}
	}
}

func TestNotSupported(t *testing.T) {
	e := must(t, simple("http://h"))
	if _, err := e.Check(t.Context(), zero); !errors.Is(err, ErrNotSupported) {
		t.Error(err)
	}
	if err := e.Revoke(t.Context(), zero); !errors.Is(err, ErrNotSupported) {
		t.Error(err)
	}
}
