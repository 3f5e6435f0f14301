package tokencache

import (
	"math/rand/v2"
	"time"
)

// The bounds of what a platform may say and of what it may cost.
const (
	minLife      = time.Second
	maxLife      = 30 * 24 * time.Hour
	maxPause     = 5 * time.Minute  // between replacements, unless the interval itself is longer
	maxRespite   = time.Hour        // of a Retry-After, while there is a token
	shortRespite = 10 * time.Minute // of one without a token
)

// life returns when a token answered at now was issued and when it expires, on
// the wall clock. A missing expiry, or one that lies in the past, means the
// default, and that the life was not named; no token is kept for longer than 30
// days, nor asked for again within a second. A token from the future is of a
// clock that was set back since, and all of its life moves with it.
func life(issued, expiry, now time.Time, fallback time.Duration) (_, _ time.Time, named bool) {
	now, issued, expiry = now.Round(0), issued.Round(0), expiry.Round(0)
	switch ahead := issued.Sub(now); {
	case issued.IsZero():
		issued = now
	case ahead > 0:
		issued, expiry = now, expiry.Add(-ahead)
	}
	named = expiry.After(issued)
	if !named {
		expiry = issued.Add(fallback)
	}
	return issued, later(earlier(expiry, issued.Add(maxLife)), now.Add(minLife)), named
}

// renewal returns when a token is asked for again: buffer before its expiry,
// at most a tenth of its life, and earlier by up to half of that, by share in
// [0, 1), so that many caches with one lifetime spread.
func renewal(issued, expiry time.Time, buffer time.Duration, share float64) time.Time {
	ahead := min(buffer, expiry.Sub(issued)/10)
	return expiry.Add(-ahead - time.Duration(share*float64(ahead)/2))
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
