package main_test

import (
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"authproxy/cmd/authproxy/authproxytest"
)

// sessions is a platform with cookies, as platforms with TLS of their own set them.
func sessions() http.Handler {
	mux := http.NewServeMux()
	set := func(path string, cookies ...string) {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) { w.Header()["Set-Cookie"] = cookies })
	}
	set("/v2/in/login",
		"SID=1; path=/; secure",
		"DOMAIN=1; Domain=platform.example; Path=/v2; HttpOnly",
		"DOTTED=1; Domain=.Platform.example",
		"FOLDER=1; Path=/v2/in; Secure; SameSite=None; Partitioned",
		"__Secure-S=1; Secure; Path=/",
		"__Host-H=1; Secure; Path=/; HttpOnly",
		"ELSEWHERE=1; Path=/v2/elsewhere; Secure",
		"FOREIGN=1; Domain=other.example; Path=/v2")
	set("/v2/in/logout",
		"SID=; path=/; secure; Max-Age=0",
		"DOMAIN=; Domain=platform.example; Path=/v2; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
		"__Secure-S=; Secure; Path=/; Max-Age=0")
	mux.HandleFunc("/v2/in/api", func(w http.ResponseWriter, r *http.Request) {
		var got []string
		for _, c := range r.Cookies() {
			got = append(got, c.Name+"="+c.Value)
		}
		slices.Sort(got)
		_, _ = io.WriteString(w, strings.Join(got, " "))
	})
	return mux
}

// What a jar sends after signing in, and after signing out.
const (
	signedIn  = "DOMAIN=1 DOTTED=1 FOLDER=1 SID=1 __Host-H=1 __Secure-S=1"
	signedOut = "DOTTED=1 FOLDER=1 __Host-H=1"
)

// behindTLS starts the program in front of https://platform.example/v2, which is
// reached under /p/ over http.
func behindTLS(t *testing.T, platform http.Handler, more ...string) *authproxytest.Program {
	t.Helper()
	ca, is := newAuthority(t), newIssuer(t)
	s := quiet(is.guard(platform))
	s.TLS = &tls.Config{Certificates: []tls.Certificate{ca.issue("platform.example")}}
	s.StartTLS()
	t.Cleanup(s.Close)
	_, address, _ := strings.Cut(s.URL, "://")
	return authproxytest.Start(t, is.config("https://platform.example/v2", append(more, "path: /p/", "strip_path: true",
		fmt.Sprintf("tls: { ca_file: %q }", ca.file("ca")), "proxy_url: "+httpProxy(t, address))...))
}

// TestCookieJars: over the plain listener the jars that applications use take the
// platform's cookies, and send them back to where the platform would get them.
func TestCookieJars(t *testing.T) {
	t.Parallel()
	p := behindTLS(t, sessions())
	for name, command := range map[string][]string{
		"curl":                    {"sh", "testdata/clients/cookies.sh"},
		"Java's CookieManager":    {"java", "-XX:TieredStopAtLevel=1", "testdata/clients/Cookies.java"},
		"Python's http.cookiejar": {"python3", "testdata/clients/cookies.py"},
	} {
		for _, address := range []string{p.URL, strings.Replace(p.URL, "127.0.0.1", "localhost", 1)} {
			t.Run(name+", "+address[:strings.LastIndexByte(address, ':')], func(t *testing.T) {
				t.Parallel()
				switch command[0] {
				case "sh":
					installed(t, "sh", "curl")
				case "java":
					installed(t, "java", "javac")
				default:
					installed(t, command[0])
				}
				out, err := exec.CommandContext(t.Context(), command[0], append(command[1:], address+"/p/in")...).CombinedOutput()
				if want := signedIn + "\n" + signedOut + "\n"; err != nil || strings.ReplaceAll(string(out), "\r", "") != want {
					t.Errorf("%v: got\n%swant\n%s", err, out, want)
				}
			})
		}
	}
	t.Run("Go's cookiejar", func(t *testing.T) {
		t.Parallel()
		jar, _ := cookiejar.New(nil)
		client := &http.Client{Jar: jar, Transport: authproxytest.Client.Transport}
		for _, step := range [][2]string{{"login", ""}, {"api", signedIn}, {"logout", ""}, {"api", signedOut}} {
			resp, err := client.Get(p.URL + "/p/in/" + step[0])
			if err != nil {
				t.Fatal(err)
			}
			body, _ := io.ReadAll(resp.Body)
			resp.Body.Close()
			if string(body) != step[1] {
				t.Errorf("%s: %s, want %s", step[0], body, step[1])
			}
		}
	})
}

// TestCookiesAsTheyCome: with rewrite_cookies: false.
func TestCookiesAsTheyCome(t *testing.T) {
	t.Parallel()
	p := behindTLS(t, sessions(), "rewrite_cookies: false")
	got := authproxytest.Ask(t, http.MethodGet, p.URL+"/p/in/logout", nil).Header["Set-Cookie"]
	if len(got) != 3 || !strings.HasPrefix(got[0], "SID=; path=/; secure; Max-Age=0") || !strings.Contains(got[1], "Domain=platform.example; Path=/v2;") {
		t.Errorf("%q", got)
	}
}

// TestAddressesLeadBack: a platform behind TLS of which it does not know says http,
// and the application that follows comes back through here.
func TestAddressesLeadBack(t *testing.T) {
	t.Parallel()
	p := behindTLS(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		if r.URL.Path == "/v2/next" {
			_, _ = io.WriteString(w, r.URL.RawQuery)
			return
		}
		h.Set("Link", `<https://platform.example:443/v2/pages>; rel="preload"`)
		w.WriteHeader(http.StatusEarlyHints)
		h.Set("Location", "http://platform.example/v2/next?page=2")
		h["Link"] = []string{`<http://PLATFORM.example/v2/next?a,b>; rel="next"; title="<http://platform.example/v2/>, x", </v2/first>;rel=first`, `<https://elsewhere.example/v2>; rel=help`}
		h.Set("Operation-Location", "https://platform.example/v2/operations/1")
		h.Set("X-Address", "https://platform.example/v2/")
		w.WriteHeader(http.StatusFound)
	}), "rewrite_headers: [Operation-Location]")
	early := p.Raw(t, "GET /p/list HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
	if want := `Link: <http://localhost/p/pages>; rel="preload"`; !strings.Contains(early, "103 Early Hints\r\n"+want) {
		t.Errorf("no %s in\n%s", want, early)
	}
	a := authproxytest.Ask(t, http.MethodGet, p.URL+"/p/list", nil)
	for name, want := range map[string]string{
		"Location":           p.URL + "/p/next?page=2",
		"Link":               `<` + p.URL + `/p/next?a,b>; rel="next"; title="<http://platform.example/v2/>, x", </p/first>;rel=first|<https://elsewhere.example/v2>; rel=help`,
		"Operation-Location": p.URL + "/p/operations/1",
		"X-Address":          "https://platform.example/v2/",
	} {
		if got := strings.Join(a.Header[name], "|"); got != want {
			t.Errorf("%s: %s\nwant %s", name, got, want)
		}
	}
	if next := authproxytest.Ask(t, http.MethodGet, a.Header.Get("Location"), nil); next.Status != http.StatusOK || next.Body != "page=2" {
		t.Errorf("the next page: %d %s", next.Status, next.Body)
	}
}
