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

// in tells whether text holds a secret, or a good part of one: platforms cut
// short what they quote. What is shorter than four bytes is in many a word, and
// counts when it is all of text.
func (s secrets) in(text string) bool {
	text = strings.ToLower(text)
	for _, secret := range s {
		held := len(secret) >= 4 && strings.Contains(text, secret)
		if text == secret || held || share(text, secret) {
			return true
		}
	}
	return false
}

// goodPart is how many bytes of a secret must not be shown.
const goodPart = 8

// share tells whether a and b have a good part in common.
func share(a, b string) bool {
	for i := range max(0, len(a)-goodPart+1) {
		if strings.Contains(b, a[i:i+goodPart]) {
			return true
		}
	}
	return false
}
