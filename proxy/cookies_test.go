package proxy

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// jarred is what a client over http, at local:1, gets of a cookie of https://app.up.example.
type jarred struct{ cookie, want string }

func checkCookies(t *testing.T, o Options, over *tls.ConnectionState, cases ...jarred) {
	t.Helper()
	base := "https://app.up.example"
	if o.Target != nil {
		base += o.Target.Path
	}
	o.Target, _ = url.Parse(base)
	client := httptest.NewRequest("GET", "http://local.test:1/", nil)
	client.TLS = over
	for _, c := range cases {
		header := http.Header{"Set-Cookie": {c.cookie}}
		newAddresses(o).rewrite(header, client)
		if got := strings.Join(header["Set-Cookie"], "\n"); got != c.want {
			t.Errorf("%s\nbecame %s\nwant   %s", c.cookie, got, c.want)
		}
	}
}

func below(path string) *url.URL { return &url.URL{Path: path} }

func TestCookiesWithoutTLS(t *testing.T) {
	checkCookies(t, Options{}, nil, []jarred{
		{"SID=1; path=/; secure", "SID=1; path=/"},
		{"SID=1; Secure; HttpOnly", "SID=1; HttpOnly"},
		{"SID=1;SECURE=x;  HttpOnly ;", "SID=1;  HttpOnly ;"},
		{"SID=1; SameSite=None; Secure; Partitioned", "SID=1"},
		{"SID=1; SameSite=None", "SID=1"},
		{"SID=1; samesite = LAX; secured; Expires=Wed, 21 Oct 2026 07:28:00 GMT", "SID=1; samesite = LAX; secured; Expires=Wed, 21 Oct 2026 07:28:00 GMT"},
		{`SID="a; secure; b"; Max-Age=0`, `SID="a; b"; Max-Age=0`}, // no jar minds the quotes
		{"secure; x", "secure; x"},
		{"", ""},
	}...)
}

// TestCookiesOfSecureNames: some jars take these with Secure only, others do not
// send that over http.
func TestCookiesOfSecureNames(t *testing.T) {
	checkCookies(t, Options{PathPrefix: "/p/", StripPrefix: "/p/"}, nil, []jarred{
		{"__Secure-A=1; Path=/; Secure", "__Secure-A=1; Path=/p\n__Secure-A=1; Path=/p; Secure\n__Secure-A=1; Path=/p"},
		{"__Host-A=1; Path=/; Secure; SameSite=None", "__Host-A=1; Path=/\n__Host-A=1; Path=/; Secure; SameSite=None\n__Host-A=1; Path=/"},
		{"__http-a=1; Secure; HttpOnly", "__http-a=1; HttpOnly\n__http-a=1; Secure; HttpOnly\n__http-a=1; HttpOnly"},
		{"__Secure-A=1", "__Secure-A=1"},
		{"A__Secure-=1; Secure", "A__Secure-=1"},
	}...)
}

func TestCookiesOverTLS(t *testing.T) {
	checkCookies(t, Options{}, &tls.ConnectionState{}, []jarred{
		{"SID=1; path=/; secure; SameSite=None; Partitioned", "SID=1; path=/; secure; SameSite=None; Partitioned"},
		{"SID=1; Domain=up.example; Secure", "SID=1; Secure"},
		{"__Host-A=1; Path=/; Secure", "__Host-A=1; Path=/; Secure"},
	}...)
}

func TestCookieDomains(t *testing.T) {
	cases := []jarred{
		{"a=1; Domain=app.up.example", "a=1"},
		{"a=1; domain=.UP.example; HttpOnly", "a=1; HttpOnly"},
		{"a=1; Domain=up.example.", "a=1"},
		{`a=1; Domain="up.example"`, "a=1"},
		{"a=1; Domain=", "a=1"},
		{"a=1; Domain=other; Domain=up.example", "a=1"},
		{"a=1; Domain=up.example; Domain=other", "a=1; Domain=up.example; Domain=other"},
		{"a=1; Domain=other.example", "a=1; Domain=other.example"},
		{"a=1; Domain=p.example", "a=1; Domain=p.example"},
		{"a=1; Domain=x.app.up.example", "a=1; Domain=x.app.up.example"},
		{"a=1; Domain=example", "a=1; Domain=example"},
	}
	checkCookies(t, Options{}, nil, append(cases, jarred{"a=1; Domain=local.test", "a=1; Domain=local.test"})...)
	checkCookies(t, Options{PreserveHost: true}, nil, append(cases, jarred{"a=1; Domain=local.test", "a=1"})...)
	if covers("0.0.1", "127.0.0.1") || !covers("127.0.0.1", "127.0.0.1") {
		t.Error("an address has no domain")
	}
}

func TestCookiePaths(t *testing.T) {
	for name, c := range map[string]struct {
		options Options
		cookies []jarred
	}{
		"the same paths": {Options{}, []jarred{{"a=1; Path=/x/", "a=1; Path=/x/"}, {"a=1; PATH = /", "a=1; PATH = /"}, {"a=1; Path", "a=1; Path"}}},
		"strip_path": {Options{StripPrefix: "/p/", PathPrefix: "/p/"}, []jarred{
			{"a=1; Path=/", "a=1; Path=/p"}, {"a=1; path=/x; b", "a=1; path=/p/x; b"}, {`a=1; Path="/x"`, `a=1; Path="/p/x"`}, {"a=1; Path=", "a=1; Path="}, {"a=1; Path=x", "a=1; Path=x"},
		}},
		"a base path": {Options{Target: below("/v2")}, []jarred{
			{"a=1; Path=/v2", "a=1; Path=/"}, {"a=1; Path=/v2/x", "a=1; Path=/x"}, {"a=1; Path=/", "a=1; Path=/"},
			{"a=1; Path=/v20", "a=1; Path=/v20"}, {"a=1; Path=/other", "a=1; Path=/other"},
		}},
		"both": {Options{Target: below("/a/v2/"), StripPrefix: "/p", PathPrefix: "/p"}, []jarred{
			{"a=1; Path=/a/v2/x", "a=1; Path=/p/x"}, {"a=1; Path=/a", "a=1; Path=/p"}, {"a=1; Path=/b", "a=1; Path=/b"},
		}},
		"a prefix that goes out": {Options{Target: below("/v2"), PathPrefix: "/p/q/"}, []jarred{
			{"a=1; Path=/", "a=1; Path=/p/q"}, {"a=1; Path=/v2/p", "a=1; Path=/p/q"}, {"a=1; Path=/v2/p/q/r", "a=1; Path=/p/q/r"}, {"a=1; Path=/v2/s", "a=1; Path=/s"},
		}},
	} {
		t.Run(name, func(t *testing.T) { checkCookies(t, c.options, nil, c.cookies...) })
	}
}

func TestCookiesKept(t *testing.T) {
	checkCookies(t, Options{KeepCookies: true, StripPrefix: "/p"}, nil, jarred{"a=1; Path=/; Domain=up.example; Secure", "a=1; Path=/; Domain=up.example; Secure"})
}

// FuzzCookies: what a cookie is called and holds stays, and so does every attribute
// that is not about the address.
func FuzzCookies(f *testing.F) {
	for _, s := range []string{"SID=1; path=/; secure", "__Host-a=;Domain=;;", `a="; secure`, "a=1; Path=/x/../y; Domain=.up", "=;=;", "a=1; Max-Age=3; ſecure"} {
		f.Add(s)
	}
	base, _ := url.Parse("https://app.up/base")
	a := newAddresses(Options{Target: base, StripPrefix: "/p/", PathPrefix: "/p/"})
	client := httptest.NewRequest("GET", "http://local:1/", nil)
	f.Fuzz(func(t *testing.T, field string) {
		got := a.localCookies([]string{field}, client)
		if len(got) != 1 && !isSecureByName(field) {
			t.Errorf("%q became %q", field, got)
		}
		kept := others(field)
		for _, one := range got {
			if others(one) != kept {
				t.Errorf("%q became %q", field, one)
			}
		}
		client := *client
		client.TLS = &tls.ConnectionState{}
		if strings.Contains(strings.ToLower(field), "path") || strings.Contains(strings.ToLower(field), "domain") {
			return
		}
		if got := a.localCookies([]string{field}, &client); len(got) != 1 || got[0] != field {
			t.Errorf("over TLS %q became %q", field, got)
		}
	})
}

// others returns a cookie less the attributes that are about its address.
func others(field string) string {
	parts := strings.Split(field, ";")
	out := parts[:1]
	for _, part := range parts[1:] {
		switch name, _ := attribute(part); name {
		case "domain", "path", "secure", "samesite", "partitioned":
		default:
			out = append(out, part)
		}
	}
	return strings.Join(out, ";")
}
