package signing

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"math/big"
	"strings"
)

var (
	errEncrypted   = errors.New("is an encrypted key; take the password off: openssl pkey -in KEY -out PLAIN, in a file that only authproxy reads")
	errCertificate = errors.New("is a certificate, which everybody may have; give the private key that belongs to it")
	errPublic      = errors.New("is a public key; give the private one")
	errKey         = errors.New("is no private key in PEM (PKCS#8, PKCS#1, SEC1) and no JWK")
	errEmpty       = errors.New("is empty")
)

// readKey reads a private key, or, where shared is wanted, any text.
func readKey(text string, shared bool) (any, error) {
	text = strings.TrimSpace(text)
	switch {
	case text == "":
		return nil, errEmpty
	case strings.HasPrefix(text, "-----BEGIN"):
		return readPEM(text)
	case strings.HasPrefix(text, "{"):
		return readJWK(text)
	case shared:
		return []byte(text), nil
	}
	return nil, errKey
}

// readPEM reads the first private key in text: files of tools hold parameters and certificates before it.
func readPEM(text string) (any, error) {
	found := errKey
	for rest := []byte(text); ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return nil, found
		}
		if block.Headers["DEK-Info"] != "" { // RFC 1421 section 4.6.1.3
			return nil, errEncrypted
		}
		var key any
		var err error
		switch block.Type {
		case "PRIVATE KEY":
			key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
		case "RSA PRIVATE KEY":
			key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
		case "EC PRIVATE KEY":
			key, err = x509.ParseECPrivateKey(block.Bytes)
		case "ENCRYPTED PRIVATE KEY":
			return nil, errEncrypted
		case "CERTIFICATE":
			found = errCertificate
			continue
		case "PUBLIC KEY", "RSA PUBLIC KEY":
			found = errPublic
			continue
		default:
			continue
		}
		if err != nil {
			return nil, errKey
		}
		return key, nil
	}
}

// jwk is a key as RFC 7517 has it, with the members of RFC 7518 section 6 and RFC 8037 section 2.
type jwk struct {
	Kty, Crv         string
	N, E, D, P, Q, K string
}

func readJWK(text string) (any, error) {
	var k jwk
	if json.Unmarshal([]byte(text), &k) != nil {
		return nil, errKey
	}
	if k.Kty != "oct" && k.Kty != "" && k.D == "" {
		return nil, errPublic
	}
	var key any
	var err error
	switch k.Kty {
	case "RSA":
		key, err = k.rsa()
	case "EC":
		curve := map[string]elliptic.Curve{"P-256": elliptic.P256(), "P-384": elliptic.P384(), "P-521": elliptic.P521()}[k.Crv]
		if curve == nil {
			return nil, errKey
		}
		key, err = ecdsa.ParseRawPrivateKey(curve, octets(k.D))
	case "OKP":
		seed := octets(k.D)
		if k.Crv != "Ed25519" || len(seed) != ed25519.SeedSize {
			return nil, errKey
		}
		key = ed25519.NewKeyFromSeed(seed)
	case "oct":
		key = octets(k.K)
		if len(octets(k.K)) == 0 {
			err = errEmpty
		}
	default:
		err = errKey
	}
	if err != nil {
		return nil, errKey
	}
	return key, nil
}

func (k jwk) rsa() (*rsa.PrivateKey, error) {
	number := func(text string) *big.Int { return new(big.Int).SetBytes(octets(text)) }
	e := number(k.E)
	if !e.IsInt64() || e.Int64() > 1<<31 || k.P == "" || k.Q == "" {
		return nil, errKey
	}
	key := &rsa.PrivateKey{
		PublicKey: rsa.PublicKey{N: number(k.N), E: int(e.Int64())}, D: number(k.D), Primes: []*big.Int{number(k.P), number(k.Q)},
	}
	if err := key.Validate(); err != nil {
		return nil, err
	}
	key.Precompute()
	return key, nil
}

// octets are the bytes of a member (RFC 7515 section 2); none where it is not valid.
func octets(text string) []byte {
	data, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(text, "="))
	if err != nil {
		return nil
	}
	return data
}
