package tokencache

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"time"
)

// Token is one access token and what is known about it. Printing it, with any
// verb or through log/slog, shows a fingerprint and never a secret.
type Token struct {
	// Value is the access token itself, as it is sent to the upstream.
	Value string
	// Type is the token_type of the answer as it came, for example "Bearer" or
	// "bearer" (RFC 6749 section 7.1); empty when the answer named none.
	Type string
	// Issued is when the request that brought the token was sent.
	Issued time.Time
	// Expiry is when the token stops being good. A Source leaves it zero when
	// the answer names no usable lifetime; the Cache then applies its default.
	Expiry time.Time
	// Refresh is the refresh token that came with it, empty without one.
	Refresh string
	// DeviceID is the identity under which the token was asked for, for
	// platforms that count devices; a Source makes it once and hands it on.
	DeviceID string
	// Refused tells a Source that the token held, which it is given, was refused by the
	// upstream.
	Refused bool
	// Caused tells of a token that [Cache.Replace] returned that this very call
	// had it made, and did not join others or find it there.
	Caused bool

	// Adopted tells that another process had it made, and a store held it: the platform
	// was not asked.
	Adopted bool
	// Unread says what of the answer could not be read, for people: no lifetime
	// where one was to be. Empty for nothing.
	Unread string

	fingerprint string // of Value, once it is in a Cache
}

// Fingerprint identifies the token in logs without disclosing it: the first
// four bytes of the SHA-256 of its value in hexadecimal, or "-" for none.
func (t Token) Fingerprint() string {
	if t.fingerprint != "" {
		return t.fingerprint
	}
	return Fingerprint(t.Value)
}

// Fingerprint is [Token.Fingerprint] for a bare value.
func Fingerprint(value string) string {
	if value == "" {
		return "-"
	}
	sum := sha256.Sum256([]byte(value))
	return hex.EncodeToString(sum[:4])
}

// String shows the fingerprint and the expiry.
func (t Token) String() string {
	return fmt.Sprintf("token %s, expires %s", t.Fingerprint(), t.Expiry.UTC().Format(time.RFC3339))
}

// Format keeps every verb, %+v and %#v among them, from showing the fields.
func (t Token) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(t.String())) }

// LogValue is what log/slog shows.
func (t Token) LogValue() slog.Value { return slog.StringValue(t.String()) }

// MarshalText keeps the encoders of JSON and YAML from showing the fields.
func (t Token) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// A Source asks a platform for a token.
//
// Fetch is called by one goroutine at a time. last is the token held so far,
// the zero Token at first; its Refresh and DeviceID may be used. Errors are of
// type [*FetchError] where the cause is known; they never hold a secret.
type Source interface {
	Fetch(ctx context.Context, last Token) (Token, error)
}
