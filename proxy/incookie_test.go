package proxy

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// TestInCookie: the token stands in its cookie, whatever the client had there; the client's other cookies go out
// as they came.
func TestInCookie(t *testing.T) {
	c, err := InCookie("SID")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		sent []string
		want string
	}{
		{nil, "SID=tok"},
		{[]string{"a=1; b=2"}, "a=1; b=2; SID=tok"},
		{[]string{"a=1;b=\"x y\""}, "a=1;b=\"x y\"; SID=tok"},
		{[]string{"SID=mine"}, "SID=tok"},
		{[]string{"a=1; SID=mine; b=2; SID=again"}, "a=1; b=2; SID=tok"},
		{[]string{"a=1", "SID=mine", "b=2"}, "a=1; b=2; SID=tok"},
		{[]string{" SID = mine ;sid=other"}, "sid=other; SID=tok"},
		{[]string{";; ", "a=1;"}, "a=1; SID=tok"},
		{[]string{"SIDX=1; XSID=2; SID"}, "SIDX=1; XSID=2; SID=tok"},
	} {
		req := &http.Request{Header: http.Header{}, Trailer: http.Header{"Cookie": nil}}
		if tt.sent != nil {
			req.Header["Cookie"] = tt.sent
		}
		c.Strip(req)
		if strings.Contains(fmt.Sprint(req.Header), "mine") || len(req.Trailer) > 0 {
			t.Errorf("%q: %v is left", tt.sent, req.Header)
		}
		for range 2 { // a second try
			c.Authorize(req, Token{Value: "tok"})
			if got := req.Header["Cookie"]; len(got) != 1 || got[0] != tt.want {
				t.Errorf("%q: %q, want %q", tt.sent, got, tt.want)
			}
		}
	}
	h := http.Header{"Set-Cookie": {"a=1; Path=/", " SID=next; HttpOnly", "SID=; Max-Age=0"}, "X-Seen": {"session long-session-token-1"}}
	c.Redact(h, Token{Value: "long-session-token-1"})
	if got := fmt.Sprint(h); strings.Contains(got, "SID") || strings.Contains(got, "long-session") || !strings.Contains(got, "a=1; Path=/") {
		t.Error(got)
	}
	h = http.Header{"Set-Cookie": {"SID=next"}}
	if c.Redact(h, Token{}); len(h) > 0 {
		t.Error(h)
	}
	for _, bad := range []string{"", "a b", "a;b", "a=b"} {
		if _, err := InCookie(bad); err == nil {
			t.Errorf("%q", bad)
		}
	}
}
