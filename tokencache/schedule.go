package tokencache

import (
	"math/rand/v2"
	"time"
)

// The bounds of what a platform may say and of what it may cost.
const (
	minLife     = time.Second
	maxLife     = 30 * 24 * time.Hour
	maxCooldown = 5 * time.Minute
	maxRespite  = time.Hour // of a Retry-After
)

// life returns when a token answered at now was issued and when it expires. A
// missing expiry, or one that lies in the past, means the default; no token is
// kept for longer than 30 days, nor asked for again within a second.
func life(issued, expiry, now time.Time, fallback time.Duration) (time.Time, time.Time) {
	if issued.IsZero() || issued.After(now) {
		issued = now
	}
	if !expiry.After(issued) {
		expiry = issued.Add(fallback)
	}
	return issued, later(earlier(expiry, issued.Add(maxLife)), now.Add(minLife))
}

// renewal returns when a token is asked for again: buffer before its expiry,
// at most a tenth of its life, and earlier by up to half of that, by share in
// [0, 1), so that many caches with one lifetime spread.
func renewal(issued, expiry time.Time, buffer time.Duration, share float64) time.Time {
	ahead := min(buffer, expiry.Sub(issued)/10)
	return expiry.Add(-ahead - time.Duration(share*float64(ahead)/2))
}

// failure is what is remembered of failed flights in a row; the zero value
// means that the last one did not fail.
type failure struct {
	err    error
	reason Reason
	until  time.Time // nobody asks before

	troubles, refusals int // of the platform and of the credentials, since the last success
}

func (f failure) remembered() error { return &UnavailableError{RetryAt: f.until, Err: f.err} }

// after returns the failure that follows f. A platform in trouble and refused
// credentials count apart, so that neither makes the other's pauses short.
func (f failure) after(err error, reason Reason, retryAfter time.Duration, now time.Time) failure {
	count := &f.troubles
	if reason == ReasonCredentials {
		count = &f.refusals
	}
	*count++
	wait := max(pause(reason, *count, random()), min(retryAfter, maxRespite))
	f.err, f.reason, f.until = err, reason, now.Add(wait)
	return f
}

// pause returns how long nobody asks after the count'th failure in a row: 1 s
// to 60 s, and 30 s to 10 min where the credentials were refused, because
// platforms lock accounts. share in [0, 1) spreads it by up to a fifth.
func pause(reason Reason, count int, share float64) time.Duration {
	base, limit := time.Second, time.Minute
	if reason == ReasonCredentials {
		base, limit = 30*time.Second, 10*time.Minute
	}
	d := double(base, count-1, limit)
	spread := time.Duration(share * float64(d) / 5)
	if d == limit {
		return d - spread
	}
	return min(d+spread, limit)
}

// cooldown bounds the replacements of refused tokens.
type cooldown struct {
	count int       // replacements since a token was last accepted
	last  time.Time // the latest of them
}

// allow tells whether a refused token may be replaced now. One that was
// accepted before (not fresh) may always; a fresh one after a time that starts
// at least and doubles with each replacement.
func (c cooldown) allow(now time.Time, fresh bool, least time.Duration) bool {
	return !fresh || c.count == 0 || !now.Before(c.last.Add(double(least, c.count-1, maxCooldown)))
}

// replaced counts the replacement of a refused token.
func (c *cooldown) replaced(now time.Time, fresh bool) {
	if !fresh {
		c.count = 0
	}
	c.count, c.last = c.count+1, now
}

// double returns d doubled n times, at most limit.
func double(d time.Duration, n int, limit time.Duration) time.Duration {
	for ; n > 0 && d < limit; n-- {
		d *= 2
	}
	return min(d, limit)
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// random returns a share in [0, 1).
func random() float64 { return rand.Float64() }
