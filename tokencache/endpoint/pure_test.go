package endpoint

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"authproxy/internal/template"
)

func TestTemplates(t *testing.T) {
	v := values{"base_url": "http://h:1/b?x=1&y", "client_id": "a/b c&d%?ü", "token": ""}
	tests := []struct {
		template, text, url string
		absent              bool
	}{
		{"", "", "", false},
		{"{token}", "", "", true},
		{"{token}{refresh_token}", "", "", true},
		{"{token} ", " ", " ", false},
		{"{client_id}", v["client_id"], v["client_id"], false},
		{"x{client_id}?{client_id}", "x" + v["client_id"] + "?" + v["client_id"], "xa%2Fb%20c&d%25%3F%C3%BC?a%2Fb+c%26d%25%3F%C3%BC", false},
		{"{base_url}{client_id}", v["base_url"] + v["client_id"], v["base_url"] + "a%2Fb+c%26d%25%3F%C3%BC", false},
		{"{{token}}", "{}", "{}", false},
		{"{Token} {} { {1a} {a-b}", "{Token} {} { {1a} {a-b}", "{Token} {} { {1a} {a-b}", false},
	}
	for _, tt := range tests {
		c := template.Parse(tt.template)
		if got := c.Fill(v.of); got != tt.text {
			t.Errorf("%q: text %q, want %q", tt.template, got, tt.text)
		}
		if got := c.FillURL(v.inURL); got != tt.url {
			t.Errorf("%q: url %q, want %q", tt.template, got, tt.url)
		}
		if got := c.Absent(v.of); got != tt.absent {
			t.Errorf("%q: absent %v", tt.template, got)
		}
	}
	slash := template.Parse("{base_url}/x").FillURL(values{"base_url": "http://h/"}.inURL)
	if slash != "http://h/x" {
		t.Error(slash)
	}
}

func TestShownURLHoldsParamsOnly(t *testing.T) {
	got := shown(template.Parse("https://{env}.h/{client_secret}/{token}?a={env}"), map[string]string{"env": "e1"})
	if got != "https://e1.h/{client_secret}/{token}" {
		t.Error(got)
	}
}

func TestSecretsAreSeenInAnyEncoding(t *testing.T) {
	var s secrets
	s.add("Geheim/1234 567", "")
	s.addPair("id", "Geheim/1234 567")
	for _, text := range []string{"Geheim/1234 567", "xGEHEIM%2f1234+567x", "R2VoZWltLzEyMzQgNTY3", "47656865696d2f3132333420353637", "Geheim/1", "bad_Geheim/1", "bad_eim/1234_56", "aWQ6R2VoZWltLzEyMzQgNTY3"} {
		if !s.in(text) {
			t.Errorf("%q passes", text)
		}
	}
	for _, text := range []string{"", "INVALID_CREDENTIALS", "Geheim", "bad_Geheim/", "invalid_grant"} {
		if s.in(text) {
			t.Errorf("%q is held back", text)
		}
	}
}

func TestMediaTypeBesideAClientID(t *testing.T) {
	var s secrets
	s.add("legacy-application")
	for media, want := range map[string]string{
		"application/json": "application/json, 2 bytes", "text/html; charset=utf-8": "text/html, 2 bytes",
		"application/legacy-application": "no media type, 2 bytes", "legacy-application/json": "no media type, 2 bytes",
	} {
		a := answer{header: http.Header{"Content-Type": {media}}, size: 2}
		if got := a.describe(&s); got != want {
			t.Errorf("%s: %s, want %s", media, got, want)
		}
	}
}

func TestNewFindsAllFaults(t *testing.T) {
	_, err := New(Options{
		Secrets: names(),
		Params:  map[string]string{"token": "x", "Bad": "x", "crlf": "a\r\nb", "ok": "1"},
		Request: Request{
			Method: "P OST", URL: "ftp://u:p@h/{nope}", Auth: "digest", JSON: map[string]any{"a": []any{"{nope2}"}}, Form: map[string]string{"f": "{nope3}"},
			Headers: map[string]string{"a b": "", "x-a": "", "X-A": "", "Content-Length": "1"}, OK: []Match{{}},
		},
		Refresh:  &Request{URL: "https://user@h/", Auth: "basic", Headers: map[string]string{"authorization": "x"}},
		Check:    &Request{URL: "https://h/#f"},
		Revoke:   &Request{URL: "https://h/", Headers: map[string]string{"X-P": "{crlf}"}, JSON: func() {}},
		Response: Response{ExpiresUnit: "weeks", TokenType: Selector{Path: path("a"), Header: "b"}, OK: []Match{{Path: path("a")}}, Error: []Selector{{}}},
	})
	if err == nil {
		t.Fatal("no fault")
	}
	contains(t, err.Error(), "the name token is taken", `the name "Bad"`, "request.url: unknown {nope}; known are Bad, client_id", "request.json.a[0]: unknown {nope2}",
		"request.form.f: unknown {nope3}", "request.form: give either", "request.method", "request.auth", "request.headers.a b", "given twice", "Content-Length", "request.ok",
		"request: the URL must begin", "refresh.headers.authorization: give either", "refresh: no user", "check: no fragment", "revoke: the value of the header X-P", "revoke.json",
		"response.token:", "response.token_type", "response.expires_unit", "response.ok", "response.error")
	if strings.Contains(err.Error(), "{ok}") || strings.Contains(err.Error(), "p@h") {
		t.Error(err)
	}
}

func TestNewWithNothing(t *testing.T) {
	if e, err := New(Options{}); err == nil || e != nil {
		t.Error(e, err)
	}
}

func TestUnusableValuesAreNotSent(t *testing.T) {
	sent := errors.New("sent")
	for name, o := range map[string]Options{
		"header": {Request: Request{URL: "http://h/", Headers: map[string]string{"x": "{client_secret}"}}},
		"colon":  {Request: Request{URL: "http://h/", Auth: "basic_raw"}},
		"no id":  {Request: Request{URL: "http://h/", Auth: "basic", Headers: map[string]string{}}},
		"utf8":   {Request: Request{URL: "http://h/", JSON: "{password}"}},
	} {
		o.Secrets, o.Response, o.Transport = names(), standard(), roundTripper(func(*http.Request) (*http.Response, error) { return nil, sent })
		o.Credentials = func() (map[string]string, error) {
			c := map[string]string{"client_id": "a:b", "client_secret": "a\r\nX: b-secret", "password": "\xff\xfe-secret"}
			if name == "no id" {
				c["client_id"] = ""
			}
			return c, nil
		}
		_, err := must(t, o).Fetch(t.Context(), zero)
		if f := fetchError(t, err); f.Reason != "credentials" || strings.Contains(err.Error(), "-secret") {
			t.Errorf("%s: %s %v", name, f.Reason, err)
		}
	}
}

func TestBases(t *testing.T) {
	o := simple("http://sh.example.com")
	o.Request.URL, o.Revoke = "https://{username}.example.com:8443/{client_id}", &Request{URL: "{base_url}/{token}"}
	var got []string
	for _, b := range must(t, o).Bases() {
		got = append(got, b.String())
	}
	if want := []string{"https://x.example.com:8443", "http://sh.example.com"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
