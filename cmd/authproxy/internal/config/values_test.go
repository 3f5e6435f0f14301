package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const signed = `
tokens:
  t:
    client_id: a
    client_secret: b
    secrets: { app_key: k }
    values: { ts: { time: "2006-01-02", zone: Asia/Shanghai }, sign: { text: "{client_id}{ts}", hmac: sha256, key: "{app_key}{client_secret}" } }
    request: { url: "https://id.example/t", json: { sign: "{sign}" } }
upstreams: [ { name: u, token: t, url: "https://api.example" } ]
`

// TestValues: they come in their order, with what they need of the token.
func TestValues(t *testing.T) {
	one := good(t, signed).Tokens[0]
	if len(one.Values) != 2 || one.Values[0].Name != "ts" || one.Values[0].Location().String() != "Asia/Shanghai" || one.Values[1].Key != "{app_key}{client_secret}" {
		t.Errorf("%+v", one.Values)
	}
	if got := strings.Join(one.SecretNames(), " "); got != "client_id client_secret username password app_key" {
		t.Error(got)
	}
	if key, err := one.Credentials["app_key"].Read(); err != nil || key != "k" {
		t.Error(key, err)
	}
	if two := good(t, strings.Replace(signed, "app_key: k", "app_key: l", 1)).Tokens[0]; one.Digest() == two.Digest() {
		t.Error("another secret, and the same token")
	}
}

// TestNoJWTInValues: a JWT may hold values; the reverse is a circle.
func TestNoJWTInValues(t *testing.T) {
	text := strings.Replace(signed, `hmac: sha256, key: "{app_key}{client_secret}" }`, `hmac: sha256, key: "{app_key}{client_secret}" }, j: { text: "{jwt}" }`, 1)
	text = strings.Replace(text, "request:", `jwt: { alg: HS256, key: app_key, claims: { s: "{sign}" } }
    request:`, 1)
	if _, err := testParse("a.yaml", text); err == nil || !strings.Contains(err.Error(), "values.j.text: unknown {jwt}") {
		t.Errorf("%v", err)
	}
	text = strings.Replace(text, `j: { text: "{jwt}" }`, "", 1)
	good(t, strings.Replace(text, `sign: "{sign}"`, `sign: "{jwt}"`, 1))
}

// TestOrderOfValues: in whatever order a file or a tool has them, each comes behind those that it holds; a circle
// is a fault.
func TestOrderOfValues(t *testing.T) {
	for written, want := range map[string]string{
		"c: { text: '{b}' }, b: { text: '{a}' }, a: { text: x }":                                           "a b c",
		"a: { text: x }, b: { text: '{a}' }, c: { text: x, hmac: md5, key: '{b}{a}' }":                     "a b c",
		"sign: { text: x, hmac: md5, key: '{ts}' }, nonce: { text: '{uuid}' }, ts: { time: '2006-01-02' }": "nonce ts sign",
		"a: { text: '{b}' }, b: { text: '{a}' }, c: { text: x }":                                           "!values.a.text: holds {b}, which is made of this value in turn",
		"a: { text: '{a}' }": "!values.a.text: holds {a}, which is made of this value in turn",
		"a: { text: '{x}' }": "!values.a.text: unknown {x}",
	} {
		cfg, err := testParse("a.yaml", "tokens: { t: { request: { url: 'https://id.example/t' }, values: { "+written+" } } }\nupstreams: [ { name: u, token: t, url: 'https://api.example' } ]")
		if reason, isFault := strings.CutPrefix(want, "!"); isFault {
			if err == nil || !strings.Contains(err.Error(), reason) {
				t.Errorf("%s: %v", written, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", written, err)
			continue
		}
		var got []string
		for _, v := range cfg.Tokens[0].Values {
			got = append(got, v.Name)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %q", written, got)
		}
	}
}

// TestSecretsInFiles: the whole of a file, or a member of one that is JSON; what has several lines is for keys
// alone. No message shows what a file holds.
func TestSecretsInFiles(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"plain": "open-sesame\n", "pem": "-----BEGIN KEY-----\nopen\nsesame\n", "sa.json": `{"a":{"key":"-----BEGIN\nsesame"},"id":"open-sesame","n":{}}`, "empty": "",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for written, want := range map[string]string{
		"{ file: plain }":                         "",
		"{ file: sa.json, path: id }":             "",
		"{ file: pem }":                           "secrets.s.file: holds more than one line, or control characters; a secret that stands in braces has one line",
		"{ file: sa.json, path: a.key }":          "secrets.s.file: holds more than one line",
		"{ file: sa.json, path: none }":           "has no text at path; see which members it has",
		"{ file: sa.json, path: n }":              "has no text at path",
		"{ file: plain, path: id }":               "is no JSON; remove path",
		"{ file: sa.json, path: 'a[' }":           "secrets.s.path: is not a JSON path",
		"{ file: gone }":                          "cannot be read (no such file or directory)",
		"{ file: empty }":                         "is empty",
		"{ path: id }":                            "secrets.s.file: missing",
		`"a\nb"`:                                  "secrets.s: holds more than one line",
		"[a]":                                     "secrets.s: must be a single value, not a list",
		"open-sesame, client_id: x":               "secrets.client_id: is the name of something else",
		"open-sesame, S: x":                       "secrets.S: is not a name for a placeholder",
		"open-sesame, unused: { file: plain }":    "secrets.unused: has no effect: nothing of this token holds {unused}",
		"open-sesame, now_s: { file: plain }":     "secrets.now_s: is the name of something else",
		"open-sesame }, values: { s: { text: x }": "values.s: is the name of something else",
	} {
		text := `
tokens: { t: { request: { url: "https://id.example/t", headers: { X-A: "{s}" } }, secrets: { s: ` + written + ` } } }
upstreams: [ { name: u, token: t, url: "https://api.example" } ]`
		cfg, err := Parse("a.yaml", []byte(text), dir, func(string) (string, bool) { return "", false }, testWords())
		switch {
		case err != nil && strings.Contains(err.Error(), "sesame"):
			t.Errorf("%s: %v", written, err)
		case want == "" && err == nil:
			if got, err := cfg.Tokens[0].Credentials["s"].Read(); got != "open-sesame" || err != nil {
				t.Errorf("%s: %q %v", written, got, err)
			}
		case want == "" || err == nil || !strings.Contains(err.Error(), want):
			t.Errorf("%s: %v, want %s", written, err, want)
		}
	}
}
