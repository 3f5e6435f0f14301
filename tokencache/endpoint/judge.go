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

// judge tells what a says to a request whose success shows in the lists. What the
// operator wrote wins over what is known of platforms in general: Busy, Refused, a
// success that brings what was asked for, and only then statuses and well-known codes.
func (r *Response) judge(a *answer, lists ...[]Match) verdict {
	switch {
	case a.holdsAny(r.Busy):
		return busy
	case a.holdsAny(r.Refused):
		return denied
	case a.success() && r.delivers(a, lists):
		return granted
	case r.isBusy(a):
		return busy
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

// delivers tells whether a holds what was asked for, so that no code elsewhere in it
// counts: a token; of a request that asks for none, what the lists ask for.
func (r *Response) delivers(a *answer, lists [][]Match) bool {
	asked := false
	for _, matches := range lists {
		if !a.holds(matches) {
			return false
		}
		asked = asked || len(matches) > 0
	}
	if a.grants {
		value, _ := a.token(r.Token)
		return usable(value)
	}
	return asked
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

// isBusy tells whether a says, by its status or by a well-known code, that asking
// later may help.
func (r *Response) isBusy(a *answer) bool {
	if slices.ContainsFunc(a.texts(r.Error...), isBusyCode) {
		return true
	}
	if a.success() {
		return false // also where response.status lists a 503
	}
	switch a.status {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
		return true
	case http.StatusNotImplemented: // of a wrong URL or method
		return false
	}
	return a.status >= 500
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
// error. A true there is an error: "error": true.
var successCode = regexp.MustCompile(`(?i)^\s*(0+|2\d\d|ok|success|none|null|false)?\s*$`)

// errorCodes are the codes in a that name an error.
func (r *Response) errorCodes(a *answer) []string {
	return slices.DeleteFunc(a.texts(r.Error...), successCode.MatchString)
}

// codesToQuote are the codes in a, those first that say most.
func (r *Response) codesToQuote(a *answer) []string {
	named := r.errorCodes(a)
	words := slices.DeleteFunc(slices.Clone(named), func(code string) bool { return code == "true" })
	return slices.Concat(words, named, a.texts(r.Error...))
}

// namesError tells whether an error code stands in a.
func (r *Response) namesError(a *answer) bool { return len(r.errorCodes(a)) > 0 }

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
