package proxy

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
)

func TestQueryPolicy(t *testing.T) {
	p := newPolicy(Options{
		Inject: Inject{Header: "Authorization"},
		Query: Query{
			Set:  map[string]string{"sudo": "loginName:{header.X-Sudo-User}", "v": "1"},
			Drop: []string{"tenantId", "access_token"},
		},
	})
	user := http.Header{"X-Sudo-User": {"a b&c"}}
	for _, c := range []struct {
		client http.Header
		raw    string
		want   string
	}{
		{nil, "", "v=1"},
		{nil, "a=1;b=2&c=%zz&d=+", "a=1;b=2&c=%zz&d=+&v=1"},
		{nil, "sudo=uid:1&v=9&v=8&a", "a&v=1"},
		{nil, "%73udo=uid:1&s%75do=2&a", "a&v=1"},
		{nil, "a=1;sudo=uid:1;b=2", "a=1;b=2&v=1"},
		{nil, "tenantId=1&access_token=x&tenantCode=2", "tenantCode=2&v=1"},
		{nil, "a=sudo&sudoku=1&Sudo=1", "a=sudo&sudoku=1&Sudo=1&v=1"},
		{nil, "&&a", "&&a&v=1"},
		{user, "sudo=uid:1", "sudo=loginName:a+b%26c&v=1"},
	} {
		if got := p.query(c.raw, c.client); got != c.want {
			t.Errorf("%q became %q, want %q", c.raw, got, c.want)
		}
	}
}

func FuzzQueryPolicy(f *testing.F) {
	f.Add("a=1&sudo=2;%73udo=3")
	f.Add("s+udo&%73ud%6F=x&&;=")
	f.Fuzz(func(t *testing.T, raw string) {
		p := newPolicy(Options{Inject: Inject{Query: "access_token"}, Query: Query{Drop: []string{"sudo"}}})
		got := p.query(raw, nil)
		for _, separators := range []string{"&", "&;"} {
			for _, piece := range strings.FieldsFunc(got, func(r rune) bool { return strings.ContainsRune(separators, r) }) {
				name, _, _ := strings.Cut(piece, "=")
				if decoded, err := url.QueryUnescape(name); err == nil && (decoded == "sudo" || decoded == "access_token") {
					t.Errorf("%q became %q", raw, got)
				}
			}
		}
		if !strings.Contains(raw, "sudo") && !strings.Contains(raw, "access_token") && !strings.ContainsAny(raw, "%+") && got != raw {
			t.Errorf("%q became %q", raw, got)
		}
	})
}

func TestHeaderPolicy(t *testing.T) {
	client := http.Header{
		"Content-Type": {"x"}, "User-Agent": {"curl"}, "X-A": {"1", "2"}, "X_b": {"u"}, "X-B": {"h"},
		"Authorization": {"Basic mine"}, "X-Sudo-User": {"joe"}, "X-Forwarded-For": {"1.2.3.4"}, "Forwarded": {"for=x"},
		"Connection": {"Upgrade, forwarded"}, "Upgrade": {"h2c"},
	}
	for name, c := range map[string]struct {
		opts Options
		want []string
	}{
		"everything passes": {Options{}, []string{"Content-Type", "User-Agent", "X-A", "X-B", "X-Forwarded-For", "X-Sudo-User", "X_b"}},
		"allow":             {Options{Headers: Headers{Allow: []string{"content-type"}}}, []string{"Content-Type"}},
		"drop with a twin":  {Options{Headers: Headers{Drop: []string{"x-b", "USER_AGENT"}}}, []string{"Content-Type", "X-A", "X-Forwarded-For", "X-Sudo-User"}},
		"set": {Options{Headers: Headers{Set: map[string]string{"X-User": "u-{header.x-sudo-user}!", "X-None": "{header.None}"}}},
			[]string{"Content-Type", "User-Agent", "X-A", "X-B", "X-Forwarded-For", "X-User", "X_b"}},
		"websocket only": {Options{Upgrades: []string{"websocket"}, Headers: Headers{Allow: []string{"Upgrade"}}}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			c.opts.Inject = Inject{Header: "authorization"}
			out := client.Clone()
			for _, gone := range []string{"X-Forwarded-For", "Forwarded"} { // as ReverseProxy has it
				delete(out, gone)
			}
			newPolicy(c.opts).headers(out, client)
			if got := slices.Sorted(maps.Keys(out)); !slices.Equal(got, c.want) {
				t.Errorf("passed %v, want %v", got, c.want)
			}
			if v := out.Get("X-User"); v != "" && v != "u-joe!" {
				t.Errorf("X-User: %s", v)
			}
		})
	}
}

func TestAmbiguous(t *testing.T) {
	for path, want := range map[string]bool{
		"/": false, "/a/b": false, "//a//b": false, "/a%20b": false, "/%E5%B7%A5": false, "/a..b/...": false, "/a%25": false,
		"/..": true, "/a/../b": true, "/a/%2e%2E/b": true, "/.%2e/": true, "/./": true, "/%2e": true,
		"/a%2fb": true, "/a%5Cb": true, `/a\b`: true, "/a;b": true, "/a%3bb": true, "/%00": true, "/a%zz": true,
	} {
		if got := ambiguous(path); got != want {
			t.Errorf("%s: %v", path, got)
		}
	}
}

func TestAim(t *testing.T) {
	for _, c := range []struct{ target, strip, sent, want string }{
		{"http://h", "", "/", "/"},
		{"http://h/", "", "/a//b/%2F;x/..%2f?q=1;2&%zz", "/a//b/%2F;x/..%2f?q=1;2&%zz"},
		{"http://h", "", "//a/b?", "//a/b?"},
		{"http://h", "", "/^|\"{}<>`", "/^|\"{}<>`"},
		{"http://h/base", "", "/a", "/base/a"},
		{"http://h/base/", "/p/", "/p/a%20b", "/base/a%20b"},
		{"http://h/base", "/p", "/p", "/base/"},
		{"http://h", "/p/", "/p//x", "//x"},
		{"http://h", "", "http://elsewhere:1/x?y", "/x?y"},
		{"http://h/base", "", "http://elsewhere", "/base/"},
	} {
		target, _ := url.Parse(c.target)
		in := httptest.NewRequest("GET", "/", nil)
		u, err := url.ParseRequestURI(c.sent)
		if err != nil {
			t.Fatal(err)
		}
		in.RequestURI, in.URL = c.sent, u
		out := *u
		aim(&out, in, target, c.strip)
		if got := out.RequestURI(); got != c.want || out.Host != "h" {
			t.Errorf("%s with %+v: %s to %s", c.sent, c, got, out.Host)
		}
	}
}

func TestLocation(t *testing.T) {
	for _, c := range []struct{ target, strip, address, want string }{
		{"http://up:8080", "", "http://up:8080/x?y#z", "http://local:1/x?y#z"},
		{"http://up:8080", "", "HTTP://UP:8080", "http://local:1"},
		{"http://up", "", "http://up:80/x", "http://local:1/x"},
		{"https://up", "", "https://up/a%2Fb//c", "http://local:1/a%2Fb//c"},
		{"https://up", "", "//up:443/x", "http://local:1/x"},
		{"https://up", "", "http://up/x", "http://up/x"},
		{"http://up", "", "http://other/x", "http://other/x"},
		{"http://up", "", "http://up.evil/x", "http://up.evil/x"},
		{"http://up", "", "http://me@up/x", "http://me@up/x"},
		{"http://up", "", "/x?u=http://up/", "/x?u=http://up/"},
		{"http://up", "", "x/y", "x/y"},
		{"http://up/base", "", "http://up/base/x", "http://local:1/x"},
		{"http://up/base", "", "/base/x", "/x"},
		{"http://up/base", "", "http://up/basement", "http://up/basement"},
		{"http://up/base/", "/p/", "http://up/base/x", "http://local:1/p/x"},
		{"http://up", "/p/", "/x", "/p/x"},
		{"http://up", "", "::bad::", "::bad::"},
		{"http://up", "", "", ""},
	} {
		target, _ := url.Parse(c.target)
		l := newLocation(Options{Target: target, StripPrefix: c.strip})
		client := httptest.NewRequest("GET", "http://local:1/", nil)
		if got := l.local(c.address, client); got != c.want {
			t.Errorf("%s seen from %s: %s, want %s", c.address, c.target, got, c.want)
		}
	}
}

// TestNoWayRoundARoute: another spelling of a strict route's path does not
// lead to the route that takes the rest.
func TestNoWayRoundARoute(t *testing.T) {
	reached := ""
	named := func(name string) http.Handler {
		return http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached = name })
	}
	rt := NewRouter([]Route{{Path: "/admin/", Strict: true, Handler: named("admin")}, {Handler: named("rest")}}, nil)
	for path, want := range map[string]string{
		"/admin/x": "admin", "/admin": "admin", "/other": "rest", "/a%20b/": "rest", "/x;y": "rest", "/": "rest",
		"/%61dmin/x": "", "//admin/x": "", "/x/../admin/x": "", "/./admin": "", "/x/%2e%2e/admin/": "", "/x%2f..%2fadmin/": "", `/x\..\admin/`: "", "/admin%2fx": "",
		"/admin/../other": "",
	} {
		reached = ""
		r := httptest.NewRequest("GET", "http://h/", nil)
		r.RequestURI = path
		w := httptest.NewRecorder()
		if rt.ServeHTTP(w, r); reached != want || want == "" && w.Header().Get("X-Authproxy-Error") != string(CodeAmbiguousPath) {
			t.Errorf("%s reached %q, %d", path, reached, w.Code)
		}
	}
}

func TestRouter(t *testing.T) {
	named := func(name string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X-Route", name) })
	}
	seen := newRecords()
	rt := NewRouter([]Route{
		{Path: "/a/", Handler: named("a")},
		{Path: "/a/b", Handler: named("ab")},
		{Hosts: []string{"One.local", "two.local"}, Handler: named("host")},
		{Hosts: []string{"two.local"}, Path: "/a/", Handler: named("host-a")},
	}, seen)
	for _, c := range []struct{ host, path, want string }{
		{"x", "/a/x", "a"}, {"x", "/a", "a"}, {"x", "/a/b/c", "ab"}, {"x", "/a/bc", "a"},
		{"ONE.local:8080", "/zzz", "host"}, {"two.local", "/a/b", "host-a"}, {"two.local", "/x", "host"},
		{"x", "/ab", ""}, {"x", "/%61/", ""}, {"[::1]:80", "/", ""},
	} {
		r := httptest.NewRequest("GET", "http://"+c.host+c.path, nil)
		r.RequestURI, r.Host = c.path, c.host
		w := httptest.NewRecorder()
		rt.ServeHTTP(w, r)
		if got := w.Header().Get("X-Route"); got != c.want || c.want == "" && (w.Code != 404 || w.Header().Get("X-Authproxy-Error") != "no_route") {
			t.Errorf("%s%s: %q, %d", c.host, c.path, got, w.Code)
		}
	}
	if len(seen.all) != 3 || seen.all[0].Rejected != CodeNoRoute {
		t.Errorf("recorded %+v", seen.all)
	}
}

// FuzzHeaderPolicy: whatever a client calls its headers, none passes that is
// dropped or set, or that a CGI-style server takes for one of these.
func FuzzHeaderPolicy(f *testing.F) {
	f.Add("Authorization", "x", "Connection")
	f.Add("X_sudo-User", "joe", "x-allowed")
	f.Add("authorization", "", "AUTHORIZATION")
	f.Fuzz(func(t *testing.T, one, value, two string) {
		p := newPolicy(Options{Inject: Inject{Header: "Authorization"}, Headers: Headers{Drop: []string{"X-Internal"}, Set: map[string]string{"X-User": "{header.X-Sudo-User}"}}})
		client := http.Header{}
		client.Add(one, value)
		client.Add(two, value)
		out := client.Clone()
		p.headers(out, client)
		for name, values := range out {
			plain := strings.ToLower(strings.ReplaceAll(name, "_", "-"))
			if plain == "authorization" || plain == "x-internal" || plain == "x-sudo-user" {
				t.Errorf("%q passed from %q and %q", name, one, two)
			}
			if plain == "x-user" && (name != "X-User" || len(values) != 1 || values[0] != client.Get("X-Sudo-User")) {
				t.Errorf("%q: %q came from the client", name, values)
			}
		}
	})
}
