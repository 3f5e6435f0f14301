package config

import (
	"fmt"
	"strings"
	"testing"
)

// TestAuthMethods: what each way of client authentication makes of the request, and of the JWT.
func TestAuthMethods(t *testing.T) {
	dir := t.TempDir()
	keyFile(t, dir, "ec.pem")
	for written, want := range map[string]string{
		"auth_method: client_secret_basic, client_secret: s": "basic map[grant_type:client_credentials scope:{scope}] <nil>",
		"auth_method: client_secret_post, client_secret: s":  "none map[client_id:{client_id} client_secret:{client_secret} grant_type:client_credentials scope:{scope}] <nil>",
		"auth_method: none": "none map[client_id:{client_id} grant_type:client_credentials scope:{scope}] <nil>",
		"auth_method: client_secret_jwt, client_secret: s": "none map[client_assertion:{jwt} client_assertion_type:urn:ietf:params:oauth:client-assertion-type:jwt-bearer client_id:{client_id} grant_type:client_credentials scope:{scope}] " +
			"HS256 client_secret map[] map[aud:{token_url} iss:{client_id} jti:{uuid} sub:{client_id}]",
		"auth_method: private_key_jwt, secrets: { key: { file: ec.pem } }, jwt: { alg: ES256, key: key, header: { kid: k1 }, claims: { aud: other } }": "none map[client_assertion:{jwt} client_assertion_type:urn:ietf:params:oauth:client-assertion-type:jwt-bearer client_id:{client_id} grant_type:client_credentials scope:{scope}] " +
			"ES256 key map[kid:k1] map[aud:other iss:{client_id} jti:{uuid} sub:{client_id}]",
		"request: { url: 'https://id.example/x', auth: client_secret_jwt, form: { a: b } }, client_secret: s": "none map[a:b client_assertion:{jwt} client_assertion_type:urn:ietf:params:oauth:client-assertion-type:jwt-bearer client_id:{client_id}] " +
			"HS256 client_secret map[] map[aud:https://id.example/x iss:{client_id} jti:{uuid} sub:{client_id}]",

		"auth_method: private_key_jwt": "!tokens.t.jwt.key: missing; name the secret that signs",
		"auth_method: private_key_jwt, jwt: { key: ky }, secrets: { key: { file: ec.pem } }":  `!tokens.t.jwt.key: "ky" is not the name of a secret; did you mean key?`,
		"auth_method: private_key_jwt, jwt: { key: key }, secrets: { key: { file: ec.pem } }": "!the secret key is an elliptic key of P-256, which RS256 does not sign with; write alg: ES256",
		"auth_method: tls_client_auth":                                                  "!tokens.t.tls.cert_file: missing; with auth_method: tls_client_auth the client is known by its certificate",
		"auth_method: none, client_secret: s":                                           "!tokens.t.client_secret: has no effect",
		"auth_method: digest, client_secret: s":                                         "!tokens.t.auth_method: \"digest\" is not possible here; write client_secret_basic or client_secret_post or tls_client_auth or none or private_key_jwt or client_secret_jwt",
		"auth_method: client_secret_jwt, client_secret: s, request: { json: { a: b } }": "!needs a request with a form, and this one has json",
	} {
		url := "token_url: 'https://id.example/t', "
		if strings.Contains(written, "url:") {
			url = ""
		}
		cfg, err := parseIn(dir, "tokens: { t: { "+url+"client_id: a, "+written+" } }\nupstreams: [ { name: u, token: t, url: 'https://api.example' } ]")
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
		r, j := cfg.Tokens[0].Request, "<nil>"
		if made := cfg.Tokens[0].JWT; made != nil {
			j = fmt.Sprint(made.Alg, " ", made.Key, " ", made.Header, " ", made.Claims)
		}
		if got := fmt.Sprint(r.Auth, " ", r.Form, " ", j); got != want {
			t.Errorf("%s:\n%s\nwant\n%s", written, got, want)
		}
	}
}
