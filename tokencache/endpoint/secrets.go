package endpoint

import (
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"strings"
)

// secrets are the texts, in lower case, that must not be part of what is shown:
// credentials and tokens as they are and in the encodings they travel in.
type secrets []string

func (s *secrets) add(texts ...string) {
	for _, t := range texts {
		if t == "" {
			continue
		}
		for _, form := range []string{
			t, url.QueryEscape(t), url.PathEscape(t), hex.EncodeToString([]byte(t)),
			base64.RawStdEncoding.EncodeToString([]byte(t)),
			base64.RawURLEncoding.EncodeToString([]byte(t)),
		} {
			*s = append(*s, strings.ToLower(form))
		}
	}
}

// addPair adds what Basic authentication makes of id and secret, in both styles.
func (s *secrets) addPair(id, secret string) {
	if secret != "" {
		s.add(id+":"+secret, url.QueryEscape(id)+":"+url.QueryEscape(secret))
	}
}

// in tells whether text holds a secret, or is a good part of one. What is shorter
// than four bytes is in many a word, and counts when it is all of text.
func (s secrets) in(text string) bool {
	text = strings.ToLower(text)
	for _, secret := range s {
		held := len(secret) >= 4 && strings.Contains(text, secret)
		part := len(text) >= 8 && strings.Contains(secret, text)
		if text == secret || held || part {
			return true
		}
	}
	return false
}
