package endpoint

import (
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// maxLifetime keeps the arithmetic of times from overflowing.
const maxLifetime = 100 * 365 * 24 * time.Hour

// expiry is when a token ends whose answer says text, in unit, of its lifetime;
// zero when that is no time after sent. RFC 6749 section 5.1 has seconds.
func expiry(text, unit string, sent time.Time) time.Time {
	end := time.Time{}
	switch text = strings.TrimSpace(text); unit {
	case "rfc3339":
		if at, err := time.Parse(time.RFC3339, text); err == nil {
			end = at
		}
	case "epoch_s":
		end = epoch(text, time.Second, sent)
	case "epoch_ms":
		end = epoch(text, time.Millisecond, sent)
	case "ms":
		end = sent.Add(lifetime(text, time.Millisecond))
	default:
		end = sent.Add(lifetime(text, time.Second))
	}
	limit := sent.Add(maxLifetime)
	switch {
	case !end.After(sent):
		return time.Time{}
	case end.After(limit):
		return limit
	}
	return end
}

// lifetime is text as a number of units, at most maxLifetime; zero for what is
// not a positive number.
func lifetime(text string, unit time.Duration) time.Duration {
	n := number(text)
	if n <= 0 {
		return 0
	}
	return time.Duration(min(n*float64(unit), float64(maxLifetime)))
}

// epoch is text as a number of units since 1970, to the microsecond, and not
// far beyond maxLifetime after sent.
func epoch(text string, unit time.Duration, sent time.Time) time.Time {
	n := number(text)
	if n <= 0 {
		return time.Time{}
	}
	limit := float64(sent.Add(2 * maxLifetime).UnixMicro())
	return time.UnixMicro(int64(min(n*float64(unit/time.Microsecond), limit)))
}

// number reads decimal digits; anything else, and what is not a number, is zero.
func number(text string) float64 {
	if strings.Trim(text, "0123456789+-.eE") != "" {
		return 0
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil && !math.IsInf(n, 0) || math.IsNaN(n) {
		return 0
	}
	return n
}

// maxRetryAfter bounds what Retry-After can ask for.
const maxRetryAfter = 24 * time.Hour

// retryAfter reads the header of RFC 9110 section 10.2.3, seconds or a date.
func retryAfter(text string, now time.Time) time.Duration {
	if n := number(text); n > 0 {
		return time.Duration(min(n*float64(time.Second), float64(maxRetryAfter)))
	}
	at, err := http.ParseTime(text)
	if err != nil {
		return 0
	}
	return min(max(0, at.Sub(now)), maxRetryAfter)
}
