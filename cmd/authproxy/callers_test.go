package main_test

import (
	"context"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"authproxy/cmd/authproxy/authproxytest"
	"authproxy/proxy/platformtest"
)

// oauth2At is the configuration of one upstream, with all keys but its URL
// given, whose token comes from the simulated platform.
func oauth2At(platform, keys, url string) string {
	return "tokens: { main: { token_url: \"" + platform + "/oauth2/token\", client_id: id, client_secret: secret } }\n" +
		"upstreams: [ { name: main, token: main, " + keys + " url: \"" + url + "\" } ]\n"
}

// TestCallerToken: only those who know it may call, at the next request after
// it has changed, and it shows nowhere.
func TestCallerToken(t *testing.T) {
	t.Parallel()
	const first, second = "caller-token-first-5f1c", "caller-token-second-09ab"
	file := filepath.Join(t.TempDir(), "caller")
	replaceFile(t, file, first+"\n")
	platform := platformtest.NewOAuth2(platformtest.Options{})
	upstream := authproxytest.Serve(t, platform)
	p := authproxytest.Start(t, "log: { level: debug, access: all }\ncaller_token_file: "+file+"\n"+oauth2At(upstream, "", upstream))

	refused := func(header ...string) {
		t.Helper()
		if a := authproxytest.Ask(t, http.MethodGet, p.URL+authproxytest.APIPath, nil, header...); a.Status != http.StatusForbidden || a.Code() != "caller_unknown" {
			t.Errorf("%q: status %d, code %q", header, a.Status, a.Code())
		}
	}
	good := func(token string) {
		t.Helper()
		authproxytest.EchoOf(t, authproxytest.Ask(t, http.MethodGet, p.URL+authproxytest.APIPath, nil, "Authorization", "Bearer "+token))
	}
	refused()
	refused("Authorization", "Bearer "+second)
	good(first)
	time.Sleep(50 * time.Millisecond) // wrong tokens have the file read every 10 ms, not more often
	replaceFile(t, file, second+"\n")
	good(second)
	refused("Authorization", "Bearer "+first)
	if n := p.Series(t)[`authproxy_rejected_requests_total{reason="caller_unknown"}`]; n != 3 {
		t.Errorf("%v rejections were counted", n)
	}
	for _, page := range []string{"/livez", "/readyz", "/metrics"} {
		if a := authproxytest.Ask(t, http.MethodGet, p.Admin+page, nil); a.Status != http.StatusOK {
			t.Errorf("%s asks for a token: %d", page, a.Status)
		}
	}
	seen := look(t, p) + remains(t, p)
	for _, token := range []string{first, second} {
		for how, text := range spellings(token) {
			if strings.Contains(seen, text) {
				t.Errorf("the token of callers shows (%s)", how)
			}
		}
	}
}

// TestAccessRules of a whole program: the path is that which the upstream sees.
func TestAccessRules(t *testing.T) {
	t.Parallel()
	platform := authproxytest.Serve(t, platformtest.NewOAuth2(platformtest.Options{}))
	config := oauth2At(platform, `path: /app/, strip_path: true, access: [ { methods: [GET], paths: [/base/orders/**] }, { paths: ["/base/*"], hosts: [127.0.0.1] } ],`, platform+"/base")
	p := authproxytest.Start(t, config)
	for target, want := range map[string]string{
		"GET /app/orders/1":           "",
		"GET /app/one":                "",
		"POST /app/one":               "",
		"POST /app/orders/1":          "not_allowed",
		"GET /app/one/two":            "not_allowed",
		"GET /app/base/orders/1":      "not_allowed",
		"GET /app//orders/1":          "ambiguous_path",
		"GET /app/orders/%2e%2e/user": "ambiguous_path",
		"GET /app/orders/a%2fb":       "ambiguous_path",
		"GET /app/orders/a%252fb":     "ambiguous_path",
	} {
		method, path, _ := strings.Cut(target, " ")
		if a := authproxytest.Ask(t, method, p.URL+path, nil); a.Code() != want {
			t.Errorf("%s: status %d, code %q", target, a.Status, a.Code())
		}
	}
}

// TestASocketForOneUser: only this user may connect, and the socket is gone
// with the program.
func TestASocketForOneUser(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("needs SO_PEERCRED")
	}
	t.Parallel()
	platform := authproxytest.Serve(t, platformtest.NewOAuth2(platformtest.Options{}))
	for who, want := range map[int]int{os.Getuid(): http.StatusOK, os.Getuid() + 1: http.StatusForbidden} {
		path := filepath.Join(t.TempDir(), "s")
		config := oauth2At(platform, `listen: "unix:`+path+`",`, platform)
		p := authproxytest.Start(t, "socket_mode: '0600'\nallowed_uids: ["+strconv.Itoa(who)+"]\n"+config)
		through := throughSocket(path)
		resp, err := through.Get("http://anything" + authproxytest.APIPath)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		through.CloseIdleConnections()
		if resp.StatusCode != want {
			t.Errorf("uid %d: status %d", who, resp.StatusCode)
		}
		if info, err := os.Lstat(path); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%v, %v", info, err)
		}
		p.Stop(t)
		if _, err := os.Lstat(path); err == nil {
			t.Error("the socket is still there")
		}
	}
}

// throughSocket is a client of what listens at path.
func throughSocket(path string) *http.Client {
	return &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", path)
	}}}
}

// TestNobodyNamesTheHostOfTheToken: where the client's Host goes upstream, only
// those that are configured pass, on a socket as well: a server of many names
// would hand the token to whom the Host names.
func TestNobodyNamesTheHostOfTheToken(t *testing.T) {
	t.Parallel()
	platform := authproxytest.Serve(t, platformtest.NewOAuth2(platformtest.Options{}))
	for keys, want := range map[string]string{"": "200 200 200", "preserve_host: true,": "200 200 421"} {
		path := filepath.Join(t.TempDir(), "s")
		authproxytest.Start(t, "allowed_hosts: [api.example]\n"+oauth2At(platform, `listen: "unix:`+path+`", `+keys, platform))
		through := throughSocket(path)
		var got []string
		for _, host := range []string{"localhost", "api.example", "evil.example"} {
			resp, err := through.Get("http://" + host + authproxytest.APIPath)
			if err != nil {
				t.Fatal(err)
			}
			_ = resp.Body.Close()
			got = append(got, strconv.Itoa(resp.StatusCode))
		}
		through.CloseIdleConnections()
		if text := strings.Join(got, " "); text != want {
			t.Errorf("%s %s, want %s", keys, text, want)
		}
	}
}
