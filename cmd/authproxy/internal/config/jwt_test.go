package config

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// keyFile writes a new key of P-256 into a file of dir.
func keyFile(t *testing.T, dir, name string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
}

func parseIn(dir, text string) (*Config, error) {
	return Parse("a.yaml", []byte(text), dir, func(string) (string, bool) { return "", false }, testWords())
}

// TestJWT: the key is judged when the file is read, with the algorithm; its lines are no fault, since only the
// signature is made of it.
func TestJWT(t *testing.T) {
	dir := t.TempDir()
	keyFile(t, dir, "ec.pem")
	const text = `
tokens:
  t:
    client_id: app
    secrets: { key: { file: ec.pem } }
    jwt: { alg: ES256, key: key, claims: { iss: "{client_id}", n: 1 }, backdate: 0s }
    request: { url: "https://id.example/t", form: { assertion: "{jwt}" } }
upstreams: [ { name: u, token: t, url: "https://api.example" } ]`
	cfg, err := parseIn(dir, text)
	if err != nil {
		t.Fatal(err)
	}
	j := cfg.Tokens[0].JWT
	if j.Alg != "ES256" || j.Key != "key" || j.Lifetime != 5*time.Minute || j.Backdate != 0 || j.Claims["iss"] != "{client_id}" {
		t.Errorf("%+v", j)
	}
	if len(cfg.Warnings) > 0 {
		t.Errorf("%q", cfg.Warnings)
	}
	_, err = parseIn(dir, strings.Replace(text, "ES256", "RS256", 1))
	if err == nil || !strings.Contains(err.Error(), "tokens.t.jwt.key: the secret key is an elliptic key of P-256, which RS256 does not sign with; write alg: ES256, or give another key") {
		t.Errorf("%v", err)
	}
	_, err = parseIn(dir, strings.Replace(text, `"{jwt}"`, `"{jwt}{key}"`, 1))
	if err == nil || !strings.Contains(err.Error(), "secrets.key.file: holds more than one line") {
		t.Errorf("%v", err)
	}
}

// TestGiven: a token that is given is a secret, wherever it stands, or a template; nobody is asked for it.
func TestGiven(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "tok"), []byte("open-sesame\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for written, want := range map[string][2]string{
		"token: open-sesame": {"{given_token}", "open-sesame"},
		"token_file: tok":    {"{given_token}", "open-sesame"},
		`token: "{basic}", client_id: a, client_secret: b, values: { basic: { text: "{client_id}:{client_secret}", as: base64 } }`: {"{basic}", ""},
	} {
		cfg, err := parseIn(dir, "tokens: { t: { "+written+" } }\nupstreams: [ { name: u, token: t, url: 'https://api.example' } ]")
		if err != nil {
			t.Errorf("%s: %v", written, err)
			continue
		}
		got := cfg.Tokens[0]
		value, err := got.Credentials[givenName].Read()
		if got.Given != want[0] || value != want[1] || err != nil || got.Request != nil || got.Refresh != nil {
			t.Errorf("%s: %+v %q %v", written, got, value, err)
		}
		if u := cfg.Upstreams[0]; u.Inject.Header != "Authorization" || len(u.InvalidToken.Status) != 1 {
			t.Errorf("%s: %+v", written, u)
		}
	}
}
