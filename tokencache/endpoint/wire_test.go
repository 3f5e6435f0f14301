package endpoint

import (
	"context"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"authproxy/tokencache"
)

func TestWire(t *testing.T) {
	basic := func(s string) string { return "Basic " + base64.StdEncoding.EncodeToString([]byte(s)) }
	tests := []struct {
		name      string
		request   Request
		uri, body string
		method    string
		header    http.Header
		params    map[string]string
	}{
		{
			name: "JSON and raw basic, no empty scope", method: "POST", uri: "/auth/v1/token/clientCredential",
			request: Request{Method: "POST", URL: "{base_url}/auth/v1/token/clientCredential", Auth: "basic_raw",
				JSON: map[string]any{"grant_type": "client_credentials", "n": 1, "scope": "{scope}", "empty": "", "deep": []any{map[string]any{"p": "<{password}>", "s": "{scope}"}}}},
			params: map[string]string{"scope": ""},
			body:   `{"deep":[{"p":"\u003cpass-word-1\u003e"}],"empty":"","grant_type":"client_credentials","n":1}`,
			header: http.Header{"Content-Type": {"application/json"}, "Authorization": {basic("id:" + testSecret)}},
		},
		{
			name: "form and basic, no empty scope", method: "POST", uri: "/oauth/token",
			request: Request{URL: "{base_url}/oauth/token", Auth: "basic",
				Form: map[string]string{"scope": "{scope}", "grant_type": "client_credentials", "a b": "{client_secret}", "empty": ""}},
			params: map[string]string{"scope": ""},
			body:   "a+b=" + url.QueryEscape(testSecret) + "&empty=&grant_type=client_credentials",
			header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "Authorization": {basic("id:" + url.QueryEscape(testSecret))}},
		},
		{
			name: "query", method: "GET", uri: "/t%2Fx/a?k=" + url.QueryEscape(testSecret) + "&client_id=id&z=%7B%7D",
			request: Request{Method: "GET", URL: "{base_url}/{tenant}/a?k={client_secret}",
				Query: map[string]string{"z": "{}", "client_id": "{client_id}", "none": "{refresh_token}{token}"}},
			params: map[string]string{"tenant": "t/x"},
			header: http.Header{},
		},
		{
			name: "no body at all", method: "POST", uri: "/", request: Request{Method: "POST", URL: "{base_url}/"},
			header: http.Header{},
		},
		{
			name: "headers", method: "PUT", uri: "/",
			request: Request{Method: "PUT", URL: "{base_url}", JSON: []string{"{client_id}"},
				Headers: map[string]string{"x-raw": "a{client_id}%{token}", "x-none": "{token}", "content-type": "text/x-own", "user-agent": "own/1", "Host": "other.example"}},
			body:   `["id"]`,
			header: http.Header{"X-Raw": {"aid%"}, "Content-Type": {"text/x-own"}, "User-Agent": {"own/1"}},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := newPlatform(t, says(`{"access_token":"abc","token_type":"bearer","expires_in":"43199"}`))
			o := Options{Name: "n", Secrets: names(), Credentials: creds, Request: tt.request, Response: standard(), Params: map[string]string{"base_url": p.URL}}
			for k, v := range tt.params {
				o.Params[k] = v
			}
			tok, err := must(t, o).Fetch(context.Background(), tokencache.Token{})
			if err != nil {
				t.Fatal(err)
			}
			if tok.Value != "abc" || tok.Type != "bearer" || tok.Expiry.Sub(tok.Issued) != 43199*time.Second || tok.DeviceID != "" {
				t.Errorf("token is %q %q %v", tok.Value, tok.Type, tok.Expiry.Sub(tok.Issued))
			}
			got := p.requests()[0]
			got.header.Del("Content-Length")
			tt.header.Set("Accept", "application/json")
			if got.method != tt.method || got.uri != tt.uri || got.body != tt.body || !reflect.DeepEqual(got.header, tt.header) {
				t.Errorf("got  %s %s %q %v\nwant %s %s %q %v", got.method, got.uri, got.body, got.header, tt.method, tt.uri, tt.body, tt.header)
			}
			if h := tt.request.Headers["Host"]; h != "" && got.host != h {
				t.Errorf("Host is %q", got.host)
			}
		})
	}
}

func TestNow(t *testing.T) {
	p := newPlatform(t, says(`{"access_token":"abc"}`))
	e := must(t, Options{Response: standard(), Request: Request{Method: "GET", URL: p.URL + "/{now_s}/{now_ms}/{uuid}/{uuid}"}})
	tok, err := e.Fetch(context.Background(), tokencache.Token{})
	if err != nil {
		t.Fatal(err)
	}
	uri := p.requests()[0].uri
	id := `[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}`
	if !regexp.MustCompile(`^/\d{10}/\d{13}/` + id + `/` + id + `$`).MatchString(uri) {
		t.Error(uri)
	}
	if parts := strings.Split(uri, "/"); parts[3] != parts[4] {
		t.Error("two uuids in one request differ")
	}
	if !tok.Expiry.IsZero() || time.Since(tok.Issued) > time.Minute {
		t.Error(tok)
	}
}

func TestDeviceIDIsKept(t *testing.T) {
	p := newPlatform(t, says(`{"access_token":"abc"}`))
	o := Options{Response: standard(), Request: Request{URL: p.URL, Headers: map[string]string{"x-device-id": "{device_id}"}}}
	e := must(t, o)
	first, _ := e.Fetch(context.Background(), tokencache.Token{})
	again, _ := e.Fetch(context.Background(), tokencache.Token{})
	given, _ := must(t, o).Fetch(context.Background(), first)
	other, _ := must(t, o).Fetch(context.Background(), tokencache.Token{})
	if first.DeviceID == "" || again.DeviceID != first.DeviceID || given.DeviceID != first.DeviceID || other.DeviceID == first.DeviceID {
		t.Errorf("%q %q %q %q", first.DeviceID, again.DeviceID, given.DeviceID, other.DeviceID)
	}
	if sent := p.requests()[0].header.Get("X-Device-Id"); sent != first.DeviceID {
		t.Errorf("sent %q", sent)
	}
}

func TestRotatedCredentialsAreSeen(t *testing.T) {
	p := newPlatform(t, says(`{"access_token":"abc"}`))
	secret := "one"
	o := simple(p.URL)
	o.Credentials = func() (map[string]string, error) {
		return map[string]string{"client_id": "i", "client_secret": secret, "base_url": "http://evil.invalid"}, nil
	}
	e := must(t, o)
	for _, secret = range []string{"one", "two"} {
		if _, err := e.Fetch(context.Background(), tokencache.Token{}); err != nil {
			t.Fatal(err)
		}
	}
	if got := p.requests()[1].uri; got != "/token?s=two" {
		t.Error(got)
	}
}

func TestConnectionIsUsedAgain(t *testing.T) {
	for _, status := range []int{200, 401, 500} {
		addrs := map[string]bool{}
		p := newPlatform(t, func(w http.ResponseWriter, r *http.Request) {
			addrs[r.RemoteAddr] = true
			saysStatus(status, `{"access_token":"`+strings.Repeat("a", 9000)+`"}`)(w, r)
		})
		e := must(t, simple(p.URL))
		for range 5 {
			_, _ = e.Fetch(context.Background(), tokencache.Token{})
		}
		if len(addrs) != 1 {
			t.Errorf("%d: %d connections", status, len(addrs))
		}
	}
}

func TestPlacesInTheAnswer(t *testing.T) {
	p := newPlatform(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Subject-Token", "from-header")
		w.Header().Set("X-Ends", "2999-01-02T03:04:05Z")
		_, _ = w.Write([]byte("\xef\xbb\xbf" + `[{"r":{"list":["x","rt"]}}]`))
	})
	e := must(t, Options{Request: Request{URL: p.URL}, Response: Response{
		Token: Selector{Header: "x-subject-token"}, RefreshToken: at("[0].r.list[1]"), ExpiresIn: Selector{Header: "X-Ends"}, ExpiresUnit: "rfc3339",
	}})
	tok, err := e.Fetch(context.Background(), tokencache.Token{})
	if err != nil || tok.Value != "from-header" || tok.Refresh != "rt" || tok.Expiry.Sub(tok.Issued) != maxLifetime {
		t.Errorf("%q %q %v %v", tok.Value, tok.Refresh, tok.Expiry, err)
	}
}

func TestHTTP2SendsNoOtherHeader(t *testing.T) {
	var header http.Header
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header = r.Header.Clone()
		says(`{"access_token":"`+r.Proto+`"}`)(w, r)
	}))
	srv.EnableHTTP2 = true
	srv.StartTLS()
	defer srv.Close()
	transport := srv.Client().Transport.(*http.Transport)
	transport.DisableCompression = true
	e := must(t, Options{Request: Request{Method: "GET", URL: srv.URL}, Response: standard(), Transport: transport})
	tok, err := e.Fetch(t.Context(), tokencache.Token{})
	if err != nil || tok.Value != "HTTP/2.0" || len(header) != 1 || header.Get("Accept") != "application/json" {
		t.Errorf("%q %v %v", tok.Value, header, err)
	}
}
