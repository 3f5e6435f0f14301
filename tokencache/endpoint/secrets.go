package endpoint

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"html"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"
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
			t, url.QueryEscape(t), url.PathEscape(t), html.EscapeString(t), inJSON(t), hex.EncodeToString([]byte(t)),
			base64.RawStdEncoding.EncodeToString([]byte(t)),
			base64.RawURLEncoding.EncodeToString([]byte(t)),
		} {
			*s = append(*s, strings.ToLower(form))
		}
	}
}

// inJSON is text as it stands within a string of JSON.
func inJSON(text string) string {
	quoted, _ := json.Marshal(text) // of a string, it does not fail
	return string(quoted[1 : len(quoted)-1])
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

// mask returns text with stars in the places of secrets, and of good parts of them.
func (s secrets) mask(text string) string {
	lower := strings.ToLower(text)
	if len(lower) != len(text) {
		return "***" // letters whose cases differ in length: places would not fit
	}
	hidden := make([]bool, len(text))
	hide := func(from, n int) {
		for i := from; i < from+n; i++ {
			hidden[i] = true
		}
	}
	for _, secret := range s {
		if lower == secret {
			return "***"
		}
		part := min(len(secret), goodPart)
		for i := range max(0, len(lower)-part+1) {
			if strings.Contains(secret, lower[i:i+part]) && (part >= 4 || isWord(lower, i, i+part)) {
				hide(i, part)
			}
		}
	}
	return starred(text, hidden)
}

// isWord tells whether no letter, digit or underscore stands before or behind a part of text.
func isWord(text string, from, to int) bool {
	inWord := func(r rune) bool { return r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) }
	before, _ := utf8.DecodeLastRuneInString(text[:from])
	behind, _ := utf8.DecodeRuneInString(text[to:])
	return !inWord(before) && !inWord(behind)
}

// starred returns text with stars for each run of what is hidden.
func starred(text string, hidden []bool) string {
	var b strings.Builder
	for i, r := range text {
		switch {
		case !hidden[i]:
			b.WriteRune(r)
		case i == 0 || !hidden[i-1]:
			b.WriteString("***")
		}
	}
	return b.String()
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
