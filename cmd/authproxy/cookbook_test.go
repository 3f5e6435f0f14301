package main_test

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"authproxy/cmd/authproxy/authproxytest"
)

// recipes are the configurations of docs/cookbook.md, by their headings.
func recipes(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile("../../docs/cookbook.md")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, m := range regexp.MustCompile("(?sm)^## ([^\n]+)\n.*?^```yaml\n(.*?)^```").FindAllStringSubmatch(string(text), -1) {
		all[m[1]] = m[2]
	}
	return all
}

// kitchen is a platform of one recipe: who is let in, with what, and how it says no.
type kitchen struct {
	signIn func(w http.ResponseWriter, r *http.Request, token string) // answers a good token request, or not
	holds  func(*http.Request) string                                 // the token of a request
	no     string                                                     // the answer to a bad one; empty: 401
}

// is says whether a JSON body has these members.
func is(r *http.Request, want map[string]string) bool {
	got := map[string]string{}
	if json.NewDecoder(r.Body).Decode(&got) != nil {
		return false
	}
	for name, value := range want {
		if got[name] != value {
			return false
		}
	}
	return true
}

func bearer(r *http.Request) string {
	return strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
}

func grant(w http.ResponseWriter, token string) {
	fmt.Fprintf(w, `{"access_token":%q,"expires_in":3600}`, token)
}

// kitchens are the platforms, by the heading of their recipe; key is that of the service account.
func kitchens(key *rsa.PublicKey) map[string]kitchen {
	return map[string]kitchen{
		"A code in a 200": {func(w http.ResponseWriter, r *http.Request, token string) {
			if id, secret, _ := r.BasicAuth(); id == "app" && secret == "open-sesame" {
				grant(w, token)
			}
		}, bearer, `{"code":"TOKEN_EXPIRED","requestId":"r-1"}`},
		"A sign-in with a JSON envelope": {func(w http.ResponseWriter, r *http.Request, token string) {
			if is(r, map[string]string{"user": "report", "password": "open-sesame"}) {
				fmt.Fprintf(w, `{"code":0,"data":{"token":%q,"expireMinutes":30}}`, token)
			} else {
				fmt.Fprint(w, `{"code":1001,"msg":"wrong password"}`)
			}
		}, func(r *http.Request) string { return r.Header.Get("X-Token") }, ""},
		"A session in a cookie": {func(w http.ResponseWriter, r *http.Request, token string) {
			if r.FormValue("user") == "report" && r.FormValue("password") == "open-sesame" {
				http.SetCookie(w, &http.Cookie{Name: "SID", Value: token, Path: "/"})
				fmt.Fprint(w, `{"result":"ok"}`)
			}
		}, func(r *http.Request) string {
			c, err := r.Cookie("SID")
			if err != nil {
				return ""
			}
			return c.Value
		}, `{"result":"not signed in"}`},
		"A signed token request": {func(w http.ResponseWriter, r *http.Request, token string) {
			var body struct{ AppKey, Timestamp, Sign string }
			if json.NewDecoder(r.Body).Decode(&body) != nil {
				return
			}
			h := hmac.New(sha256.New, []byte("open-sesame"))
			h.Write([]byte("appKey" + body.AppKey + "timestamp" + body.Timestamp))
			sent, err := time.ParseInLocation(time.DateTime, body.Timestamp, time.FixedZone("", 8*3600))
			if err == nil && time.Since(sent) < time.Minute && body.Sign == strings.ToUpper(hex.EncodeToString(h.Sum(nil))) {
				grant(w, token)
			}
		}, bearer, ""},
		"A JWT assertion": {func(w http.ResponseWriter, r *http.Request, token string) {
			claims := jwt.MapClaims{}
			_, err := jwt.ParseWithClaims(r.FormValue("assertion"), claims, func(*jwt.Token) (any, error) { return key, nil }, jwt.WithValidMethods([]string{"RS256"}), jwt.WithExpirationRequired(), jwt.WithIssuedAt())
			if err == nil && claims["iss"] == "app@example" && claims["scope"] == "read" {
				grant(w, token)
			}
		}, bearer, ""},
		"A token in a file": {nil, bearer, ""},
		"A fixed key":       {nil, func(r *http.Request) string { return strings.TrimPrefix(r.Header.Get("Authorization"), "Basic ") }, ""},
	}
}

// TestCookbook: each recipe works with a platform that wants exactly that, also when its token dies, and no
// platform is left out.
func TestCookbook(t *testing.T) {
	t.Parallel()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	account, err := json.Marshal(map[string]string{"client_email": "app@example", "private_key": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))})
	if err != nil {
		t.Fatal(err)
	}
	all, platforms := recipes(t), kitchens(&key.PublicKey)
	if len(all) != len(platforms) {
		t.Errorf("%d recipes, %d platforms", len(all), len(platforms))
	}
	for title, k := range platforms {
		t.Run(title, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			for name, text := range map[string]string{"key": "open-sesame\n", "token": "token-0-0123456789\n", "sa.json": string(account)} {
				secretFile(t, filepath.Join(dir, name), text)
			}
			cook(t, k, strings.ReplaceAll(all[title], "secrets/", dir+"/"))
		})
	}
}

// cook runs one recipe, and kills its token where the platform can give another.
func cook(t *testing.T, k kitchen, recipe string) {
	var mu sync.Mutex
	number := 0
	token := func() string {
		if k.signIn == nil && strings.Contains(recipe, "basic") {
			return "YXBwOm9wZW4tc2VzYW1l"
		}
		return fmt.Sprintf("token-%d-0123456789", number)
	}
	at := authproxytest.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		switch {
		case r.URL.Path == "/token" && k.signIn != nil:
			k.signIn(w, r, token())
		case k.holds(r) == token():
			fmt.Fprint(w, `{"data":[1]}`)
		case k.no != "":
			fmt.Fprint(w, k.no)
		default:
			http.Error(w, "{}", http.StatusUnauthorized)
		}
	}))
	p := authproxytest.Start(t, strings.ReplaceAll(recipe, "https://platform.example", at))
	for range 2 {
		if a := authproxytest.Ask(t, http.MethodGet, p.URL+"/api/things", nil); a.Body != `{"data":[1]}` {
			t.Errorf("%d %s\n%s", a.Status, a.Body, p.Stderr)
		}
		if k.signIn != nil {
			mu.Lock()
			number++
			mu.Unlock()
		}
	}
}
