package endpoint

import (
	"cmp"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// maxLifetime keeps the arithmetic of times from overflowing.
const maxLifetime = 100 * 365 * 24 * time.Hour

// expiry is when a token ends whose answer says text, in unit, of its lifetime. It
// is zero when that is no time after sent, and problem says why. RFC 6749 section
// 5.1 has seconds.
func expiry(text, unit string, sent time.Time) (end time.Time, problem string) {
	text = strings.TrimSpace(text)
	end, ok := ending(text, unit, sent)
	limit := sent.Add(maxLifetime)
	switch {
	case !ok && unit == "rfc3339":
		return time.Time{}, "what stands there is no time such as 2006-01-02T15:04:05Z"
	case !ok:
		return time.Time{}, "what stands there is no number"
	case !end.After(sent):
		return time.Time{}, "what stands there, as " + cmp.Or(unit, "s") + ", is no time ahead"
	case end.After(limit):
		return limit, ""
	}
	return end, ""
}

// ending is the time that text, in unit, names; ok is false when it names none.
func ending(text, unit string, sent time.Time) (end time.Time, ok bool) {
	if unit == "rfc3339" {
		end, err := time.Parse(time.RFC3339, text)
		return end, err == nil
	}
	n, ok := number(text)
	switch unit {
	case "epoch_s":
		return epoch(n, time.Second, sent), ok
	case "epoch_ms":
		return epoch(n, time.Millisecond, sent), ok
	case "ms":
		return sent.Add(lifetime(n, time.Millisecond)), ok
	default:
		return sent.Add(lifetime(n, time.Second)), ok
	}
}

// lifetime is n units, at most maxLifetime; zero for what is not positive.
func lifetime(n float64, unit time.Duration) time.Duration {
	if n <= 0 {
		return 0
	}
	return time.Duration(min(n*float64(unit), float64(maxLifetime)))
}

// epoch is n units since 1970, to the microsecond, and not far beyond maxLifetime
// after sent.
func epoch(n float64, unit time.Duration, sent time.Time) time.Time {
	if n <= 0 {
		return time.Time{}
	}
	limit := float64(sent.Add(2 * maxLifetime).UnixMicro())
	return time.UnixMicro(int64(min(n*float64(unit/time.Microsecond), limit)))
}

// number reads decimal digits; ok is false for anything else, and for what is not
// a number.
func number(text string) (n float64, ok bool) {
	if text == "" || strings.Trim(text, "0123456789+-.eE") != "" {
		return 0, false
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil && !math.IsInf(n, 0) || math.IsNaN(n) {
		return 0, false
	}
	return n, true
}

// maxRetryAfter bounds what Retry-After can ask for.
const maxRetryAfter = 24 * time.Hour

// retryAfter reads the header of RFC 9110 section 10.2.3, seconds or a date.
func retryAfter(text string, now time.Time) time.Duration {
	if n, ok := number(text); ok && n > 0 {
		return time.Duration(min(n*float64(time.Second), float64(maxRetryAfter)))
	}
	at, err := http.ParseTime(text)
	if err != nil {
		return 0
	}
	return min(max(0, at.Sub(now)), maxRetryAfter)
}
