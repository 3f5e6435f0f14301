package tokencache

import (
	"errors"
	"fmt"
	"time"
)

// Reason says in one word why a token request failed. The values are those of
// the label "reason" of authproxy_token_fetch_errors_total.
type Reason string

// The reasons of a [FetchError].
const (
	// ReasonTimeout: no answer within the time limit of a token request.
	ReasonTimeout Reason = "timeout"
	// ReasonNetwork: the endpoint could not be reached, or broke off.
	ReasonNetwork Reason = "network"
	// ReasonStatus: an answer that is no success, and that does not speak of the
	// credentials.
	ReasonStatus Reason = "status"
	// ReasonCredentials: they were refused, so that asking again with the same
	// ones only risks a locked account; or they could not be read.
	ReasonCredentials Reason = "credentials"
	// ReasonBadAnswer: a success without a usable token in it.
	ReasonBadAnswer Reason = "bad_answer"
	// ReasonStore: the store is required and did not work.
	ReasonStore Reason = "store"
)

// Reasons lists every [Reason], for those who need all series from the start.
func Reasons() []Reason {
	return []Reason{ReasonTimeout, ReasonNetwork, ReasonStatus, ReasonCredentials, ReasonBadAnswer, ReasonStore}
}

// FetchError is a failed token request. Its text says what failed and what to
// do, and holds no token, no secret and no query string.
type FetchError struct {
	// Reason classifies the failure.
	Reason Reason
	// RetryAfter is how long the endpoint asked to be left alone (RFC 9110
	// section 10.2.3); zero when it did not say.
	RetryAfter time.Duration
	// Unsent tells that nothing was sent, because of something on this side such
	// as a secret that could not be read: what was never sent cannot have been
	// refused.
	Unsent bool
	// Err is the cause.
	Err error
}

// Error implements error.
func (e *FetchError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *FetchError) Unwrap() error { return e.Err }

// ErrWaited is wrapped by the error of a caller whose own deadline, or whose
// token request's time limit, ran out while it waited for a token.
var ErrWaited = errors.New("no token in time")

// ErrSameToken: the platform answered a request for another token with the one
// that was refused.
var ErrSameToken = errors.New("the platform repeats the token that was refused")

// ErrTooSoon: the token was refused, and its turn to be replaced has not come.
var ErrTooSoon = errors.New("the token was replaced a short time ago, and that is not known to have helped: the next one is not due yet")

// ErrRival is ErrTooSoon where others kill the tokens.
var ErrRival = errors.New("several tokens in a row died soon after they had been accepted, so another program is likely to use " +
	"the same credential, whose new tokens kill ours: let one program alone use it; the next token is not due yet")

// UnavailableError is answered without asking the platform, while the failure
// of an earlier token request is remembered.
type UnavailableError struct {
	// RetryAt is when the platform is asked again.
	RetryAt time.Time
	// Err is the failure that is remembered.
	Err error
}

// Error implements error, and says when the next try is due.
func (e *UnavailableError) Error() string {
	seconds := (e.RetryAfter() + time.Second - 1).Truncate(time.Second) // up, as in Retry-After
	return fmt.Sprintf("%v (next try in %s)", e.Err, max(time.Second, seconds))
}

// Unwrap returns the failure that is remembered.
func (e *UnavailableError) Unwrap() error { return e.Err }

// RetryAfter is how long it is until then; never negative.
func (e *UnavailableError) RetryAfter() time.Duration { return max(0, time.Until(e.RetryAt)) }
