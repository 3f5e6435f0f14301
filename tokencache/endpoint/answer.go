package endpoint

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"authproxy/internal/httpsyntax"
	"authproxy/internal/jsonpath"
)

// answer is what came back, read as far as it may be.
type answer struct {
	status   int
	header   http.Header
	size     int
	tooLarge bool
	encoding string // of the content, when it has one: it is not undone
	isJSON   bool
	doc      any
}

func (a *answer) success() bool { return a.status >= 200 && a.status <= 299 }

// blank tells that there is nothing to look into.
func (a *answer) blank() bool {
	switch doc := a.doc.(type) {
	case map[string]any:
		return len(doc) == 0
	case []any:
		return len(doc) == 0
	}
	return !a.isJSON || a.doc == nil
}

// read decodes the body. Whatever its media type, it is JSON when it reads so.
func (a *answer) read(body []byte) {
	a.size, a.tooLarge = len(body), len(body) > maxAnswer
	a.encoding = a.header.Get("Content-Encoding")
	if a.tooLarge || a.encoding != "" && !strings.EqualFold(a.encoding, "identity") {
		return
	}
	dec := json.NewDecoder(bytes.NewReader(bytes.TrimPrefix(body, []byte("\xef\xbb\xbf"))))
	dec.UseNumber()
	if dec.Decode(&a.doc) != nil {
		a.doc = nil
		return
	}
	_, err := dec.Token()
	a.isJSON = err == io.EOF
	if !a.isJSON {
		a.doc = nil
	}
}

// find is the value that s selects. Headers are strings.
func (a *answer) find(s Selector) (any, bool) {
	if s.Header != "" {
		values := a.header.Values(s.Header)
		if len(values) == 0 {
			return nil, false
		}
		return values[0], true
	}
	return s.Path.First(a.doc)
}

// texts are the values of the selectors that have a text.
func (a *answer) texts(selectors ...Selector) []string {
	var texts []string
	for _, s := range selectors {
		value, _ := a.find(s)
		if t, ok := textOf(value); ok {
			texts = append(texts, t)
		}
	}
	return texts
}

// textOf is the text by which values compare; objects, arrays and null have none.
func textOf(value any) (string, bool) {
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

// holds tells whether all the matches do.
func (a *answer) holds(matches []Match) bool {
	for _, m := range matches {
		value, _ := m.Path.First(a.doc)
		text, ok := textOf(value)
		if !ok || !slices.Contains(m.Values, text) {
			return false
		}
	}
	return true
}

// tokenType is the token_type if it is one that can stand in a header.
func (a *answer) tokenType(m Response) string {
	value, _ := a.find(m.TokenType)
	text, _ := value.(string)
	if len(text) > 64 || !httpsyntax.IsToken(text) {
		return ""
	}
	return text
}

func (a *answer) expiry(m Response, sent time.Time) time.Time {
	value, _ := a.find(m.ExpiresIn)
	text, ok := textOf(value)
	if !ok {
		return time.Time{}
	}
	return expiry(text, m.ExpiresUnit, sent)
}

// errorCode matches what may be shown of an answer.
var errorCode = regexp.MustCompile(`^[A-Za-z0-9_.:/-]{1,64}$`)

// code is the error code in the answer, in brackets and behind a space; empty
// when there is none that may be shown.
func (a *answer) code(paths []jsonpath.Path, s secrets) string {
	for _, path := range paths {
		value, _ := path.First(a.doc)
		if text, ok := textOf(value); ok && errorCode.MatchString(text) && !s.in(text) {
			return " (" + text + ")"
		}
	}
	return ""
}

// describe says what the answer's body is, without its content.
func (a *answer) describe(s secrets) string {
	if a.tooLarge {
		return "more than 1 MiB"
	}
	if a.size == 0 {
		return "an empty body"
	}
	what := "no media type"
	media, _, _ := mime.ParseMediaType(a.header.Get("Content-Type"))
	if errorCode.MatchString(media) && !s.in(strings.TrimPrefix(media, "application/")) { // a part of many a client id
		what = media
	}
	if a.encoding != "" {
		what += " in a content encoding that was not asked for"
	}
	return fmt.Sprintf("%s, %d bytes", what, a.size)
}
