package endpoint

import (
	"context"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/pem"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"authproxy/tokencache"
)

// newKey is a private key as PEM, and its public one.
func newKey(t *testing.T) (string, ed25519.PublicKey) {
	t.Helper()
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})), public
}

// TestAssertions: each request has a JWT of its own, signed with the key as it is now.
func TestAssertions(t *testing.T) {
	key, public := newKey(t)
	p := newPlatform(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"access_token":"tok"}`)) })
	e := must(t, Options{
		Name: "main", Secrets: []string{"client_id", "key"}, Params: map[string]string{"token_url": "https://id.example/t"},
		Credentials: func() (map[string]string, error) { return map[string]string{"client_id": "app", "key": key}, nil },
		JWT: &JWT{Alg: "EdDSA", Key: "key", Header: map[string]any{"kid": "k-{client_id}"}, Lifetime: 5 * time.Minute, Backdate: 30 * time.Second,
			Claims: map[string]any{"iss": "{client_id}", "aud": []any{"{token_url}"}, "jti": "{uuid}", "n": 1}},
		Request: Request{URL: p.URL, Form: map[string]string{"assertion": "{jwt}"}}, Response: standard(),
	})
	seen := map[string]bool{}
	read := func() (*jwt.Token, error) {
		form, _ := url.ParseQuery(p.requests()[len(p.requests())-1].body)
		seen[form.Get("assertion")] = true
		return jwt.Parse(form.Get("assertion"), func(*jwt.Token) (any, error) { return public, nil }, jwt.WithAudience("https://id.example/t"), jwt.WithIssuer("app"), jwt.WithIssuedAt(), jwt.WithExpirationRequired())
	}
	for range 2 {
		if _, err := e.Fetch(context.Background(), tokencache.Token{}); err != nil {
			t.Fatal(err)
		}
		got, err := read()
		if err != nil || got.Header["kid"] != "k-app" || got.Header["typ"] != "JWT" {
			t.Fatalf("%v %v", err, got)
		}
		iat, _ := got.Claims.GetIssuedAt()
		exp, _ := got.Claims.GetExpirationTime()
		if age := time.Since(iat.Time); exp.Sub(iat.Time) != 330*time.Second || age < 29*time.Second || age > 40*time.Second {
			t.Errorf("issued %v ago, good for %v", age, exp.Sub(iat.Time))
		}
	}
	if len(seen) != 2 {
		t.Error("one JWT for two requests")
	}
	key, public = newKey(t)
	if _, err := e.Fetch(context.Background(), tokencache.Token{}); err != nil {
		t.Fatal(err)
	}
	if _, err := read(); err != nil {
		t.Errorf("the key has changed: %v", err)
	}
	key = "open-sesame-open-sesame"
	_, err := e.Fetch(context.Background(), tokencache.Token{})
	if err == nil || !strings.Contains(err.Error(), "the key of jwt, in the secret key, is no private key in PEM") || strings.Contains(err.Error(), "sesame") {
		t.Errorf("%v", err)
	}
}

// TestGivenTokens: one that is given is not asked for; it lives as long as it says, and is read again.
func TestGivenTokens(t *testing.T) {
	key, _ := newKey(t)
	current := "fixed-token-0123456789"
	e := must(t, Options{Name: "main", Secrets: []string{"held"}, Token: "{held}", Credentials: func() (map[string]string, error) { return map[string]string{"held": current}, nil }})
	for _, want := range []string{current, "another-token-0123456789"} {
		current = want
		if got, err := e.Fetch(context.Background(), tokencache.Token{}); err != nil || got.Value != want || !got.Expiry.IsZero() {
			t.Errorf("%v, %v", got, err)
		}
	}
	for text, want := range map[string]string{"": "it is empty", "two words": "it holds a blank", "a\x01b": "control characters"} {
		current = text
		if _, err := e.Fetch(context.Background(), tokencache.Token{}); err == nil || !strings.Contains(err.Error(), want) || text != "" && strings.Contains(err.Error(), text) {
			t.Errorf("%q: %v", text, err)
		}
	}
	signed := must(t, Options{Name: "main", Secrets: []string{"key"}, Token: "{jwt}", Credentials: func() (map[string]string, error) { return map[string]string{"key": key}, nil },
		JWT: &JWT{Alg: "EdDSA", Key: "key", Claims: map[string]any{"iss": "x"}, Lifetime: time.Hour}})
	got, err := signed.Fetch(context.Background(), tokencache.Token{})
	if err != nil || time.Until(got.Expiry) < 59*time.Minute || time.Until(got.Expiry) > time.Hour {
		t.Errorf("%v %v", got, err)
	}
	if again, _ := signed.Fetch(context.Background(), got); strings.Count(again.Value, ".") != 2 {
		t.Errorf("%v", again)
	}
	dead := must(t, Options{Name: "main", Secrets: []string{"held"}, Token: "{held}", Credentials: func() (map[string]string, error) {
		text, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{"exp": 1000}).SignedString([]byte("k"))
		return map[string]string{"held": text}, err
	}})
	if _, err := dead.Fetch(context.Background(), tokencache.Token{}); err == nil || !strings.Contains(err.Error(), "has expired at 1970-01-01T00:16:40Z: see what writes it") {
		t.Errorf("%v", err)
	}
}

// TestFaultsOfJWTs: what cannot be made is told at the start.
func TestFaultsOfJWTs(t *testing.T) {
	for want, j := range map[string]JWT{
		`jwt.alg: "none" is none of`:                    {Alg: "none", Key: "key", Lifetime: 1},
		`jwt.key: "other" is none of the secrets`:       {Alg: "RS256", Key: "other", Lifetime: 1},
		"jwt.lifetime":                                  {Alg: "RS256", Key: "key"},
		"jwt.claims: exp and iat are written by":        {Alg: "RS256", Key: "key", Lifetime: 1, Claims: map[string]any{"exp": 1}},
		"jwt.json.sub: unknown {nope}":                  {Alg: "RS256", Key: "key", Lifetime: 1, Claims: map[string]any{"sub": "{nope}"}},
		"token: a token that is given is not asked for": {Alg: "RS256", Key: "key", Lifetime: 1},
	} {
		_, err := New(Options{Secrets: []string{"key"}, JWT: &j, Token: "{jwt}", Request: Request{URL: "https://h/t"}, Response: standard()})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}
