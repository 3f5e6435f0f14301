package endpoint

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"authproxy/internal/signing"
)

// JWT says how {jwt} is made, afresh for each request that holds it (RFC 7519): an assertion, or a token by itself.
type JWT struct {
	// Alg is one of [signing.Algs].
	Alg string
	// Key is the name of the secret that signs.
	Key string
	// Header and Claims are further members; the strings in them are templates. alg, iat and
	// exp are not theirs.
	Header, Claims map[string]any
	// Lifetime is how long it is good, and Backdate by how much it seems to be older than it is,
	// for clocks that differ.
	Lifetime, Backdate time.Duration
}

// jwtName is the placeholder that stands for it.
const jwtName = "jwt"

// jwtMaker is a compiled [JWT].
type jwtMaker struct {
	JWT
	header, claims map[string]any // with templates for strings
	uses           map[string]bool
	known          atomic.Pointer[knownKey]
}

// knownKey is the key that was read last, and of which text.
type knownKey struct {
	text string
	key  *signing.Key
}

// compileJWT returns the faults of o.JWT, and what makes it; nil when there is none.
func compileJWT(o Options, made []derived) (*jwtMaker, []error) {
	if o.JWT == nil {
		return nil, nil
	}
	c := newCompiler(jwtName, o, made)
	m := &jwtMaker{JWT: *o.JWT, uses: c.uses}
	switch {
	case !slices.Contains(signing.Algs(), m.Alg):
		c.fault("alg", "%q is none of %s", m.Alg, strings.Join(signing.Algs(), ", "))
	case !slices.Contains(o.Secrets, m.Key):
		c.fault("key", "%q is none of the secrets", m.Key)
	case m.Lifetime <= 0 || m.Backdate < 0:
		c.fault("lifetime", "a lifetime is more than nothing, and backdate is not negative")
	}
	if err := signing.CheckClaims(m.Claims); err != nil {
		c.fault("claims", "%v", err)
	}
	m.header, _ = c.json(m.Header).(map[string]any)
	m.claims, _ = c.json(m.Claims).(map[string]any)
	c.uses[m.Key] = true
	return m, c.faults
}

// derivedOf says what m is made of, for those who compile what holds it.
func derivedOf(m *jwtMaker) derived {
	return derived{Value: Value{Name: jwtName}, uses: m.uses, secret: true}
}

// make returns the JWT of a request that is sent at sent with v. Errors hold no secret.
func (m *jwtMaker) make(v values, sent time.Time) (string, error) {
	key, err := m.key(v[m.Key])
	if err != nil {
		return "", fmt.Errorf("the key of jwt, in the secret %s, %w", m.Key, err)
	}
	header, err := fillMembers(m.header, v)
	if err != nil {
		return "", err
	}
	claims, err := fillMembers(m.claims, v)
	if err != nil {
		return "", err
	}
	return key.Sign(header, claims, sent.Add(-m.Backdate), sent.Add(m.Lifetime))
}

func fillMembers(members map[string]any, v values) (map[string]any, error) {
	filled, err := fillObject(members, v)
	if err != nil {
		return nil, err
	}
	return filled.(map[string]any), nil
}

// key reads text, unless it is that of the last time.
func (m *jwtMaker) key(text string) (*signing.Key, error) {
	if last := m.known.Load(); last != nil && last.text == text {
		return last.key, nil
	}
	key, err := signing.NewKey(m.Alg, text)
	if err != nil {
		return nil, err
	}
	m.known.Store(&knownKey{text, key})
	return key, nil
}
