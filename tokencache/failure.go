package tokencache

import "time"

// failure is what is remembered of failed flights in a row; the zero value
// means that the last one did not fail.
type failure struct {
	err    error
	reason Reason
	until  time.Time // nobody asks before

	troubles, refusals int // of the platform and of the credentials, since the last success
}

func (f failure) remembered() error { return &UnavailableError{RetryAt: f.until, Err: f.err} }

// after returns the failure that follows f at now: err, whose class is known.
// refused tells that the platform is certain to have refused the credentials.
// These and a platform in trouble count apart, so that neither makes the other's
// pauses short. life is how long the token held still lives.
func (f failure) after(err error, known *FetchError, refused bool, life time.Duration, now time.Time) failure {
	base, limit, count := time.Second, time.Minute, &f.troubles
	if refused { // platforms lock accounts
		base, limit, count = 30*time.Second, 10*time.Minute, &f.refusals
	}
	*count++
	wait := max(pause(base, limit, *count, random()), respite(known.RetryAfter, life))
	f.err, f.reason, f.until = err, known.Reason, now.Add(wait)
	return f
}

// pause returns how long nobody asks after the count'th failure in a row: base,
// doubled with each, up to limit. share in [0, 1) spreads it by up to a fifth.
func pause(base, limit time.Duration, count int, share float64) time.Duration {
	d := double(base, count-1, limit)
	spread := time.Duration(share * float64(d) / 5)
	if d == limit {
		return d - spread
	}
	return min(d+spread, limit)
}

// respite is how much of a Retry-After is honoured while a token lives for life:
// an hour, but no more than ten minutes without one.
func respite(retryAfter, life time.Duration) time.Duration {
	return min(retryAfter, max(life, shortRespite), maxRespite)
}
