package shared

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"time"

	"authproxy/tokencache"
)

// version begins what is stored; another one cannot be opened.
const version = 1

// vault seals and opens what is stored under the key of one credential.
type vault struct {
	key  string
	aead cipher.AEAD
}

// open derives the key of the seal from the secret (HKDF, RFC 5869; AES-256-GCM).
func open(c Credential) (vault, error) {
	key, err := hkdf.Key(sha256.New, c.Secret, nil, "authproxy store 1 "+c.Key, 32)
	if err != nil {
		return vault{}, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return vault{}, err
	}
	aead, err := cipher.NewGCM(block)
	return vault{c.Key, aead}, err
}

// seal returns value as it is stored; place keeps it from being taken for another.
func (v vault) seal(place string, value any) ([]byte, error) {
	plain, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	out := make([]byte, 1+v.aead.NonceSize(), 1+v.aead.NonceSize()+len(plain)+v.aead.Overhead())
	out[0] = version
	nonce := out[1:]
	_, _ = rand.Read(nonce) // never fails, by its documentation
	return v.aead.Seal(out, nonce, plain, []byte(v.key+place)), nil
}

var errSealed = errors.New("what is stored cannot be opened")

// unseal reads what was sealed. Its error says no more than that it cannot be opened.
func (v vault) unseal(place string, stored []byte, value any) error {
	size := 1 + v.aead.NonceSize()
	if len(stored) < size || stored[0] != version {
		return errSealed
	}
	plain, err := v.aead.Open(nil, stored[1:size], stored[size:], []byte(v.key+place))
	if err != nil || json.Unmarshal(plain, value) != nil {
		return errSealed
	}
	return nil
}

// record is a token as it is stored. A tokencache.Token hides itself from encoders.
type record struct {
	Value    string `json:"value"`
	Type     string `json:"type,omitempty"`
	Issued   int64  `json:"issued"`           // Unix time in milliseconds
	Expiry   int64  `json:"expiry,omitempty"` // likewise; 0: not known
	Refresh  string `json:"refresh,omitempty"`
	DeviceID string `json:"device,omitempty"`
}

func recordOf(t tokencache.Token) record {
	r := record{Value: t.Value, Type: t.Type, Issued: t.Issued.UnixMilli(), Refresh: t.Refresh, DeviceID: t.DeviceID}
	if !t.Expiry.IsZero() {
		r.Expiry = t.Expiry.UnixMilli()
	}
	return r
}

func (r record) token() tokencache.Token {
	t := tokencache.Token{Value: r.Value, Type: r.Type, Issued: time.UnixMilli(r.Issued), Refresh: r.Refresh, DeviceID: r.DeviceID}
	if r.Expiry != 0 {
		t.Expiry = time.UnixMilli(r.Expiry)
	}
	return t
}

// refusal is a refusal of the credentials as it is stored.
type refusal struct {
	Text  string `json:"text"`
	Until int64  `json:"until"` // Unix time in milliseconds
}
