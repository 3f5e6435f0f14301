package door

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"authproxy/proxy"
)

func TestGuard(t *testing.T) {
	passed := false
	seen := &records{}
	guarded := NewGuard(Guard{Hosts: []string{"App.local", "app.localhost", "10.1.2.3"}, Origins: []string{"http://good.example"}},
		http.HandlerFunc(func(http.ResponseWriter, *http.Request) { passed = true }), seen)
	browser := func(more ...string) http.Header {
		h := http.Header{"User-Agent": {"Mozilla/5.0 (X11; Linux x86_64)"}, "Accept-Language": {"en"}}
		for i := 0; i < len(more); i += 2 {
			h[more[i]] = []string{more[i+1]}
		}
		return h
	}
	methods := []string{"GET", "HEAD", "POST", "DELETE", "OPTIONS"} // a GET may do something too, and a preflight is to fail
	for _, c := range []struct {
		name, host string
		header     http.Header
		want       int
	}{
		{"curl", "localhost:8080", nil, 200},
		{"IPv4", "127.0.0.1:8080", nil, 200},
		{"IPv6", "[::1]:8080", nil, 200},
		{"IPv6 without a port", "[::1]", nil, 200},
		{"an allowed host", "app.LOCAL", nil, 200},
		{"rebound name", "evil.example:8080", nil, 421},
		{"a name that begins like ours", "localhost.evil.example", nil, 421},
		{"0.0.0.0", "0.0.0.0:8080", nil, 421},
		{"another loopback address", "127.0.0.2", nil, 421},
		{"no host", "", nil, 421},
		{"brackets that are no pair", "[]::1]", nil, 421},
		{"a name that is whole", "localhost.:8080", nil, 200},
		{"an allowed one that is whole", "app.local.", nil, 200},
		{"two dots", "localhost..", nil, 421},
		{"IPv6 in full", "[0:0:0:0:0:0:0:1]:8080", nil, 200},
		{"IPv4 in IPv6", "[::ffff:127.0.0.1]", nil, 200},
		{"a short address", "127.1", nil, 421},
		{"a port that is none", "localhost:evil", nil, 421},
		{"a port beyond all", "127.0.0.1:65536", nil, 421},
		{"typed into a browser", "localhost", http.Header{"Sec-Fetch-Site": {"none"}}, 200},
		{"a page served through here", "localhost:8080", http.Header{"Sec-Fetch-Site": {"same-origin"}, "Origin": {"http://localhost:8080"}}, 200},
		{"image of a foreign page", "localhost", http.Header{"Sec-Fetch-Site": {"cross-site"}}, 403},
		{"image of a page on another port", "localhost", http.Header{"Sec-Fetch-Site": {"same-site"}}, 403},
		{"fetch of a foreign page", "localhost", http.Header{"Origin": {"https://evil.example"}}, 403},
		{"another port's page", "localhost:8080", http.Header{"Origin": {"http://localhost:3000"}}, 403},
		{"another scheme's page", "localhost:8080", http.Header{"Origin": {"https://localhost:8080"}}, 403},
		{"sandboxed page", "localhost", http.Header{"Origin": {"null"}}, 403},
		{"two origins", "localhost", http.Header{"Origin": {"http://good.example", "http://evil.example"}}, 403},
		{"two values", "localhost", http.Header{"Sec-Fetch-Site": {"none", "cross-site"}}, 403},
		{"an allowed page", "localhost", http.Header{"Origin": {"http://good.example"}, "Sec-Fetch-Site": {"cross-site"}}, 200},
		{"an allowed page's look-alike", "localhost", http.Header{"Origin": {"http://good.example.evil"}}, 403},
		{"an old browser, by a name of this machine", "localhost", browser(), 200},
		{"the same, by a name below localhost", "app.localhost:8080", browser(), 200},
		{"a browser that says nothing, by another name", "app.local", browser(), 403},
		{"the same, by an address", "10.1.2.3:8080", browser(), 403},
		{"the same, hiding its language", "app.local", browser("Accept-Language", ""), 403},
		{"the same, for a foreign page", "app.local", browser("Referer", "http://evil.example/app.local"), 403},
		{"the same, for no page", "app.local", browser("Referer", "http://[broken"), 403},
		{"the same, for a page of another port", "app.local:8080", browser("Referer", "http://app.local:81/"), 403},
		{"the same, for a page served through here", "app.local:8080", browser("Referer", "http://app.local:8080/x"), 200},
		{"the same, for an allowed page", "app.local", browser("Referer", "http://good.example/x"), 200},
		{"the icon of whatever page it shows", "localhost", browser("Sec-Fetch-Site", "same-origin", "Referer", "http://localhost/favicon.ico"), 403},
		{"a program in a browser's name", "app.local", http.Header{"User-Agent": {"Mozilla/4.0 (compatible; MSIE 6.0)"}}, 200},
		{"the same, in its language, with a caller token", "app.local", browser("Authorization", "Bearer t"), 200},
		{"a password in the address of an image", "app.local", browser("Authorization", "Basic dTpw"), 403},
		{"a WebSocket of a foreign page", "localhost", http.Header{"Origin": {"http://evil.example"}, "Upgrade": {"websocket"}, "Connection": {"Upgrade"}}, 403},
	} {
		for _, method := range methods {
			passed = false
			r := httptest.NewRequest(method, "/", nil)
			if strings.HasSuffix(c.header.Get("Referer"), "/favicon.ico") {
				r.RequestURI = "/favicon.ico"
			}
			r.Host, r.Header = c.host, c.header
			w := httptest.NewRecorder()
			guarded.ServeHTTP(w, r)
			if w.Code != c.want || passed != (c.want == 200) {
				t.Errorf("%s, %s: %d, passed %v", c.name, method, w.Code, passed)
			}
		}
	}
	if n := len(seen.all); n != 28*len(methods) || seen.started != n {
		t.Errorf("%d rejections were recorded", n)
	}
}

func TestGuardOfASocket(t *testing.T) {
	guarded := NewGuard(Guard{AnyHost: true}, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	w := httptest.NewRecorder()
	r := httptest.NewRequest("GET", "http://anything/", nil)
	if guarded.ServeHTTP(w, r); w.Code != 200 {
		t.Errorf("%d", w.Code)
	}
	r.Header = http.Header{"User-Agent": {"Mozilla/5.0"}, "Accept-Language": {"en"}} // of a page that another proxy serves
	w = httptest.NewRecorder()
	if guarded.ServeHTTP(w, r); w.Code != 200 {
		t.Errorf("of a browser: %d", w.Code)
	}
	r.Header.Set("Origin", "http://evil.example")
	w = httptest.NewRecorder()
	if guarded.ServeHTTP(w, r); w.Code != 403 {
		t.Errorf("of a page: %d", w.Code)
	}
}

// TestWhereItArrivedIsOurs: a listener on a loopback address of its own is called
// by that address, and by HTTP/1.0, which knows no Host, without one.
func TestWhereItArrivedIsOurs(t *testing.T) {
	guarded := NewGuard(Guard{}, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	for _, c := range []struct {
		local, host, proto string
		want               int
		hint               string
	}{
		{"127.0.0.2", "127.0.0.2:8080", "HTTP/1.1", 200, ""},
		{"127.0.0.2", "127.0.0.2.", "HTTP/1.1", 200, ""},
		{"127.0.0.2", "localhost", "HTTP/1.1", 200, ""},
		{"127.0.0.2", "127.0.0.3:8080", "HTTP/1.1", 421, `the Host "127.0.0.3" is not`},
		{"10.1.2.3", "10.1.2.3", "HTTP/1.1", 421, "allowed_hosts"},
		{"127.0.0.1", "", "HTTP/1.0", 200, ""},
		{"127.0.0.1", "evil.example", "HTTP/1.0", 421, "allowed_hosts"},
		{"127.0.0.1", "", "HTTP/1.1", 421, "names no Host"},
		{"127.0.0.1", "", "HTTP/2.0", 421, "names no Host"},
		{"127.0.0.1", "localhost:evil", "HTTP/1.1", 421, "malformed"},
		{"127.0.0.1", "weda.local:8080", "HTTP/1.1", 421, `the Host "weda.local" is not`},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r = r.WithContext(context.WithValue(t.Context(), http.LocalAddrContextKey, &net.TCPAddr{IP: net.ParseIP(c.local)}))
		r.Host = c.host
		r.ProtoMajor, r.ProtoMinor, _ = http.ParseHTTPVersion(c.proto)
		w := httptest.NewRecorder()
		var answer struct{ Error struct{ Message string } }
		if guarded.ServeHTTP(w, r); w.Code == c.want && c.hint != "" {
			if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
				t.Fatal(err)
			}
		}
		if w.Code != c.want || !strings.Contains(answer.Error.Message, c.hint) {
			t.Errorf("%s at %s, %s: %d %s", c.host, c.local, c.proto, w.Code, answer.Error.Message)
		}
	}
}

// FuzzGuard compares the guard with a plain statement of what it lets in.
func FuzzGuard(f *testing.F) {
	f.Add("localhost:8080", "", "")
	f.Add("[::1]", "http://good.example", "cross-site")
	f.Add("127.0.0.1:1", "http://127.0.0.1:1", "same-origin")
	f.Add("LOCALHOST.", "null", "none")
	f.Add("127.0.0.1:1", "http://@127.0.0.1:1", "same-origin")
	f.Add("127.0.0.1:1", "http://127.0.0.1:1/path?query", "same-origin")
	f.Fuzz(func(t *testing.T, host, origin, site string) {
		passed := false
		guarded := NewGuard(Guard{Origins: []string{"http://good.example"}}, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { passed = true }))
		r := httptest.NewRequest("GET", "/", nil)
		r.Host, r.Header = host, http.Header{}
		if origin != "" {
			r.Header.Set("Origin", origin)
		}
		if site != "" {
			r.Header.Set("Sec-Fetch-Site", site)
		}
		guarded.ServeHTTP(httptest.NewRecorder(), r)
		if !passed {
			return
		}
		if !regexp.MustCompile(`(?i)\A((localhost|127\.0\.0\.1)\.?(:\d*)?|(\[[0:.f]*:(0*1|127\.0\.0\.1|7f00:0*1)\])(:\d*)?|[0:]+:0*1)\z`).MatchString(host) {
			t.Errorf("Host %q passed", host)
		}
		page := origin == "" || origin == "http://good.example" || strings.EqualFold(origin, "http://"+host)
		if !page || origin == "" && site != "" && site != "none" && site != "same-origin" {
			t.Errorf("Origin %q, Sec-Fetch-Site %q passed at Host %q", origin, site, host)
		}
	})
}

// TestNoRequestOfHTTP: what a server may let through that is none stops here.
func TestNoRequestOfHTTP(t *testing.T) {
	guard := NewGuard(Guard{}, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	for _, c := range []struct {
		major       int
		method, uri string
		want        proxy.Code
	}{
		{1, "GET", "/x", ""}, {2, "GET", "/x", ""}, {2, "OPTIONS", "*", ""}, {1, "GET", "http://localhost/x", ""}, {2, "CONNECT", "localhost:443", ""},
		{2, "GET /x HTTP/1.1", "/x", proxy.CodeMethodNotSupported}, {1, "G(ET", "/x", proxy.CodeMethodNotSupported}, {2, "", "/x", proxy.CodeMethodNotSupported},
		{2, "GET", "http://localhost/x", proxy.CodeAmbiguousPath}, {2, "GET", "x", proxy.CodeAmbiguousPath}, {3, "GET", "", proxy.CodeAmbiguousPath},
	} {
		r := httptest.NewRequest("GET", "http://localhost/x", nil)
		r.ProtoMajor, r.Method, r.RequestURI = c.major, c.method, c.uri
		w := httptest.NewRecorder()
		guard.ServeHTTP(w, r)
		if got := proxy.Code(w.Header().Get("X-Authproxy-Error")); got != c.want {
			t.Errorf("%+v: %q", c, got)
		}
	}
}
