// Package refusal tells whether an answer refuses the token, and looks into
// small bodies for that without holding back what streams.
package refusal

import (
	"net/http"
	"net/textproto"
	"slices"
	"time"

	"authproxy/internal/jsonpath"
)

// Trigger says what gave a refused token away.
type Trigger string

// The triggers.
const (
	// TriggerStatus: the status.
	TriggerStatus Trigger = "status"
	// TriggerHeader: a header field.
	TriggerHeader Trigger = "header"
	// TriggerBody: a value in the body.
	TriggerBody Trigger = "body"
)

// Refusal says which answers mean that the token was refused. The zero value
// means that none does.
type Refusal struct {
	Rules
	// Not says which answers are no refusal all the same. It is looked at first.
	Not Rules
	// Wait is how long the beginning of a small JSON answer, or the silence after
	// its header, may be held back while a refusal may yet come.
	Wait time.Duration
}

// Rules describe answers. Any one that holds is enough.
type Rules struct {
	// Status lists the statuses; as a refusal, unless WWW-Authenticate says that
	// the token is good but does not suffice (RFC 6750 section 3.1).
	Status []int
	// Body lists what stands in a body that is one JSON value, at any status. One
	// of the lists is enough; of it, all must hold.
	Body [][]Match
	// Header lists header fields and their values, in which a star stands for any
	// text.
	Header map[string][]string
}

// Match is a place in a JSON document and the values looked for there.
type Match = jsonpath.Match

// Detector is a [Refusal] made ready. It is safe for concurrent use.
type Detector struct {
	refused, not rules
	wait         time.Duration
	begins       [256]bool // what a body that matters begins with, behind white space
}

// rules are Rules made ready.
type rules struct {
	status []int
	header []field
	body   body
}

type field struct {
	name   string // in the spelling of net/http
	values []string
}

// New returns the detector of r.
func New(r Refusal) *Detector {
	d := &Detector{refused: newRules(r.Rules), not: newRules(r.Not), wait: r.Wait}
	for _, all := range slices.Concat(r.Body, r.Not.Body) {
		for _, m := range all {
			for c := range d.begins {
				d.begins[c] = d.begins[c] || m.Path.Begins(byte(c))
			}
		}
	}
	return d
}

func newRules(r Rules) rules {
	ready := rules{status: r.Status, body: newBody(r.Body)}
	for name, values := range r.Header {
		ready.header = append(ready.header, field{textproto.CanonicalMIMEHeaderKey(name), values})
	}
	return ready
}

// A Late is told what an answer that does not show to be a refusal turns out to be.
// One of its methods is called, once: while the answer is examined, or by a Read of
// its body. None is when the reader leaves before it is known.
type Late interface {
	// Passed: it does not refuse the token.
	Passed()
	// TooLate: it does, which was seen only when the answer had been let go.
	TooLate()
}

func tell(late Late, says verdict) {
	switch {
	case late == nil:
	case says == refuses:
		late.TooLate()
	default:
		late.Passed()
	}
}

// Examine tells what in resp says that the token was refused; "" for nothing. The
// answer that it returns is the one to go on with: its body brings the same bytes.
// late may be nil.
func (d *Detector) Examine(resp *http.Response, late Late) (*http.Response, Trigger) {
	by, open := d.head(resp)
	if !open {
		if by == "" {
			tell(late, silent)
		}
		return resp, by
	}
	l := d.newLook(resp)
	says, known := l.hold(d.wait)
	switch {
	case known && says == excuses:
		by = ""
	case known && says == refuses && by == "":
		by = TriggerBody
	}
	switch {
	case by != "":
	case known:
		tell(late, silent)
	default:
		l.late = late
	}
	l.release(l.late != nil)
	return l.passed, by
}

// head returns what in the head of resp says that the token was refused; open tells
// whether its body may change that.
func (d *Detector) head(resp *http.Response) (by Trigger, open bool) {
	if d.not.head(resp) != "" {
		return "", false
	}
	by = d.refused.head(resp)
	if by == TriggerStatus && tokenIsGood(resp.Header["Www-Authenticate"]) {
		by = ""
	}
	asked := &d.refused.body
	if by != "" {
		asked = &d.not.body
	}
	return by, !asked.empty() && worthALook(resp)
}

// Looks tells whether bodies are looked into for refusals.
func (d *Detector) Looks() bool { return !d.refused.body.empty() }

// head tells what in the head of resp the rules name; "" for nothing.
func (r *rules) head(resp *http.Response) Trigger {
	if slices.Contains(r.status, resp.StatusCode) {
		return TriggerStatus
	}
	for _, f := range r.header {
		for _, text := range resp.Header[f.name] {
			if slices.ContainsFunc(f.values, func(pattern string) bool { return jsonpath.Like(pattern, text) }) {
				return TriggerHeader
			}
		}
	}
	return ""
}
