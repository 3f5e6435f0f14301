package tokencache

import (
	"testing"
	"time"
)

func TestPause(t *testing.T) {
	busy, refused := [2]time.Duration{time.Second, time.Minute}, [2]time.Duration{30 * time.Second, 10 * time.Minute}
	for _, c := range []struct {
		bounds   [2]time.Duration
		count    int
		from, to time.Duration
	}{
		{busy, 1, time.Second, 1200 * time.Millisecond},
		{busy, 4, 8 * time.Second, 9600 * time.Millisecond},
		{busy, 7, 48 * time.Second, time.Minute},
		{busy, 1000, 48 * time.Second, time.Minute},
		{refused, 1, 30 * time.Second, 36 * time.Second},
		{refused, 5, 8 * time.Minute, 576 * time.Second},
		{refused, 50, 8 * time.Minute, 10 * time.Minute},
	} {
		a, b := pause(c.bounds[0], c.bounds[1], c.count, 0), pause(c.bounds[0], c.bounds[1], c.count, 0.999999)
		if lo, hi := min(a, b), max(a, b); lo < c.from || hi > c.to {
			t.Errorf("%v, failure %d: %v to %v, want within %v to %v", c.bounds, c.count, lo, hi, c.from, c.to)
		}
	}
}

func TestFailureAfter(t *testing.T) {
	now := time.Unix(1_000_000, 0)
	var f failure
	for range 6 {
		f = f.after(nil, &FetchError{Reason: ReasonNetwork}, false, 0, now)
	}
	if f = f.after(nil, &FetchError{Reason: ReasonCredentials}, true, 0, now); f.refusals != 1 || f.until.Sub(now) > 36*time.Second {
		t.Errorf("refused credentials count on from an outage: %d, %v", f.refusals, f.until.Sub(now))
	}
	for _, c := range []struct{ retryAfter, life, want time.Duration }{
		{5 * time.Minute, 0, 5 * time.Minute},
		{1000 * time.Hour, 0, 10 * time.Minute},
		{1000 * time.Hour, 20 * time.Minute, 20 * time.Minute},
		{1000 * time.Hour, 20 * time.Hour, time.Hour},
		{1000 * time.Hour, time.Second, 10 * time.Minute},
	} {
		if f = f.after(nil, &FetchError{Reason: ReasonStatus, RetryAfter: c.retryAfter}, false, c.life, now); f.until.Sub(now) != c.want {
			t.Errorf("Retry-After %v with a token for %v: %v, want %v", c.retryAfter, c.life, f.until.Sub(now), c.want)
		}
	}
}
