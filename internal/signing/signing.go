// Package signing makes signed tokens (JWS in the compact form, RFC 7515; JWT, RFC 7519), and
// reads the keys that they are signed with.
package signing

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// Algs are the names of the algorithms (RFC 7518 section 3.1, RFC 8037 section 3.1). None is not
// among them.
func Algs() []string {
	return []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "HS256", "HS384", "HS512"}
}

// IsShared says whether the algorithm takes a text that both sides know, and no private key.
func IsShared(alg string) bool { return strings.HasPrefix(alg, "HS") }

// Key is a key that is made for one algorithm.
type Key struct {
	method jwt.SigningMethod
	key    any
}

// minBits is the least length of an RSA key (RFC 7518 section 3.3).
const minBits = 2048

// NewKey reads the key of an algorithm: PEM (PKCS#8, PKCS#1 or SEC1) or a JWK (RFC 7517), and text
// for the algorithms HS. Errors say what to do, and hold nothing of text.
func NewKey(alg, text string) (*Key, error) {
	if !slices.Contains(Algs(), alg) {
		return nil, fmt.Errorf("%q is none of %s", alg, strings.Join(Algs(), ", "))
	}
	key, err := readKey(text, IsShared(alg))
	if err != nil {
		return nil, err
	}
	if err := fits(alg, key); err != nil {
		return nil, err
	}
	return &Key{jwt.GetSigningMethod(alg), key}, nil
}

// fits says why key is none for alg.
func fits(alg string, key any) error {
	switch k := key.(type) {
	case *rsa.PrivateKey:
		switch bits := k.N.BitLen(); {
		case alg[:2] != "RS" && alg[:2] != "PS":
			return mismatch(alg, "an RSA key", "RS256 or PS256")
		case bits < minBits:
			return fmt.Errorf("is an RSA key of %d bits, and platforms take %d and more; make another one: openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:3072", bits, minBits)
		}
	case *ecdsa.PrivateKey:
		want := map[elliptic.Curve]string{elliptic.P256(): "ES256", elliptic.P384(): "ES384", elliptic.P521(): "ES512"}[k.Curve]
		if alg != want {
			return mismatch(alg, "an elliptic key of "+k.Params().Name, want)
		}
	case ed25519.PrivateKey:
		if alg != "EdDSA" {
			return mismatch(alg, "an Ed25519 key", "EdDSA")
		}
	case []byte:
		if !IsShared(alg) {
			return mismatch(alg, "a symmetric key", "HS256")
		}
	}
	return nil
}

func mismatch(alg, what, others string) error {
	if others == "" {
		return fmt.Errorf("is %s, which no algorithm here takes; make one of P-256, for ES256", what)
	}
	return fmt.Errorf("is %s, which %s does not sign with; write alg: %s, or give another key", what, alg, others)
}

var errTimes = errors.New("exp and iat are written by authproxy: set lifetime and backdate")

// CheckClaims returns the error of claims that are not the caller's to write.
func CheckClaims(claims map[string]any) error {
	if claims["exp"] != nil || claims["iat"] != nil {
		return errTimes
	}
	return nil
}

// Sign returns a JWT with these members of its header, besides alg and typ, and these claims,
// issued at issued and good until expiry.
func (k *Key) Sign(header, claims map[string]any, issued, expiry time.Time) (string, error) {
	all := jwt.MapClaims{}
	maps.Copy(all, claims)
	all["iat"], all["exp"] = issued.Unix(), expiry.Unix()
	t := jwt.NewWithClaims(k.method, all)
	for name, value := range header {
		if name != "alg" {
			t.Header[name] = value
		}
	}
	signed, err := t.SignedString(k.key)
	if err != nil {
		return "", errors.New("the key does not sign") // what a library says may quote
	}
	return signed, nil
}
