package config

import (
	"slices"
	"strings"

	"authproxy/internal/signing"
)

// Vocabulary is what a configuration may say of requests to a token endpoint: the words of those who
// make them, who are not known here.
type Vocabulary struct {
	// Auth lists the ways of client authentication, the default first.
	Auth []AuthMethod
	// Reserved are the placeholders that are filled when a request is made, besides credentials.
	Reserved []string
	// Hashes and Encodings are those of a [Value].
	Hashes, Encodings []string
	// Units are the words for how a lifetime is written.
	Units []string
}

// AuthMethod is a way of client authentication.
type AuthMethod struct {
	// Name is the value of auth.
	Name string
	// Needs lists the credentials that it uses.
	Needs []string
	// Header is the header that it writes itself, in the spelling of net/http; empty for none.
	Header string
}

// CredentialNames are the credentials that a token has keys for, in the order in which messages name
// them.
func CredentialNames() []string {
	return []string{"client_id", "client_secret", "username", "password"}
}

// IsConfidential says whether the credential of that name must not be shown: the others name its owner.
func IsConfidential(name string) bool { return name == "client_secret" || name == "password" }

// auth returns the method of that name; the zero AuthMethod when there is none.
func (v Vocabulary) auth(name string) AuthMethod {
	i := slices.IndexFunc(v.Auth, func(m AuthMethod) bool { return m.Name == name })
	if i < 0 {
		return AuthMethod{}
	}
	return v.Auth[i]
}

// choices are the values that a tag oneof lists.
func (v Vocabulary) choices(oneof string) []string {
	switch oneof {
	case "{auth}":
		return append(v.authNames(), assertions()...)
	case "{alg}":
		return signing.Algs()
	case "{hash}":
		return v.Hashes
	case "{encoding}":
		return v.Encodings
	}
	return strings.Split(oneof, "|")
}

// authNames are the values of auth.
func (v Vocabulary) authNames() []string {
	names := make([]string, len(v.Auth))
	for i, m := range v.Auth {
		names[i] = m.Name
	}
	return names
}
