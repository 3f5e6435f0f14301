package endpoint

import (
	"regexp"
	"strings"
	"unicode"

	"authproxy/internal/httpsyntax"
	"authproxy/internal/jsonpath"
)

// maxToken bounds the length of tokens, in bytes.
const maxToken = 16 << 10

// token is the token at s, as it goes into requests.
func (a *answer) token(s Selector) (value any, found bool) {
	value, found = a.find(s)
	text, ok := value.(string)
	if !ok {
		return value, found
	}
	text = bare(text)
	if s.Body && !isToken(text) {
		return nil, false
	}
	return text, found
}

// bare is text without what some answers write around a token: blanks, a line feed
// behind a body that is the token, and the scheme before it. A scheme alone is none.
func bare(text string) string {
	for {
		text = strings.TrimSpace(text)
		end := strings.IndexFunc(text, unicode.IsSpace)
		switch {
		case strings.EqualFold(text, "Bearer"):
			return ""
		case end < 0 || !strings.EqualFold(text[:end], "Bearer"):
			return text
		}
		text = text[end:]
	}
}

var (
	// notTokens matches bodies that say how it went, and numbers that are more likely
	// to be a code than a token.
	notTokens = regexp.MustCompile(`(?i)^(null|nil|none|undefined|true|false|ok|success|error|fail(ed|ure)?|unauthorized|forbidden|[-+]?\d{1,7}|[-+]\d+|[-+]?\d*\.\d+|[-+.\d]+e[-+]?\d+)$`)
	// membersFirst matches the beginning of a form, and of JSON that is cut.
	membersFirst = regexp.MustCompile(`^([{\[]|[A-Za-z_]+=[^=])`)
)

// isToken tells whether a whole body, or the string of JSON that it is, can be a token:
// a word of visible ASCII without quotes and angle brackets, which all of RFC 6750's
// b68token are. Digits alone are one from eight of them on.
func isToken(text string) bool {
	return text != "" && !notTokens.MatchString(text) && !membersFirst.MatchString(text) &&
		!strings.ContainsAny(text, "\"'`<>") && !strings.ContainsFunc(text, isUnfit)
}

// isUnfit tells whether no token in a header holds r.
func isUnfit(r rune) bool { return r < 0x21 || r > 0x7e }

// usable tells whether value can be a token.
func usable(value any) bool { return value != "" && unfit(value) == "" }

// unfit is why value cannot be sent as a token, without the value; empty when it can.
func unfit(value any) string {
	text, ok := value.(string)
	if !ok {
		return "it is not a text"
	}
	if len(text) > maxToken {
		return "it is longer than 16 KiB"
	}
	for _, r := range text {
		switch {
		case r > 0x7e && !unicode.IsControl(r):
			return "it holds characters beyond ASCII, which no header can hold"
		case r == ' ':
			return "it holds a blank"
		case isUnfit(r):
			return "it holds control characters, which no header can hold"
		}
	}
	return ""
}

// tokens are the texts at the selectors, also those that cannot be tokens.
func (a *answer) tokens(selectors ...Selector) []string {
	var texts []string
	for _, s := range selectors {
		value, found := a.token(s)
		if !found {
			value, _ = a.find(s)
		}
		if text, ok := jsonpath.Text(value); ok {
			texts = append(texts, text)
		}
	}
	return texts
}

// tokenType is the token_type if it is one that can stand in a header, and that may
// be shown.
func (a *answer) tokenType(m Response, s *secrets) string {
	value, _ := a.find(m.TokenType)
	text, _ := value.(string)
	switch {
	case len(text) > 64 || !httpsyntax.IsToken(text):
		return ""
	case !strings.EqualFold(text, "Bearer") && s.in(text):
		return ""
	}
	return text
}
