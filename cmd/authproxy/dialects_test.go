package main_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/golang-jwt/jwt/v5"

	"authproxy/cmd/authproxy/authproxytest"
)

// strict is a platform that lets in whoever shows the current token, and that issues one to whom lets says so.
type strict struct {
	mu      sync.Mutex
	token   string
	asked   int
	refused int
	lets    func(*http.Request) bool
}

func (s *strict) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.URL.Path == "/token" {
		s.asked++
		if !s.lets(r) {
			http.Error(w, `{"error":"invalid_client"}`, http.StatusUnauthorized)
			return
		}
		fmt.Fprintf(w, `{"access_token":%q,"expires_in":3600}`, s.token)
		return
	}
	if r.Header.Get("Authorization") != "Bearer "+s.token {
		s.refused++
		http.Error(w, `{"error":"invalid_token"}`, http.StatusUnauthorized)
		return
	}
	fmt.Fprint(w, "in")
}

// now changes what the platform wants.
func (s *strict) now(token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.token, s.refused = token, 0
}

func (s *strict) counts() (asked, refused int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked, s.refused
}

// secretFile writes a file that nobody else reads, by a rename, as rotation does.
func secretFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path+".new", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}

// TestTokenInAFile: it is read again when it changes, and when it is refused; a dead one is sent once, and the
// refusal is the client's.
func TestTokenInAFile(t *testing.T) {
	t.Parallel()
	s := &strict{token: "first-token-0123456789"}
	at, file := authproxytest.Serve(t, s), filepath.Join(t.TempDir(), "token")
	secretFile(t, file, s.token+"\n")
	p := authproxytest.Start(t, fmt.Sprintf("tokens: { main: { token_file: %q } }\nupstreams: [ { name: main, token: main, url: %q } ]\n", file, at))
	if a := authproxytest.Ask(t, http.MethodGet, p.URL+"/x", nil); a.Body != "in" {
		t.Errorf("%d %s", a.Status, a.Body)
	}
	s.now("second-token-0123456789")
	if a := authproxytest.Ask(t, http.MethodGet, p.URL+"/x", nil); a.Status != http.StatusUnauthorized || a.Code() != "" {
		t.Errorf("a dead token: %d %s", a.Status, a.Body)
	}
	if _, refused := s.counts(); refused != 1 {
		t.Errorf("a dead token was sent %d times", refused)
	}
	secretFile(t, file, s.token)
	authproxytest.Eventually(t, "the file to be read again", func() bool {
		return authproxytest.Ask(t, http.MethodGet, p.URL+"/x", nil).Body == "in"
	})
	if out := p.Look(t); strings.Contains(out, "token-0123456789") {
		t.Error("the token shows")
	}
}

// TestAssertedTokenRequests: the key stands in a JSON file, as clouds hand it out; a changed one counts for the
// next request.
func TestAssertedTokenRequests(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "sa.json")
	var public *rsa.PublicKey
	rotate := func() {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			t.Fatal(err)
		}
		der, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(map[string]string{"client_email": "app@example", "private_key": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))})
		if err != nil {
			t.Fatal(err)
		}
		public = &key.PublicKey
		secretFile(t, file, string(text))
	}
	rotate()
	s := &strict{token: "asserted-token-0123456789"}
	s.lets = func(r *http.Request) bool {
		claims := jwt.MapClaims{}
		_, err := jwt.ParseWithClaims(r.FormValue("assertion"), claims, func(*jwt.Token) (any, error) { return public, nil }, jwt.WithValidMethods([]string{"RS256"}), jwt.WithExpirationRequired(), jwt.WithIssuedAt())
		return err == nil && claims["iss"] == "app@example" && claims["scope"] == "read" && r.FormValue("grant_type") == "urn:ietf:params:oauth:grant-type:jwt-bearer"
	}
	at := authproxytest.Serve(t, s)
	p := authproxytest.Start(t, fmt.Sprintf(`tokens:
  main:
    secrets: { email: { file: %[1]q, path: client_email }, key: { file: %[1]q, path: private_key } }
    jwt: { alg: RS256, key: key, claims: { iss: "{email}", scope: read, aud: %[2]q } }
    request: { url: %[2]q, form: { grant_type: "urn:ietf:params:oauth:grant-type:jwt-bearer", assertion: "{jwt}" } }
upstreams: [ { name: main, token: main, url: %[3]q } ]
`, file, at+"/token", at))
	if a := authproxytest.Ask(t, http.MethodGet, p.URL+"/x", nil); a.Body != "in" {
		t.Fatalf("%d %s\n%s", a.Status, a.Body, p.Stderr)
	}
	s.mu.Lock()
	rotate()
	s.mu.Unlock()
	if !p.Stderr.Await("credentials changed") {
		t.Error(p.Stderr)
	}
	s.now("asserted-again-0123456789")
	authproxytest.Eventually(t, "a token by the new key", func() bool {
		return authproxytest.Ask(t, http.MethodGet, p.URL+"/x", nil).Body == "in"
	})
}

// TestClientAssertions: auth_method alone makes what RFC 7523 wants.
func TestClientAssertions(t *testing.T) {
	t.Parallel()
	s := &strict{token: "client-token-0123456789"}
	at := authproxytest.Serve(t, s)
	s.mu.Lock()
	s.lets = func(r *http.Request) bool {
		claims := jwt.MapClaims{}
		_, err := jwt.ParseWithClaims(r.FormValue("client_assertion"), claims, func(*jwt.Token) (any, error) { return []byte("open-sesame"), nil },
			jwt.WithValidMethods([]string{"HS256"}), jwt.WithExpirationRequired(), jwt.WithAudience(at+"/token"), jwt.WithIssuer("app"), jwt.WithSubject("app"))
		return err == nil && claims["jti"] != "" && r.FormValue("client_id") == "app" && r.FormValue("client_secret") == "" && r.Header.Get("Authorization") == "" &&
			r.FormValue("client_assertion_type") == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" && r.FormValue("grant_type") == "client_credentials"
	}
	s.mu.Unlock()
	p := authproxytest.Start(t, fmt.Sprintf("tokens: { main: { token_url: %q, auth_method: client_secret_jwt, client_id: app, client_secret: open-sesame } }\nupstreams: [ { name: main, token: main, url: %q } ]\n", at+"/token", at))
	if a := authproxytest.Ask(t, http.MethodGet, p.URL+"/x", nil); a.Body != "in" {
		t.Errorf("%d %s\n%s", a.Status, a.Body, p.Stderr)
	}
}

// TestForcedTokens: a platform that repeats its token is made to give another one when that was killed, once.
func TestForcedTokens(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	token, forced, alive := 1, 0, true
	at := authproxytest.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		switch {
		case r.URL.Path == "/cgi-bin/stable_token":
			var asked struct {
				Force bool `json:"force_refresh"`
				Appid string
			}
			if json.NewDecoder(r.Body).Decode(&asked) != nil || asked.Appid != "wx1" {
				fmt.Fprint(w, `{"errcode":40013}`)
				return
			}
			if asked.Force {
				token, forced, alive = token+1, forced+1, true
			}
			fmt.Fprintf(w, `{"access_token":"stable-%d","expires_in":7200}`, token)
		case r.URL.Query().Get("access_token") == fmt.Sprint("stable-", token) && alive:
			fmt.Fprint(w, `{"in":true}`)
		default:
			fmt.Fprint(w, `{"errcode":40001,"errmsg":"invalid credential, access_token is invalid or not latest"}`)
		}
	}))
	p := authproxytest.Start(t, fmt.Sprintf("tokens: { main: { provider: wechat, params: { base_url: %q }, client_id: wx1, client_secret: s } }\nupstreams: [ { name: main, token: main } ]\n", at))
	ask := func() string { return authproxytest.Ask(t, http.MethodGet, p.URL+"/cgi-bin/x", nil).Body }
	if got := ask(); got != `{"in":true}` {
		t.Fatalf("%s\n%s", got, p.Stderr)
	}
	mu.Lock()
	alive = false // another program has killed it, and the platform goes on repeating it
	mu.Unlock()
	if got := ask(); got != `{"in":true}` {
		t.Errorf("%s\n%s", got, p.Stderr)
	}
	mu.Lock()
	alive = false
	mu.Unlock()
	for range 20 {
		ask()
	}
	mu.Lock()
	defer mu.Unlock()
	if forced != 1 {
		t.Errorf("forced %d times within the interval", forced)
	}
}

// TestSessionCookies: a session that stands in a cookie goes out in it, beside the client's own cookies, and what
// the platform sets of that name does not reach the client.
func TestSessionCookies(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	session, seen := 0, ""
	at := authproxytest.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if r.URL.Path == "/login" {
			session++
			http.SetCookie(w, &http.Cookie{Name: "SID", Value: fmt.Sprintf("session-%d-0123456789", session), HttpOnly: true, Path: "/"})
			fmt.Fprint(w, `{"result":"ok"}`)
			return
		}
		seen = r.Header.Get("Cookie")
		if !strings.HasSuffix(seen, fmt.Sprintf("SID=session-%d-0123456789", session)) {
			fmt.Fprint(w, `{"result":"not signed in"}`)
			return
		}
		http.SetCookie(w, &http.Cookie{Name: "SID", Value: "rolled"})
		http.SetCookie(w, &http.Cookie{Name: "lang", Value: "zh"})
		fmt.Fprint(w, `{"result":"ok","data":1}`)
	}))
	p := authproxytest.Start(t, fmt.Sprintf(`tokens:
  main:
    username: u1
    password: open-sesame
    request: { url: %q, json: { user: "{username}", pass: "{password}" } }
    response: { token: "cookie:SID", expires_in: "", ok: { result: ok } }
upstreams: [ { name: main, token: main, url: %q, inject: { cookie: SID }, invalid_token: { status: [], body: { result: not signed in } } } ]
`, at+"/login", at))
	for range 2 { // the second time with a session that the platform has lost
		a := authproxytest.Ask(t, http.MethodGet, p.URL+"/x", nil, "Cookie", "theme=dark; SID=mine; a=b")
		if a.Body != `{"result":"ok","data":1}` || strings.Contains(fmt.Sprint(a.Header), "rolled") || !strings.Contains(fmt.Sprint(a.Header["Set-Cookie"]), "lang=zh") {
			t.Errorf("%d %s %v\n%s", a.Status, a.Body, a.Header, p.Stderr)
		}
		mu.Lock()
		if seen != fmt.Sprintf("theme=dark; a=b; SID=session-%d-0123456789", session) {
			t.Errorf("sent %q", seen)
		}
		session++
		mu.Unlock()
	}
}
