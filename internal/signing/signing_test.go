package signing

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

func pemOf(kind string, der []byte, err error) string {
	if err != nil {
		panic(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// TestKeysInEverySpelling: each way of writing each kind of key signs what the other side verifies.
func TestKeysInEverySpelling(t *testing.T) {
	r, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	e, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	_, ed, _ := ed25519.GenerateKey(rand.Reader)
	pkcs8 := func(key any) string {
		der, err := x509.MarshalPKCS8PrivateKey(key)
		return pemOf("PRIVATE KEY", der, err)
	}
	sec1, sec1Err := x509.MarshalECPrivateKey(e)
	jwkOf := func(members map[string]string) string { text, _ := json.Marshal(members); return string(text) }
	point := func(n *big.Int, size int) string { return b64(n.FillBytes(make([]byte, size))) }
	d, _ := e.Bytes()
	for name, c := range map[string]struct {
		text, alg string
		public    crypto.PublicKey
	}{
		"PKCS#8 RSA":           {pkcs8(r), "RS256", r.Public()},
		"PKCS#1":               {pemOf("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(r), nil), "PS384", r.Public()},
		"JWK RSA":              {jwkOf(map[string]string{"kty": "RSA", "n": b64(r.N.Bytes()), "e": "AQAB", "d": b64(r.D.Bytes()), "p": b64(r.Primes[0].Bytes()), "q": b64(r.Primes[1].Bytes())}), "RS512", r.Public()},
		"PKCS#8 EC":            {pkcs8(e), "ES256", e.Public()},
		"SEC1 with parameters": {pemOf("EC PARAMETERS", []byte{6, 8}, nil) + pemOf("EC PRIVATE KEY", sec1, sec1Err), "ES256", e.Public()},
		"JWK EC":               {jwkOf(map[string]string{"kty": "EC", "crv": "P-256", "x": point(e.X, 32), "y": point(e.Y, 32), "d": b64(d)}), "ES256", e.Public()},
		"PKCS#8 Ed25519":       {pkcs8(ed), "EdDSA", ed.Public()},
		"JWK OKP":              {jwkOf(map[string]string{"kty": "OKP", "crv": "Ed25519", "d": b64(ed.Seed())}), "EdDSA", ed.Public()},
		"a text":               {" shared secret \n", "HS256", []byte("shared secret")},
		"JWK oct":              {jwkOf(map[string]string{"kty": "oct", "k": b64([]byte("shared secret"))}), "HS512", []byte("shared secret")},
	} {
		key, err := NewKey(c.alg, c.text)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		now := time.Now()
		signed, err := key.Sign(map[string]any{"kid": "k1", "alg": "none"}, map[string]any{"iss": "app", "n": 1}, now.Add(-30*time.Second), now.Add(5*time.Minute))
		if err != nil {
			t.Fatal(err)
		}
		claims := jwt.MapClaims{}
		read, err := jwt.ParseWithClaims(signed, claims, func(*jwt.Token) (any, error) { return c.public, nil }, jwt.WithValidMethods([]string{c.alg}), jwt.WithIssuedAt(), jwt.WithExpirationRequired())
		if err != nil || read.Header["kid"] != "k1" || claims["iss"] != "app" {
			t.Errorf("%s: %v %v %v", name, err, read.Header, claims)
		}
	}
}

// TestKeysThatAreNone say what to do, and show nothing.
func TestKeysThatAreNone(t *testing.T) {
	small, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	r, _ := rsa.GenerateKey(rand.Reader, 2048)
	e, _ := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	rsaPEM := pemOf("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(r), nil)
	sec1, sec1Err := x509.MarshalECPrivateKey(e)
	public, publicErr := x509.MarshalPKIXPublicKey(r.Public())
	for want, c := range map[string]struct{ alg, text string }{
		`"none" is none of RS256`:                                                       {"none", "x"},
		"is an RSA key of 1024 bits, and platforms take 2048 and more":                  {"RS256", pemOf("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(small), nil)},
		"is an RSA key, which ES256 does not sign with; write alg: RS256 or PS256":      {"ES256", rsaPEM},
		"is an elliptic key of P-384, which ES256 does not sign with; write alg: ES384": {"ES256", pemOf("EC PRIVATE KEY", sec1, sec1Err)},
		"is an RSA key, which HS256 does not sign with":                                 {"HS256", rsaPEM},
		"is an encrypted key; take the password off":                                    {"RS256", pemOf("ENCRYPTED PRIVATE KEY", []byte("open-sesame"), nil)},
		"is an encrypted key; take":                                                     {"RS256", "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nb3Blbi1zZXNhbWU=\n-----END RSA PRIVATE KEY-----\n"},
		"is a certificate, which everybody may have; give the private key":              {"RS256", pemOf("CERTIFICATE", []byte("x"), nil)},
		"is a public key; give the private one":                                         {"RS256", pemOf("PUBLIC KEY", public, publicErr)},
		"is no private key in PEM (PKCS#8, PKCS#1, SEC1) and no JWK":                    {"RS256", "open-sesame"},
		"is no private key in PEM":                                                      {"RS256", "-----BEGIN PRIVATE KEY-----\nb3Blbi1zZXNhbWU=\n-----END PRIVATE KEY-----"},
		"is a public key":                                                               {"RS256", `{"kty":"RSA","n":"AQAB","e":"AQAB"}`},
		"is a symmetric key, which RS256 does not sign with; write alg: HS256":          {"RS256", `{"kty":"oct","k":"b3Blbi1zZXNhbWU"}`},
		"is empty": {"HS256", " \n"},
		"is no private key in PEM (PKCS#8, PKCS#1, SEC1) and no": {"ES256", `{"kty":"EC","crv":"P-256","d":"AA"}`},
	} {
		_, err := NewKey(c.alg, c.text)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "sesame") {
			t.Errorf("%v, want %s", err, want)
		}
	}
	if CheckClaims(map[string]any{"exp": 1}) == nil || CheckClaims(map[string]any{"sub": "a"}) != nil {
		t.Error("claims")
	}
}

// FuzzNewKey: no text makes it fail otherwise than with an error that does not show the text.
func FuzzNewKey(f *testing.F) {
	f.Add("RS256", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----")
	f.Add("ES256", `{"kty":"EC","crv":"P-256","d":"AAAA"}`)
	f.Add("RS256", `{"kty":"RSA","n":"AQAB","e":"AQAB","d":"AQ","p":"AQ","q":"AQ"}`)
	f.Fuzz(func(t *testing.T, alg, text string) {
		_, err := NewKey(alg, text)
		if err != nil && len(text) > 12 && strings.Contains(err.Error(), text) {
			t.Errorf("%v", err)
		}
	})
}
