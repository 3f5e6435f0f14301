package door

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"authproxy/proxy"
)

// TestNoWayRoundARoute: another spelling of a strict route's path does not
// lead to the route that takes the rest.
func TestNoWayRoundARoute(t *testing.T) {
	reached := ""
	named := func(name string) http.Handler {
		return http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached = name })
	}
	rt := NewRouter([]Route{{Path: "/admin/", Strict: true, Handler: named("admin")}, {Handler: named("rest")}})
	for path, want := range map[string]string{
		"/admin/x": "admin", "/admin": "admin", "/%61dmin/x": "admin", "/other": "rest", "/a%20b/": "rest", "/x;y": "rest", "/": "rest",
		"//admin/x": "", "/x/../admin/x": "", "/./admin": "", "/x/%2e%2e/admin/": "", "/x%2f..%2fadmin/": "", `/x\..\admin/`: "", "/admin%2fx": "",
		"/admin/../other": "",
		// What single servers read otherwise: Tomcat's parameters, a second decoding, Windows' names, nginx' fragments.
		"/x/..;/admin/x": "", "/admin;y/x": "", "/x/.;a/../admin/x": "", "/x/..%3b/admin/x": "", "/x/..;/admin/%252e%252e/y": "",
		"/%2561dmin/x": "", "/x/%252e%252e/admin/x": "", "/x/%25252e%25252e/admin": "", "/admin%252fx": "", "/%c0%ae/x/%c0%ae%c0%ae/admin": "",
		"/ADMIN/x": "", "/Admin": "", "/admin./x": "", "/admin%20/x": "", "/admin#/x": "", "/admin%23/x": "", "/admin%3f/x": "", "/admin%00": "", `/x%5c..%5cadmin`: "",
		"/administrator;x/y": "rest", "/x;y/..z/admin/": "rest", "/x/admin/": "rest", "/a.b/c.": "rest", "/%25/": "rest", "/a%2fb": "rest", "/...": "rest", "/%ff": "rest",
	} {
		reached = ""
		r := httptest.NewRequest("GET", "http://h/", nil)
		r.RequestURI = path
		w := httptest.NewRecorder()
		if rt.ServeHTTP(w, r); reached != want || want == "" && w.Header().Get("X-Authproxy-Error") != string(proxy.CodeAmbiguousPath) {
			t.Errorf("%s reached %q, %d", path, reached, w.Code)
		}
	}
}

// TestStrictRoutes: each route with rules of its own keeps its paths, and what
// concerns none of them passes.
func TestStrictRoutes(t *testing.T) {
	named := func(name string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X-Route", name) })
	}
	rt := NewRouter([]Route{
		{Path: "/api/", Strict: true, Handler: named("api")},
		{Path: "/api/Admin/", Strict: true, Handler: named("admin")},
		{Path: "/a/", Handler: named("a")},
		{Path: "/b/", Handler: named("b")},
		{Handler: named("rest")},
	})
	for path, want := range map[string]string{
		"/api/x": "api", "/api/Admin/x": "admin", "/api/Items(1)/a.b": "api", "/a/Items(1)/a.b": "a",
		"/api/admin/x": "", "/api/ADMIN": "", "/api/x/../Admin/y": "", "/a/../api/x": "", "/API/x": "",
		"//a/x": "rest", "/a/../b/x": "a", "/b/%2e%2e/x": "b", "/A/x": "rest",
	} {
		r := httptest.NewRequest("GET", "http://h/", nil)
		r.RequestURI = path
		w := httptest.NewRecorder()
		rt.ServeHTTP(w, r)
		if got := w.Header().Get("X-Route"); got != want || want == "" && w.Header().Get("X-Authproxy-Error") != string(proxy.CodeAmbiguousPath) {
			t.Errorf("%s reached %q, %d", path, got, w.Code)
		}
	}
}

func TestRouter(t *testing.T) {
	named := func(name string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X-Route", name) })
	}
	seen := &records{}
	rt := NewRouter([]Route{
		{Path: "/a/", Handler: named("a")},
		{Path: "/a/b", Handler: named("ab")},
		{Hosts: []string{"One.local", "two.local"}, Handler: named("host")},
		{Hosts: []string{"two.local"}, Path: "/a/", Handler: named("host-a")},
	}, seen)
	for _, c := range []struct{ host, path, want string }{
		{"x", "/a/x", "a"}, {"x", "/a", "a"}, {"x", "/a/b/c", "ab"}, {"x", "/a/bc", "a"},
		{"ONE.local:8080", "/zzz", "host"}, {"two.local", "/a/b", "host-a"}, {"two.local", "/x", "host"},
		{"x", "/ab", ""}, {"x", "/%61/", "a"}, {"x", "/%2561/", ""}, {"[::1]:80", "/", ""},
	} {
		r := httptest.NewRequest("GET", "http://"+c.host+c.path, nil)
		r.RequestURI, r.Host = c.path, c.host
		w := httptest.NewRecorder()
		rt.ServeHTTP(w, r)
		if got := w.Header().Get("X-Route"); got != c.want || c.want == "" && (w.Code != 404 || w.Header().Get("X-Authproxy-Error") != "no_route") {
			t.Errorf("%s%s: %q, %d", c.host, c.path, got, w.Code)
		}
	}
	if len(seen.all) != 3 || seen.all[0].Rejected != proxy.CodeNoRoute || seen.all[0].Err == nil || !strings.Contains(seen.all[0].Err.Error(), "hosts and path") {
		t.Errorf("recorded %+v", seen.all)
	}
}

// TestStrictRoutesInAnyScript: no spelling of a strict route's path that some server takes
// for it leads past its rules.
func TestStrictRoutesInAnyScript(t *testing.T) {
	named := func(name string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X-Route", name) })
	}
	rt := NewRouter([]Route{
		{Path: "/%C3%84rzte/", Strict: true, Handler: named("doctors")},
		{Path: "/admin/", Strict: true, Handler: named("admin")},
		{Path: "/%E5%B7%A5/", Strict: true, Handler: named("work")},
		{Handler: named("rest")},
	})
	for path, want := range map[string]string{
		"/%C3%84rzte/x": "doctors", "/%c3%84rzte/x": "doctors", "/admin/x": "admin", "/%E5%B7%A5/x": "work", "/%e5%b7%a6/x": "rest",
		"/%C3%A4rzte/x": "", "/%C3%A4RZTE": "", "/A%CC%88rzte/x": "", "/a%CC%88rzte/x": "", "/%25C3%25A4rzte/x": "",
		"/%EF%BD%81dmin/x": "", "/%EF%BC%A1DMIN/x": "", "/%E1%B4%AEdmin/x": "rest", "/%E2%93%90dmin/x": "",
		"/%c1%a1dmin/x": "", "/%e0%81%a1dmin/x": "", "/%f0%80%81%a1dmin/x": "", "/adm%C4%B1n/x": "rest", "/ad%C5%BFin/x": "rest",
		"/a/x": "rest", "/%C3%96l/x": "rest",
	} {
		r := httptest.NewRequest("GET", "http://h/", nil)
		r.RequestURI = path
		w := httptest.NewRecorder()
		rt.ServeHTTP(w, r)
		if got := w.Header().Get("X-Route"); got != want || want == "" && w.Header().Get("X-Authproxy-Error") != string(proxy.CodeAmbiguousPath) {
			t.Errorf("%s reached %q, %d, want %q", path, got, w.Code, want)
		}
	}
}
