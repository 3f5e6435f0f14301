package endpoint

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"authproxy/tokencache"
)

// TestDerived: the functions, by the examples of those who made them up (RFC 1321, RFC 2202, RFC 4231, RFC 4648,
// FIPS 180).
func TestDerived(t *testing.T) {
	sent := time.Date(2026, 3, 1, 23, 4, 5, 0, time.UTC)
	shanghai, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		t.Fatal(err)
	}
	for want, d := range map[string]Value{
		"900150983cd24fb0d6963f7d28e17f72":                                 {Text: "abc", Hash: "md5"},
		"a9993e364706816aba3e25717850c26c9cd0d89d":                         {Text: "abc", Hash: "sha1"},
		"ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=":                     {Text: "abc", Hash: "sha256", As: "base64"},
		"DDAF35A193617ABACC417349AE204131":                                 {Text: "abc", Hash: "sha512", As: "HEX"}, // its beginning
		"effcdf6ae5eb2fa2d27416d5f184df9c259a7c79":                         {Text: "what do ya want for nothing?", HMAC: "sha1", Key: "Jefe"},
		"5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843": {Text: "what do ya want for nothing?", HMAC: "sha256", Key: "{key}"},
		"Zm9v_-4":             {Text: "foo\xff\xee", As: "base64url"},
		"a%20b%2F%7E":         {Text: "a b/\x7e", As: "percent"},
		"abc":                 {Text: "a{b}c"},
		"2026-03-02 07:04:05": {Time: "2006-01-02 15:04:05", Zone: shanghai},
		"20260301T230405Z":    {Time: "20060102T150405Z"},
		"1772406245":          {Text: "{now_s}", As: "number"},
	} {
		d.Name = "v"
		all, faults := compileValues(Options{Secrets: []string{"key", "b"}, Values: []Value{d}})
		if len(faults) > 0 {
			t.Fatal(faults)
		}
		got := all[0].make(values{"key": "Jefe", "b": "b", "now_s": "1772406245"}, sent)
		if d.As == "percent" {
			want = "a%20b%2F~"
		}
		if got != want && !(d.As == "HEX" && strings.HasPrefix(got, want)) {
			t.Errorf("%+v: %q, want %q", d, got, want)
		}
	}
}

// TestValuesInARequest: each value may hold those before it, all are as of one moment, a number stands in JSON
// as one, and what is made of a secret shows in no error.
func TestValuesInARequest(t *testing.T) {
	p := newPlatform(t, func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = w.Write([]byte(`{"error":"invalid_client","message":"bad sign ` + r.URL.Query().Get("sign") + ` of ` + r.URL.Query().Get("ts") + `"}`))
	})
	e := must(t, Options{
		Name: "main", Secrets: names(), Credentials: creds, Response: standardDescribed(),
		Values: []Value{
			{Name: "ts", Text: "{now_ms}", As: "number"},
			{Name: "plain", Text: "appKey{client_id}timestamp{ts}"},
			{Name: "sign", Text: "{plain}", HMAC: "sha256", Key: "{client_secret}", As: "HEX"},
		},
		Request: Request{URL: p.URL + "/t", Query: map[string]string{"sign": "{sign}", "ts": "{ts}"}, JSON: map[string]any{"timestamp": "{ts}", "text": "at {ts}"}},
	})
	_, err := e.Fetch(context.Background(), tokencache.Token{})
	if err == nil {
		t.Fatal("no error")
	}
	seen := p.requests()[0]
	query, _ := url.ParseQuery(strings.TrimPrefix(seen.uri, "/t?"))
	ts := query.Get("ts")
	if len(ts) != 13 || seen.body != `{"text":"at `+ts+`","timestamp":`+ts+`}` {
		t.Errorf("%s %s", seen.uri, seen.body)
	}
	want := derived{Value: Value{HMAC: "sha256", As: "HEX"}}
	v := values{"client_secret": testSecret, "plain": "appKeyidtimestamp" + ts}
	all, _ := compileValues(Options{Secrets: []string{"client_secret", "plain"}, Values: []Value{{Name: "s", Text: "{plain}", HMAC: want.HMAC, Key: "{client_secret}", As: "HEX"}}})
	if sign := all[0].make(v, time.Now()); query.Get("sign") != sign {
		t.Errorf("signed %q, want %q", query.Get("sign"), sign)
	}
	if strings.Contains(err.Error(), query.Get("sign")) || !strings.Contains(err.Error(), "bad sign ***") {
		t.Errorf("%v", err)
	}
}

func standardDescribed() Response {
	r := standard()
	r.Describe = []Selector{at("message")}
	return r
}

// TestFaultsOfValues: each says what to write.
func TestFaultsOfValues(t *testing.T) {
	for want, v := range map[string]Value{
		"values.v: unknown {later}; a value may hold what stands before it":       {Name: "v", Text: "{later}"},
		"values.v: unknown {v}; a value may hold what stands before it":           {Name: "v", Text: "{v}"},
		"values.v: give text or time":                                             {Name: "v"},
		"values.v: give hash or hmac":                                             {Name: "v", Text: "a", Hash: "md5", HMAC: "md5", Key: "k"},
		"values.v: hmac and key belong together":                                  {Name: "v", Text: "a", Key: "k"},
		`values.v: "sha3" is none of md5, sha1, sha256, sha512`:                   {Name: "v", Text: "a", Hash: "sha3"},
		`values.v: "rot13" is none of hex, HEX, base64, base64url, percent, numb`: {Name: "v", Text: "a", As: "rot13"},
		"values.v: a hash is no number":                                           {Name: "v", Text: "a", Hash: "md5", As: "number"},
		"values: the name token is taken; choose another one":                     {Name: "token", Text: "a"},
	} {
		_, err := New(Options{Values: []Value{v, {Name: "later", Text: "x"}}, Request: Request{URL: "https://h/t"}, Response: standard()})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

// FuzzNumber: what stands in JSON as a number is one.
func FuzzNumber(f *testing.F) {
	for _, text := range []string{"0", "-1.5e+3", "1772406245000", "01", "1,\"admin\":true", ""} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		n, err := asNumber(text)
		if err == nil && (!json.Valid([]byte(n)) || strings.Trim(text, "0123456789+-.eE") != "") {
			t.Errorf("%q", text)
		}
	})
}
