package endpoint

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// goodPart is how many bytes of a secret must not be shown: platforms cut short what
// they quote.
const goodPart = 8

// piece is a part of that many bytes.
type piece [goodPart]byte

// secrets are the texts that must not be part of what is shown: credentials and tokens
// as they are, in any escapes, and in the encodings they travel in. They are looked for
// in a text in time in proportion to it, however many and long they are.
type secrets struct {
	added  []string           // and not yet in pieces or short
	pieces map[piece]struct{} // of the forms that are long enough
	short  []string           // the other forms
}

func (s *secrets) add(texts ...string) {
	for _, t := range texts {
		if t != "" && !slices.Contains(s.added, t) {
			s.added = append(s.added, t)
		}
	}
}

// addPair adds what Basic authentication makes of id and secret, in both styles.
func (s *secrets) addPair(id, secret string) {
	if secret != "" {
		s.add(id+":"+secret, url.QueryEscape(id)+":"+url.QueryEscape(secret))
	}
}

// learn prepares for being looked for in a text of that length what was added and can
// be in it. Of what is too long for a token, the beginning and the end count.
func (s *secrets) learn(length int) {
	const long = 16 * goodPart // bytes: nothing so long has a form of less than a piece
	if s.pieces == nil {
		s.pieces = map[piece]struct{}{}
	}
	s.added = slices.DeleteFunc(s.added, func(t string) bool {
		if len(t) > long && length < goodPart {
			return false
		}
		if len(t) > 2*maxToken {
			s.learnForms(t[:maxToken])
			t = t[len(t)-maxToken:]
		}
		s.learnForms(t)
		return true
	})
}

func (s *secrets) learnForms(text string) {
	for _, p := range formsOf(text) {
		s.learnForm(p.text)
	}
	for _, form := range encodings(text) {
		s.learnForm(formsOf(form)[0].text)
	}
}

// encodings are hexadecimal digits and base64 of text, and base64 of its form encoding,
// which Basic authentication has (RFC 6749 section 2.3.1).
func encodings(text string) []string {
	forms := append(inBase64(text), hex.EncodeToString([]byte(text)))
	if escaped := url.QueryEscape(text); escaped != text {
		forms = append(forms, inBase64(escaped)...)
	}
	return forms
}

// inBase64 is base64 of text alone, and the part of it that stays the same whatever
// stands before and behind text.
func inBase64(text string) []string {
	const least = 6 // characters: a shorter one is part of many a word
	var forms []string
	add := func(form string) {
		if !slices.Contains(forms, form) {
			forms = append(forms, form)
		}
	}
	for _, e := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		add(e.EncodeToString([]byte(text)))
		for before := range 3 {
			bits := 8 * (before + len(text))
			coded := e.EncodeToString(append(make([]byte, before, before+len(text)), text...))
			if coded = coded[(8*before+5)/6 : bits/6]; len(coded) >= least {
				add(coded)
			}
		}
	}
	return forms
}

func (s *secrets) learnForm(form []byte) {
	switch {
	case len(form) >= goodPart:
		for i := range len(form) - goodPart + 1 {
			s.pieces[piece(form[i:])] = struct{}{}
		}
	case len(form) > 0 && !slices.Contains(s.short, string(form)):
		s.short = append(s.short, string(form))
	}
}

// in tells whether text holds a secret, or a good part of one. What is shorter than
// four bytes is in many a word, and counts when it is all of text.
func (s *secrets) in(text string) bool {
	found := false
	s.find(text, func(p form, from, to int) {
		found = found || to-from >= 4 || to-from == len(p.text)
	})
	return found
}

// mask returns text with stars in the places of secrets, and of good parts of them.
func (s *secrets) mask(text string) string {
	hidden := make([]bool, len(text))
	s.find(text, func(p form, from, to int) {
		if to-from < 4 && !isWord(p.text, from, to) {
			return
		}
		for i := p.from[from]; i < p.to[to-1]; i++ {
			hidden[i] = true
		}
	})
	return starred(text, hidden)
}

// find calls found for each secret in text, and each good part of one: where it begins
// and ends in p, one of the forms of text.
func (s *secrets) find(text string, found func(p form, from, to int)) {
	s.learn(len(text))
	for _, p := range formsOf(text) {
		for i := range max(0, len(p.text)-goodPart+1) {
			if _, ok := s.pieces[piece(p.text[i:])]; ok {
				found(p, i, i+goodPart)
			}
		}
		for _, short := range s.short {
			for at := 0; ; at++ {
				next := bytes.Index(p.text[at:], []byte(short))
				if next < 0 {
					break
				}
				at += next
				found(p, at, at+len(short))
			}
		}
	}
}

// isWord tells whether no letter, digit or underscore stands before or behind a part of text.
func isWord(text []byte, from, to int) bool {
	inWord := func(r rune) bool { return r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) }
	before, _ := utf8.DecodeLastRune(text[:from])
	behind, _ := utf8.DecodeRune(text[to:])
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
