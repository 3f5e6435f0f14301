// Package refusal tells whether an answer refuses the token, and looks into
// small bodies for that without holding back what streams.
package refusal

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"

	"authproxy/internal/jsonpath"
)

// Trigger says what gave a refused token away.
type Trigger string

// The triggers.
const (
	// TriggerStatus: the status, or a header field.
	TriggerStatus Trigger = "status"
	// TriggerBody: a value in the body.
	TriggerBody Trigger = "body"
)

// Refusal says which answers mean that the token was refused. The zero value
// means that none does.
type Refusal struct {
	// Status lists the statuses, unless WWW-Authenticate says that the token is
	// good but does not suffice (RFC 6750 section 3.1).
	Status []int
	// Body lists what stands in a JSON body, at any status. Any one is enough.
	Body []Match
	// Header lists header fields and their values. Any one is enough.
	Header map[string][]string
}

// Match is a place in a JSON document and the values looked for there.
type Match = jsonpath.Match

// Detector is a [Refusal] made ready. It is safe for concurrent use.
type Detector struct {
	Refusal
	needles [][]byte // one of them stands in every body that matches
}

// New returns the detector of r.
func New(r Refusal) *Detector {
	ready := &Detector{Refusal: r}
	for _, m := range r.Body {
		for _, v := range m.Values {
			ready.needles = append(ready.needles, []byte(v))
		}
	}
	return ready
}

// Trigger tells what in resp says that the token was refused; "" for nothing.
// The body of resp afterwards brings the same bytes as before.
func (d *Detector) Trigger(resp *http.Response) Trigger {
	if slices.Contains(d.Status, resp.StatusCode) && !tokenIsGood(resp.Header["Www-Authenticate"]) {
		return TriggerStatus
	}
	for name, values := range d.Header {
		if slices.Contains(values, resp.Header.Get(name)) {
			return TriggerStatus
		}
	}
	if len(d.Body) > 0 && d.inBody(resp) {
		return TriggerBody
	}
	return ""
}

// matches tells whether doc, a whole JSON document, holds one of the values.
// A document without any of their texts is not parsed; one with escapes is,
// since these may hide the text.
func (d *Detector) matches(doc []byte) bool {
	if !d.mayMatch(doc) {
		return false
	}
	decoder := json.NewDecoder(bytes.NewReader(bytes.TrimPrefix(doc, byteOrderMark)))
	decoder.UseNumber()
	var v any
	if decoder.Decode(&v) != nil {
		return false
	}
	return slices.ContainsFunc(d.Body, func(m Match) bool { return m.In(v) })
}

func (d *Detector) mayMatch(doc []byte) bool {
	for _, needle := range d.needles {
		if bytes.Contains(doc, needle) {
			return true
		}
	}
	return bytes.Contains(doc, []byte(`\u`)) || bytes.Contains(doc, []byte(`\/`))
}
