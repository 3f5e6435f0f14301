package refusal

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"authproxy/internal/coding"
	"authproxy/internal/jsonpath"
)

// Explain tells whether resp, whose body has come, refuses the token, and why or why not in
// words for people: they name the keys of the configuration, and of resp nothing but its
// status.
func (d *Detector) Explain(resp *http.Response) (refused bool, why string) {
	resp, by := d.Examine(resp, nil)
	doc, isJSON := documentOf(resp)
	switch by {
	case TriggerBody:
		return true, d.refused.body.why(doc) + " (invalid_token.body)"
	case "":
		return false, d.whyNot(resp, doc, isJSON)
	}
	return true, d.refused.why(resp)
}

// documentOf is [document] of a whole answer.
func documentOf(resp *http.Response) (doc any, ok bool) {
	if resp.Body == nil {
		return nil, false
	}
	raw, _ := io.ReadAll(io.LimitReader(resp.Body, lookLimit+1)) // what has come is explained
	text, ok := coding.Decode(raw, coding.Of(resp.Header["Content-Encoding"], raw), lookLimit)
	if !ok {
		return nil, false
	}
	return document(bytes.TrimPrefix(text, byteOrderMark))
}

// why says what in the head of resp the rules name; empty for nothing.
func (r *rules) why(resp *http.Response) string {
	if slices.Contains(r.status, resp.StatusCode) {
		return fmt.Sprintf("the status is %d (invalid_token.status)", resp.StatusCode)
	}
	for _, f := range r.header {
		for _, pattern := range f.values {
			if slices.ContainsFunc(resp.Header[f.name], func(text string) bool { return jsonpath.Like(pattern, text) }) {
				return fmt.Sprintf("the header %s is %q (invalid_token.header)", f.name, pattern)
			}
		}
	}
	return ""
}

// why says which list holds in doc, in its own words; empty when none does.
func (b *body) why(doc any) string {
	i := slices.IndexFunc(b.lists, func(all []Match) bool {
		return !slices.ContainsFunc(all, func(m Match) bool { return !m.In(doc) })
	})
	if i < 0 {
		return ""
	}
	var said []string
	for _, m := range b.lists[i] {
		said = append(said, fmt.Sprintf("%s is %s", cmp.Or(m.Path.String(), "the body"), strings.Join(m.Values, " or ")))
	}
	return strings.Join(said, ", and ")
}

// whyNot says why resp does not refuse the token.
func (d *Detector) whyNot(resp *http.Response, doc any, isJSON bool) string {
	excused := cmp.Or(d.not.why(resp), d.not.body.why(doc))
	refused := cmp.Or(d.refused.why(resp), d.refused.body.why(doc))
	looks := !d.refused.body.empty()
	switch {
	case refused != "" && excused != "":
		return fmt.Sprintf("%s, but invalid_token.not excuses it", refused)
	case slices.Contains(d.refused.status, resp.StatusCode) && tokenIsGood(resp.Header["Www-Authenticate"]):
		return fmt.Sprintf("the status is %d, but WWW-Authenticate says that another token would be refused too (RFC 6750 section 3.1)", resp.StatusCode)
	case looks && resp.ContentLength == 0:
		return "nothing in its head is named by invalid_token, and it has no body"
	case looks && !worthALook(resp):
		return "nothing in its head is named by invalid_token, and its body is of a kind or a length that is not looked into"
	case looks && !isJSON:
		return "nothing in its head is named by invalid_token, and its body is not one JSON value"
	case looks:
		return "nothing in it is named by invalid_token"
	}
	return "nothing in its head is named by invalid_token, which names nothing in a body"
}
