package jsonpath

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Match is a place in a JSON document and the values looked for there. Numbers,
// booleans and strings compare by text.
type Match struct {
	// Path may lead to several values; any one is enough.
	Path Path
	// Values are texts: the number 0 is "0". A star stands for any text, none
	// among it.
	Values []string
}

// In tells whether one of the values stands in doc, which is what encoding/json
// has decoded, with numbers as [json.Number].
func (m Match) In(doc any) bool { return slices.ContainsFunc(m.Path.All(doc), m.is) }

func (m Match) is(value any) bool {
	text, ok := Text(value)
	return ok && slices.ContainsFunc(m.Values, func(pattern string) bool { return Like(pattern, text) })
}

// Text is the text by which values compare; objects, arrays and null have none.
func Text(value any) (text string, ok bool) {
	switch v := value.(type) {
	case string:
		return v, true
	case json.Number:
		return v.String(), true
	case bool, int, int64, float64:
		return fmt.Sprint(v), true
	}
	return "", false
}

// Like tells whether text is pattern, in which a star stands for any text, none
// among it.
func Like(pattern, text string) bool {
	head, rest, star := strings.Cut(pattern, "*")
	if !star {
		return pattern == text
	}
	text, ok := strings.CutPrefix(text, head)
	for ok {
		piece, more, star := strings.Cut(rest, "*")
		if !star {
			return strings.HasSuffix(text, rest)
		}
		_, text, ok = strings.Cut(text, piece)
		rest = more
	}
	return false
}
