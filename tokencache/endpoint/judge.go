package endpoint

import (
	"net/http"
	"regexp"
	"slices"
	"strings"

	"authproxy/internal/jsonpath"
)

// verdict is what an answer says of the request.
type verdict int

const (
	// granted: what was asked for, as far as the status and the OK lists tell.
	granted verdict = iota
	// busy: asking later may help; nobody has looked at the credentials.
	busy
	// blocked is like busy: something in front of the platform answered.
	blocked
	// denied: the credentials are refused, and asking again may lock the account.
	denied
	// failed: neither; the request or its address is wrong.
	failed
)

// judge tells what a says to a request whose success shows in the lists.
func (r *Response) judge(a *answer, lists ...[]Match) verdict {
	switch {
	case r.isBusy(a):
		return busy
	case a.holdsAny(r.Refused):
		return denied
	case a.success():
		return r.judgeSuccess(a, lists)
	case a.status == http.StatusUnauthorized:
		return denied
	case a.status != http.StatusBadRequest && a.status != http.StatusForbidden:
		return failed
	case !a.isJSON:
		return blocked
	case a.retryAfter() > 0:
		return busy // it says itself when to come back
	default:
		return denied
	}
}

// judgeSuccess is judge for an answer whose status means success.
func (r *Response) judgeSuccess(a *answer, lists [][]Match) verdict {
	for _, matches := range lists {
		switch {
		case a.holds(matches):
		case slices.ContainsFunc(a.codes(matches), isBusyCode):
			return busy
		case !a.isJSON || a.blank() || len(a.codes(matches)) == 0 && !r.namesError(a):
			return failed
		default:
			return denied
		}
	}
	return granted
}

// isBusy tells whether a says that asking later may help.
func (r *Response) isBusy(a *answer) bool {
	switch a.status {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
		return true
	case http.StatusNotImplemented: // of a wrong URL or method
		return false
	}
	return a.status >= 500 || a.holdsAny(r.Busy) || slices.ContainsFunc(a.texts(r.Error...), isBusyCode)
}

// isBusyCode tells whether an error code speaks of the platform and not of the
// credentials: temporarily_unavailable and server_error are of RFC 6749 section
// 4.1.2.1, slow_down of RFC 8628 section 3.5; Salesforce answers unknown_error
// while it is in trouble, and -1 is "system busy" of WeChat, WeCom and DingTalk. A
// code that is an HTTP status says what that would.
func isBusyCode(code string) bool {
	if busyStatus.MatchString(code) {
		return true
	}
	switch strings.ToLower(code) {
	case "temporarily_unavailable", "server_error", "slow_down", "unknown_error", "-1":
		return true
	}
	return false
}

var busyStatus = regexp.MustCompile(`^(408|425|429|5\d\d)$`)

// successCode matches what stands at the place of an error code when there is no
// error.
var successCode = regexp.MustCompile(`(?i)^(0+|2\d\d|ok|success|true|none)?$`)

// namesError tells whether an error code stands in a.
func (r *Response) namesError(a *answer) bool {
	return slices.ContainsFunc(a.texts(r.Error...), func(code string) bool { return !successCode.MatchString(code) })
}

// holds tells whether all the matches do.
func (a *answer) holds(matches []Match) bool {
	return !slices.ContainsFunc(matches, func(m Match) bool { return !m.In(a.doc) })
}

// holdsAny tells whether one of the matches does.
func (a *answer) holdsAny(matches []Match) bool {
	return slices.ContainsFunc(matches, func(m Match) bool { return m.In(a.doc) })
}

// codes are the texts that stand at the places of matches.
func (a *answer) codes(matches []Match) []string {
	var texts []string
	for _, m := range matches {
		value, _ := m.Path.First(a.doc)
		if text, ok := jsonpath.Text(value); ok && !slices.Contains(m.Values, text) {
			texts = append(texts, text)
		}
	}
	return texts
}
