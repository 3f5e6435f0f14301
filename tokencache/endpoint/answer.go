package endpoint

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"slices"
	"time"

	"authproxy/internal/coding"
	"authproxy/internal/jsonpath"
)

// answer is what came back, read as far as it may be.
type answer struct {
	status   int
	header   http.Header
	grants   bool  // a token was asked for
	statuses []int // that mean success; empty: any 2xx
	size     int
	tooLarge bool
	text     string // the body, decoded and without a byte order mark
	isJSON   bool
	doc      any
}

func (a *answer) success() bool {
	if len(a.statuses) > 0 {
		return slices.Contains(a.statuses, a.status)
	}
	return a.status >= 200 && a.status <= 299
}

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

// read decodes the body. Whatever its media type, it is JSON when it reads so; and
// whatever its content coding is called, it is undone when it can be.
func (a *answer) read(body []byte) {
	a.size, a.tooLarge = len(body), len(body) > maxAnswer
	body, ok := coding.Decode(body, coding.Of(a.header["Content-Encoding"], body), maxAnswer)
	if !ok {
		a.tooLarge = true
		return
	}
	body = bytes.TrimPrefix(body, []byte("\xef\xbb\xbf"))
	a.text = string(body)
	dec := json.NewDecoder(bytes.NewReader(body))
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

// find is the value that s selects. Headers and the whole body are strings.
func (a *answer) find(s Selector) (any, bool) {
	switch {
	case s.Body:
		return a.whole()
	case s.Cookie != "":
		return a.cookie(s.Cookie)
	case s.Header == "":
		return s.Path.First(a.doc)
	}
	values := a.header.Values(s.Header)
	if len(values) == 0 {
		return nil, false
	}
	return values[0], true
}

// cookie is the value of the cookie of that name that the answer sets; of several, the
// last counts (RFC 6265 section 4.1.1).
func (a *answer) cookie(name string) (value any, found bool) {
	for _, c := range (&http.Response{Header: a.header}).Cookies() {
		if c.Name == name && c.Value != "" {
			value, found = c.Value, true
		}
	}
	return value, found
}

// whole is the body as a text. JSON is none, but for a string.
func (a *answer) whole() (any, bool) {
	switch doc := a.doc.(type) {
	case string:
		return doc, true
	case nil, bool, json.Number:
		return a.text, a.text != ""
	default:
		return nil, false
	}
}

// texts are the values of the selectors that have a text.
func (a *answer) texts(selectors ...Selector) []string {
	var texts []string
	for _, s := range selectors {
		value, _ := a.find(s)
		if t, ok := jsonpath.Text(value); ok {
			texts = append(texts, t)
		}
	}
	return texts
}

// expiry is when the token ends, zero when the answer does not say so, and why
// what stands there cannot be read. That a server leaves out expires_in is as RFC
// 6749 section 5.1 has it; a place that somebody chose is missed.
func (a *answer) expiry(m Response, token string, sent time.Time) (at time.Time, problem string) {
	if m.ExpiresJWT {
		return ownExpiry(token, sent)
	}
	value, found := a.find(m.ExpiresIn)
	text, ok := jsonpath.Text(value)
	switch {
	case ok:
		at, problem = m.end(text, sent)
	case found && value != nil:
		problem = "what stands there is neither a number nor a text"
	case !m.ExpiresIn.zero() && m.ExpiresIn.String() != "expires_in":
		problem = "nothing stands there"
	}
	return at, problem
}

// errorCode matches what may be shown of an answer.
var errorCode = regexp.MustCompile(`^[A-Za-z0-9_.:/-]{1,64}$`)

// retryAfter is for how long the answer asks to be left alone (RFC 9110 section
// 10.2.3). A date is counted from the answer's own, since the clock of the other
// machine may differ from ours.
func (a *answer) retryAfter() time.Duration {
	now, err := http.ParseTime(a.header.Get("Date"))
	if err != nil {
		now = time.Now()
	}
	return retryAfter(a.header.Get("Retry-After"), now)
}
