package endpoint

import (
	"cmp"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// maxLifetime keeps the arithmetic of times from overflowing.
const maxLifetime = 100 * 365 * 24 * time.Hour

// expiry is when a token ends whose answer says text, in unit, of its lifetime. It
// is zero when that is no time after sent, or is one in another unit, and problem says
// why. RFC 6749 section 5.1 has seconds.
func expiry(text, unit string, sent time.Time) (end time.Time, problem string) {
	text, unit = strings.TrimSpace(text), cmp.Or(unit, "s")
	end, ok := ending(text, unit, sent)
	limit := sent.Add(maxLifetime)
	hint := otherUnit(text, unit, sent)
	switch {
	case !ok && unit == "rfc3339":
		return time.Time{}, "what stands there is no time such as 2006-01-02T15:04:05Z" + hint
	case !ok:
		return time.Time{}, "what stands there is no number" + hint
	case !end.After(sent):
		return time.Time{}, "what stands there, as " + unit + ", is no time ahead" + hint
	case end.After(sent.Add(likely)) && hint != "":
		return time.Time{}, "what stands there, as " + unit + ", is years ahead" + hint
	case end.After(limit):
		return limit, ""
	}
	return end, ""
}

// ending is ExpiresIn as it is written in a configuration.
func (m Response) ending() string {
	if m.ExpiresJWT {
		return "jwt"
	}
	return m.ExpiresIn.String()
}

// end is expiry of what stands at ExpiresIn.
func (m Response) end(text string, sent time.Time) (end time.Time, problem string) {
	if m.ExpiresLayout == "" {
		return expiry(text, m.ExpiresUnit, sent)
	}
	zone := m.ExpiresZone
	if zone == nil {
		zone = time.UTC
	}
	at, err := time.ParseInLocation(m.ExpiresLayout, strings.TrimSpace(text), zone)
	if err != nil {
		return time.Time{}, "what stands there is no time in the layout of expires_unit (" + m.ExpiresLayout + ")"
	}
	return bounded(at, sent)
}

// bounded is at, where it is a time ahead, and not beyond all measure.
func bounded(at, sent time.Time) (end time.Time, problem string) {
	limit := sent.Add(maxLifetime)
	switch {
	case !at.After(sent):
		return time.Time{}, "it is no time ahead: see whether the clock of this machine, and the zone, are right"
	case at.After(limit):
		return limit, ""
	}
	return at, ""
}

// ownExpiry is the exp of a token that is a JWT.
func ownExpiry(token string, sent time.Time) (end time.Time, problem string) {
	if strings.Count(token, ".") != 2 {
		return time.Time{}, "the token is no JWT"
	}
	end, ok := expOf(token)
	if !ok {
		return time.Time{}, "the token is no JWT with an exp"
	}
	return bounded(end, sent)
}

// expOf is the exp of a token that is a JWT.
func expOf(token string) (end time.Time, ok bool) {
	var claims jwt.RegisteredClaims
	if _, _, err := jwt.NewParser().ParseUnverified(token, &claims); err != nil || claims.ExpiresAt == nil {
		return time.Time{}, false
	}
	return claims.ExpiresAt.Time.Round(0), true
}

// likely bounds the lifetime of a token, and how far from now the time is at which one
// ends: a number that is beyond it in one unit and within it in another is in the other.
const likely = 10 * 365 * 24 * time.Hour

// otherUnit says in which unit text is likely to be, if it is in another than unit.
func otherUnit(text, unit string, sent time.Time) string {
	n, isNumber := number(text)
	switch absolute := unit != "s" && unit != "ms" && unit != "min"; {
	case isNumber && absolute && 0 < n && n <= likely.Seconds():
		return "; it looks like a time from now on: set expires_unit: s"
	case isNumber:
		return otherEpoch(n, unit, sent)
	case isTime(text, time.RFC3339) && unit != "rfc3339":
		return "; it looks like a date: set expires_unit: rfc3339"
	case isTime(text, time.RFC3339):
		return ""
	case isTime(text, dates...):
		i := slices.IndexFunc(dates, func(layout string) bool { return isTime(text, layout) })
		return fmt.Sprintf("; it looks like a date: set expires_unit: { time: %q, zone: ... }, with the zone of the platform where the date names none", dates[i])
	}
	return ""
}

// otherEpoch is otherUnit for a number that may count from 1970 on.
func otherEpoch(n float64, unit string, sent time.Time) string {
	for _, u := range []struct {
		name string
		unit time.Duration
	}{{"epoch_s", time.Second}, {"epoch_ms", time.Millisecond}, {"", time.Microsecond}, {"", time.Nanosecond}} {
		at := n / float64(time.Second/u.unit)
		switch {
		case n == math.MaxInt32: // for some, as long as can be; it is in 2038
		case u.name == unit || math.Abs(at-float64(sent.Unix())) > likely.Seconds():
		case u.name == "":
			return "; it looks like a time of day (epoch) in a unit that no expires_unit has, so leave expires_in empty and set default_ttl"
		default:
			return "; it looks like a time of day (epoch): set expires_unit: " + u.name
		}
	}
	return ""
}

// dates are layouts of dates in answers that are not those of RFC 3339.
var dates = []string{
	time.DateTime, time.DateOnly, "2006-01-02T15:04:05", "2006-01-02T15:04:05Z0700", "2006-01-02 15:04:05Z07:00", "2006-01-02 15:04:05 -0700", "2006-01-02 15:04:05 -0700 MST",
	"2006/01/02 15:04:05", http.TimeFormat, time.RFC1123, time.RFC1123Z, time.RFC850, time.ANSIC, time.UnixDate,
}

func isTime(text string, layouts ...string) bool {
	return slices.ContainsFunc(layouts, func(layout string) bool {
		_, err := time.Parse(layout, text)
		return err == nil
	})
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
	case "min":
		return sent.Add(lifetime(n, time.Minute)), ok
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
