package tokencache

import "time"

// Fetch is the record of one flight: what it brought, and how long it took. It
// holds neither a token nor a secret.
type Fetch struct {
	// Cause is why it was needed: that of its Start, or CauseRefused when the
	// upstream refused the token held in the meantime.
	Cause Cause
	// Result is how it ended.
	Result Result
	// Reason classifies the error; empty without one.
	Reason Reason
	// Err is the error; nil without one.
	Err error
	// Replaced tells that a refused token was replaced by another one.
	Replaced bool
	// Rival tells that so many tokens in a row were refused soon after they had
	// been accepted that another program with the same credential is likely to
	// kill them. It is told once for each such series.
	Rival bool
	// Unread is that of the token that it brought.
	Unread string
	// Fingerprint and Expiry are of the token that it brought; zero without one.
	Fingerprint string
	Expiry      time.Time
	// Old is the fingerprint of the token held before, and OldAge the time since
	// that was issued; zero without one.
	Old    string
	OldAge time.Duration
	// Waiters is how many callers it kept waiting, at its end.
	Waiters int
	// Duration is the time from the flight's start to its end.
	Duration time.Duration
	// NextTry is when the platform is asked again after a failure; else zero.
	NextTry time.Time
}

// Cause says why a token was asked for.
type Cause string

// The causes of a flight.
const (
	// CauseFirst: there was none.
	CauseFirst Cause = "first"
	// CauseRenewal: the one held comes near its expiry.
	CauseRenewal Cause = "renewal"
	// CauseExpired: the one held has expired.
	CauseExpired Cause = "expired"
	// CauseRefused: the upstream refused the one held.
	CauseRefused Cause = "refused"
)

// Result says how a flight ended. The values are those of the label "result"
// of authproxy_token_fetches_total.
type Result string

// The results of a flight.
const (
	// ResultOK: the platform answered with a token.
	ResultOK Result = "ok"
	// ResultAdopted: a store held one, and the platform was not asked.
	ResultAdopted Result = "adopted"
	// ResultError: there is no new token.
	ResultError Result = "error"
)

// Results lists every [Result].
func Results() []Result { return []Result{ResultOK, ResultAdopted, ResultError} }

// State is everything about a token but the token.
type State struct {
	// Fingerprint identifies the token held; "-" without one.
	Fingerprint string
	// Type is its token_type.
	Type string
	// Issued and Expiry are its bounds; zero without a token.
	Issued, Expiry time.Time
	// Renewal is when the next one is asked for, if this one is in use.
	Renewal time.Time
	// Used tells whether it was handed out since it was issued; Accepted,
	// whether the upstream took it.
	Used, Accepted bool
	// Waiters is how many callers are waiting for a token now.
	Waiters int
	// Err is the last failure while it is remembered, else nil.
	Err error
	// NextTry is when the platform may be asked again; zero when it may be now.
	NextTry time.Time
}
