package proxy

import (
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"testing"
)

func TestPlacesThatAreNone(t *testing.T) {
	for _, name := range []string{"", "a b", "X-Tökén", "a:"} {
		if _, err := InHeader(name, "Bearer"); err == nil {
			t.Errorf("%q is a header", name)
		}
	}
	if _, err := InQuery(""); err == nil {
		t.Error("a parameter without a name")
	}
	if _, err := New(Options{Target: &url.URL{Scheme: "http", Host: "up"}, Tokens: newTokens(), Transport: &http.Transport{}}); err == nil {
		t.Error("a proxy without a place for the token")
	}
}

// TestStrip: whatever spelling a server may take for the place is taken out, and
// nothing else.
func TestStrip(t *testing.T) {
	fields := func() http.Header {
		return http.Header{"X-Auth-Token": {"a"}, "X_auth_token": {"b"}, "x-AUTH_token": {"c"}, "X-Auth-Tokens": {"d"}, "X-Auth-Tokem": {"e"}}
	}
	left := http.Header{"X-Auth-Tokens": {"d"}, "X-Auth-Tokem": {"e"}}
	for _, name := range []string{"X-Auth-Token", "x_auth_token"} {
		r := &http.Request{Header: fields(), Trailer: fields(), URL: &url.URL{RawQuery: "X-Auth-Token=f"}}
		inHeaderOf(name, "").Strip(r)
		if !reflect.DeepEqual(r.Header, left) || !reflect.DeepEqual(r.Trailer, left) || r.URL.RawQuery != "X-Auth-Token=f" {
			t.Errorf("%s: left %v %v %s", name, r.Header, r.Trailer, r.URL.RawQuery)
		}
	}
	r := &http.Request{Header: http.Header{"T": {"a"}}, URL: &url.URL{RawQuery: "a&t=1;%74=2&b"}}
	newInQuery("t").Strip(r)
	if r.URL.RawQuery != "a&b" || r.Header.Get("T") != "a" {
		t.Errorf("left %v %s", r.Header, r.URL.RawQuery)
	}
}

// TestHeaderOfATokenIsShared: it is made once, for whatever number of requests.
func TestHeaderOfATokenIsShared(t *testing.T) {
	a, r := bearer(), &http.Request{Header: http.Header{}}
	token := Token{Value: "t1"}
	a.Authorize(r, token)
	if n := testing.AllocsPerRun(100, func() { a.Strip(r); a.Authorize(r, token) }); n != 0 {
		t.Errorf("%v allocations per request", n)
	}
	a.Authorize(r, Token{Value: "t2"})
	if got := r.Header.Get("Authorization"); got != "Bearer t2" {
		t.Error(got)
	}
}

// TestOneBearerToken: beside the token the client's own bearer token does not go
// upstream, wherever the token goes; credentials of other schemes do, unless that
// is their place (RFC 6750 section 2).
func TestOneBearerToken(t *testing.T) {
	seen := make(chan http.Header, 1)
	for name, c := range map[string]struct {
		place  Authorizer
		scheme string // that passes
	}{
		"query": {newInQuery("access_token"), "Basic"}, "own header": {inHeaderOf("X-Auth-Token", ""), "Basic"}, "Authorization": {bearer(), ""},
	} {
		f := newFront(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { seen <- r.Header }), place(c.place))
		for sent, passes := range map[string]bool{
			"Authorization: Bearer mine": false, "authorization: bearer mine": false, "AUTHORIZATION: BEARER\tmine": false, "Authorization: Bearer": false, "Authorization:  \tBearer mine": false,
			"Authorization: Bearer mine\r\nAuthorization: Basic bWluZQ==": true, "Authorization: Basic bWluZQ==": true, "Authorization: Bearerx mine": true, "Authorization: Digest username=\"Bearer mine\"": true,
		} {
			f.exchange(t, "GET / HTTP/1.1\r\nHost: x\r\n"+sent+"\r\n\r\n")
			got := <-seen
			own := slices.DeleteFunc(got["Authorization"], func(v string) bool { return v == "Bearer t1" })
			if passes = passes && c.scheme != ""; len(own) > 0 != passes || slices.ContainsFunc(own, isBearer) {
				t.Errorf("%s, %q: %q went upstream", name, sent, got["Authorization"])
			}
		}
	}
}
