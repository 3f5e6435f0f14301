package proxy

import (
	"net/http"
	"time"

	"authproxy/proxy/internal/refusal"
)

// Record is what happened to one request, handed to the [Observer] when the
// answer has been sent. It is valid only during the call. It holds neither a
// token nor a query string.
type Record struct {
	// Upstream is the name of the upstream; empty when none claimed the request.
	Upstream string
	// Method and Path are the client's; the path is as it was sent, still
	// percent-encoded.
	Method, Path string
	// Status is what the client got; 499 when it left before an answer, and 500
	// when a defect of authproxy kept it from one.
	Status int
	// Attempts is how often the request was written to a connection upstream, by the
	// transport's own repetition on a kept connection that died too.
	Attempts int
	// Trigger is what gave a refused token away; empty when none was refused.
	Trigger Trigger
	// Outcome is what came of the refusal; empty when there was none.
	Outcome Outcome
	// Refused is the fingerprint of the token that was refused first, and
	// RefusedAge the time since it was issued.
	Refused    string
	RefusedAge time.Duration
	// Rejected is the error code when authproxy itself answered.
	Rejected Code
	// UpstreamError is why the exchange with the upstream failed, if it did.
	UpstreamError Reason
	// Err is the error behind Rejected, UpstreamError or a defect, or why a refusal
	// went to the client; free of secrets.
	Err error
	// Token is the fingerprint of the token that was sent last.
	Token string
	// Start is when the request arrived; Duration runs until the answer's end.
	Start    time.Time
	Duration time.Duration
	// BytesOut counts the bytes of the answer's body.
	BytesOut int64
	// Request is the client's, for what it says of itself and for who sent it. Its body is
	// none of the observer's.
	Request *http.Request
}

// Failed tells whether somebody may want to know why: authproxy itself answered, the upstream
// gave no answer or one of its own failure, or a refusal was not recovered.
func (r *Record) Failed() bool {
	return r.Rejected != "" || r.UpstreamError != "" || r.Status >= 500 || r.Outcome != "" && r.Outcome != OutcomeRecovered
}

// An Observer is told of every request; it must be safe for concurrent use.
type Observer interface {
	// Observe is called when a request has arrived. What it returns is called
	// once, after the answer's end; nil: nothing is. The same function for all
	// requests saves each of them an allocation.
	Observe(*http.Request) (done func(*Record))
}

// Trigger says what gave a refused token away.
type Trigger = refusal.Trigger

// The triggers, as in the label "trigger" of authproxy_retries_total.
const (
	// TriggerStatus: the status.
	TriggerStatus = refusal.TriggerStatus
	// TriggerHeader: a header field.
	TriggerHeader = refusal.TriggerHeader
	// TriggerBody: a value in the body.
	TriggerBody = refusal.TriggerBody
)

// Triggers lists every [Trigger].
func Triggers() []Trigger { return []Trigger{TriggerStatus, TriggerHeader, TriggerBody} }

// Outcome says what came of a refusal.
type Outcome string

// The outcomes, as in the label "outcome" of authproxy_retries_total.
const (
	// OutcomeRecovered: the second try was not refused.
	OutcomeRecovered Outcome = "recovered"
	// OutcomeStillRefused: the second try was refused as well.
	OutcomeStillRefused Outcome = "still_refused"
	// OutcomeNotReplayable: the body was too large, or retries are turned off.
	OutcomeNotReplayable Outcome = "not_replayable"
	// OutcomeNoNewToken: no other token was to be had.
	OutcomeNoNewToken Outcome = "no_new_token"
	// OutcomeFailed: the second try got no answer.
	OutcomeFailed Outcome = "failed"
	// OutcomeTooLate: the refusal showed only after the answer was let go.
	OutcomeTooLate Outcome = "too_late"
)

// Outcomes lists every [Outcome].
func Outcomes() []Outcome {
	return []Outcome{OutcomeRecovered, OutcomeStillRefused, OutcomeNotReplayable, OutcomeNoNewToken, OutcomeFailed, OutcomeTooLate}
}

// Reason says why an exchange with the upstream failed.
type Reason string

// The reasons, as in the label "reason" of authproxy_upstream_errors_total.
const (
	ReasonDial     Reason = "dial"
	ReasonTLS      Reason = "tls"
	ReasonTimeout  Reason = "timeout"
	ReasonReset    Reason = "reset"
	ReasonProtocol Reason = "protocol"
	ReasonCanceled Reason = "canceled"
)

// Reasons lists every [Reason].
func Reasons() []Reason {
	return []Reason{ReasonDial, ReasonTLS, ReasonTimeout, ReasonReset, ReasonProtocol, ReasonCanceled}
}
