package main_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"authproxy/cmd/authproxy/authproxytest"
	"authproxy/proxy/platformtest"
)

// TestNothingLeaksWhateverHappens goes further than the promise: everything that
// can go wrong, at both ends, and the commands that fetch tokens.
func TestNothingLeaksWhateverHappens(t *testing.T) {
	t.Parallel()
	for name, dialect := range authproxytest.Dialects() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := platformtest.Options{ClientSecret: "h0le in+one/=&%zz?:" + name, Password: `pa55 w"rd\+/=&` + name}
			platform := dialect.Simulate(o)
			server := authproxytest.Serve(t, platform)
			config := "log: { level: debug, access: all }\n" + authproxytest.Impatient(dialect.Config(server))
			config = strings.NewReplacer(`"secret"`, strconv.Quote(o.ClientSecret), `"password"`, strconv.Quote(o.Password)).Replace(config)
			if dialect.InQuery {
				config = strings.Replace(config, "token: main", "token: main, inject: { query: access_token }", 1)
			}
			evidence := tokenMisfortunes(t, config, platform, o)
			evidence += apiMisfortunes(t, config, platform)
			evidence += unreachable(t, config, server)
			evidence += commandsIn(t, config, platform)
			for _, trace := range []string{"outcome=recovered", "no new token", "answer of the token endpoint", "cause=refused", "refused_age_ms=", "authproxy_token_fetches_total", "fingerprint=", "upstream_unreachable"} {
				if !strings.Contains(evidence, trace) {
					t.Errorf("%q is not to be seen: was anything searched?", trace)
				}
			}
			for _, secret := range platform.Secrets() {
				for spelling, text := range spellings(secret) {
					if i := strings.Index(evidence, text); i >= 0 {
						t.Errorf("%s, %s, in: %.300s", secret, spelling, evidence[max(0, i-150):])
					}
				}
			}
		})
	}
}

// TestNothingThatPassesIsLogged: of a request the log has method, path and the names of what sent it
// (User-Agent, X-Request-Id, the trace), of an answer status and length, at every level and whatever becomes
// of them.
func TestNothingThatPassesIsLogged(t *testing.T) {
	t.Parallel()
	const secret = "open-sesame"
	is := newIssuer(t)
	upstream := authproxytest.Serve(t, is.guard(indiscreet(t, secret)))
	p := authproxytest.Start(t, "log: { level: debug, access: all }\n"+is.config(upstream,
		"invalid_token: { status: [401], body: { code: [DEAD] } }", "access: [ { methods: [POST, OPTIONS] } ]"))
	answers := ""
	for _, c := range []struct{ method, path, origin string }{
		{"POST", "/good", ""}, {"POST", "/again", ""}, {"POST", "/closed", ""}, {"POST", "/nonsense", ""}, {"POST", "/failed", ""},
		{"POST", "/a%2fb", ""}, {"PUT", "/unlisted", ""}, {"POST", "/page", "http://stranger.example"},
	} {
		header := []string{"Authorization", "Basic " + secret, "Cookie", secret, "X-Api-Key", secret, "X-" + secret, "1", "User-Agent", "Legacy/1.0", "Referer", "http://localhost/?" + secret}
		if c.origin != "" {
			header = append(header, "Origin", c.origin)
		}
		if c.path == "/again" {
			is.revoke()
		}
		a := authproxytest.Ask(t, c.method, p.URL+c.path+"?api_key="+secret+"&"+secret, secret, header...)
		if a.Code() != "" {
			answers += fmt.Sprintln(a)
		}
	}
	evidence := answers + fmt.Sprint(p.Series(t)) + remains(t, p)
	for _, trace := range []string{"path=/good", "outcome=recovered", "path=/failed", "code=upstream_unreachable", "code=cross_site", "code=ambiguous_path", "code=not_allowed"} {
		if !strings.Contains(evidence, trace) {
			t.Errorf("%q is not to be seen: was anything searched?", trace)
		}
	}
	if i := strings.Index(strings.ToLower(evidence), secret); i >= 0 {
		t.Errorf("what has passed shows in: %.300s", evidence[max(0, i-150):])
	}
}

// indiscreet answers with text in every place, and breaks off at some paths.
func indiscreet(t *testing.T, text string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Set-Cookie", text)
		switch r.URL.Path {
		case "/closed":
			panic(http.ErrAbortHandler)
		case "/nonsense":
			conn, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\n%s\r\n\r\n", text)
			_ = conn.Close()
		case "/failed":
			http.Error(w, text, http.StatusInternalServerError)
		default:
			fmt.Fprintf(w, `{"code":%q}`, text)
		}
	}
}

// spellings are the ways in which a secret may show.
func spellings(secret string) map[string]string {
	quoted := strconv.Quote(secret)
	encoded, _ := json.Marshal(secret)
	return map[string]string{
		"plain": secret, "base64": base64.StdEncoding.EncodeToString([]byte(secret)),
		"base64url": base64.RawURLEncoding.EncodeToString([]byte(secret)),
		"query":     url.QueryEscape(secret), "path": url.PathEscape(secret),
		"quoted": quoted[1 : len(quoted)-1], "JSON": string(encoded[1 : len(encoded)-1]),
		"twice quoted": strings.ReplaceAll(quoted[1:len(quoted)-1], `\`, `\\`),
	}
}

// look sends a request and returns all that shows. The answers of the platform
// itself go untouched to the application, so of these only good ones count.
func look(t *testing.T, p *authproxytest.Program) string {
	var seen strings.Builder
	a, _ := authproxytest.Try(http.MethodPost, p.URL+authproxytest.APIPath, `{"a":1}`) // an answer that was cut short shows nothing
	if a.Status == http.StatusOK || a.Code() != "" {
		fmt.Fprintln(&seen, a.Status, a.Header, a.Body)
	}
	for _, page := range []string{"/metrics", "/readyz?verbose", "/livez", "/"} {
		fmt.Fprintln(&seen, authproxytest.Ask(t, http.MethodGet, p.Admin+page, nil))
	}
	return seen.String()
}

// remains are what is left of a program after its end.
func remains(t *testing.T, p *authproxytest.Program) string {
	p.Stop(t)
	return p.Stdout.String() + p.Stderr.String()
}

// tokenMisfortunes goes through what may happen at the token endpoint, among
// it answers that tell secrets.
func tokenMisfortunes(t *testing.T, config string, platform *platformtest.Platform, o platformtest.Options) string {
	gossip := "/?s=" + url.QueryEscape(o.ClientSecret) + "&p=" + url.QueryEscape(o.Password)
	tells, _ := json.Marshal(map[string]any{"code": o.ClientSecret, "error": o.Password, "message": o.ClientSecret + o.Password})
	evidence := ""
	for _, fault := range []*platformtest.Fault{
		{Close: true}, {Hang: true}, {Status: 500, Body: string(tells)}, {Status: 401, Body: string(tells)}, {Body: string(tells)},
		{Body: o.ClientSecret}, {Status: 302, Header: http.Header{"Location": {gossip}}}, {Body: `{"access_token":"x`, Truncate: true},
	} {
		p := authproxytest.Start(t, config)
		platform.SetTokenFault(fault)
		evidence += look(t, p) + look(t, p) + remains(t, p)
	}
	platform.SetTokenFault(nil)
	return evidence
}

// apiMisfortunes goes through what may happen with a good token and a dead one.
func apiMisfortunes(t *testing.T, config string, platform *platformtest.Platform) string {
	p := authproxytest.Start(t, config)
	evidence := look(t, p)
	platform.SetQuoteRefused(true)
	platform.RevokeAll()
	evidence += look(t, p)
	tokens := strings.Join(platform.Secrets(), " ")
	for _, fault := range []*platformtest.Fault{
		{Close: true}, {Body: `{"a":`, Truncate: true}, {Status: 502, Body: "bad"},
		{Status: 401, Body: tokens, Header: http.Header{"Www-Authenticate": {`Bearer error="invalid_token"`}}},
	} {
		platform.SetAPIFault(fault)
		evidence += look(t, p)
	}
	platform.SetAPIFault(nil)
	return evidence + look(t, p) + remains(t, p)
}

// unreachable runs against upstreams that cannot be reached, with good tokens.
func unreachable(t *testing.T, config, server string) string {
	evidence := ""
	for _, elsewhere := range []string{authproxytest.Nobody, strings.Replace(server, "http:", "https:", 1)} {
		p := authproxytest.Start(t, strings.Replace(config, "url: "+strconv.Quote(server)+" } ]", "url: "+strconv.Quote(elsewhere)+" } ]", 1))
		a := p.Get(t)
		if a.Code() != "upstream_unreachable" || a.Status != http.StatusBadGateway {
			t.Errorf("%d %v %s", a.Status, a.Header, a.Body)
		}
		evidence += fmt.Sprintln(a) + remains(t, p)
	}
	return evidence
}

// commandsIn runs the commands that fetch tokens, with and without luck.
func commandsIn(t *testing.T, config string, platform *platformtest.Platform) string {
	file := filepath.Join(t.TempDir(), "authproxy.yaml")
	authproxytest.Write(t, file, config)
	evidence := ""
	run := func(args ...string) {
		out, _ := exec.CommandContext(t.Context(), "authproxy", args...).CombinedOutput() // failing is part of it
		evidence += string(out)
	}
	for _, fault := range []*platformtest.Fault{nil, {Close: true}, {Status: 401, Body: `{"error":"invalid_client"}`}} {
		platform.SetTokenFault(fault)
		run("check", "-c", file, "--live")
		run("token", "-c", file, "main")
		run("token", "-c", file, "main", "--check")
		run("token", "-c", file, "main", "--revoke")
	}
	platform.SetTokenFault(nil)
	return evidence
}
