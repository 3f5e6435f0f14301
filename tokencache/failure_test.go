package tokencache

import (
	"errors"
	"testing"
	"testing/synctest"
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

// TestWhatFailsAndForHowLong: credentials that worked are doubted once, and what
// was never sent was not refused.
func TestWhatFailsAndForHowLong(t *testing.T) {
	credentials := &FetchError{Reason: ReasonCredentials, Err: errors.New("refused")}
	unsent := &FetchError{Reason: ReasonCredentials, Err: errors.New("unreadable"), Unsent: true}
	for name, c := range map[string]struct {
		worked, changed bool
		fails           []*FetchError
		long            bool // whether the pause after the last one is
	}{
		"refused from the start":         {fails: []*FetchError{credentials}, long: true},
		"refused though it worked":       {worked: true, fails: []*FetchError{credentials}},
		"refused twice":                  {worked: true, fails: []*FetchError{credentials, credentials}, long: true},
		"refused after they changed":     {worked: true, changed: true, fails: []*FetchError{credentials}, long: true},
		"unreadable":                     {fails: []*FetchError{unsent, unsent}},
		"unreadable, then refused":       {worked: true, fails: []*FetchError{unsent, credentials}},
		"unreadable between two refused": {worked: true, fails: []*FetchError{credentials, unsent, credentials}, long: true},
	} {
		t.Run(name, func(t *testing.T) {
			p := &platform{life: time.Minute}
			inFakeTime(t, p, Options{}, func(t *testing.T, cache *Cache) {
				if c.worked {
					mustToken(t, cache)
					time.Sleep(3 * time.Minute) // a renewal that nobody used lapses
				}
				if c.changed {
					cache.CredentialsChanged()
				}
				for i, fail := range c.fails {
					p.set(func(p *platform) { p.err = fail })
					_, _ = cache.Token(t.Context())
					if wait := time.Until(cache.State().NextTry); i < len(c.fails)-1 {
						time.Sleep(wait)
					} else if long := wait >= 30*time.Second; long != c.long {
						t.Errorf("asked again after %v", wait)
					}
				}
			})
		})
	}
}

// TestEndpointThatCountsDown repeats its token with a life that ends, and at its
// end with none: the token lives no longer for it.
func TestEndpointThatCountsDown(t *testing.T) {
	var first time.Time
	p := &platform{}
	p.answers = func(n int) (Token, error) {
		now := time.Now()
		switch age := now.Sub(first); {
		case n == 1:
			first = now
			return Token{Value: "a", Issued: now, Expiry: now.Add(time.Hour)}, nil
		case age < time.Hour+3*time.Second:
			return Token{Value: "a", Issued: now}, nil // expires_in: 0
		default:
			return Token{Value: "b", Issued: now, Expiry: now.Add(time.Hour)}, nil
		}
	}
	inFakeTime(t, p, Options{}, func(t *testing.T, c *Cache) {
		wantToken(t, c, "a")
		for range 80 {
			time.Sleep(time.Minute)
			mustToken(t, c)
		}
		wantToken(t, c, "b")
		if n := p.requests(); n > 8 {
			t.Errorf("%d token requests", n)
		}
	})
}

// TestNextTryIsNeverNow: who reads it shall wait.
func TestNextTryIsNeverNow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for in, want := range map[time.Duration]string{-time.Second: "1s", 200 * time.Millisecond: "1s", 1200 * time.Millisecond: "2s", time.Minute: "1m0s"} {
			err := &UnavailableError{RetryAt: time.Now().Add(in), Err: errors.New("down")}
			if got := err.Error(); got != "down (next try in "+want+")" {
				t.Errorf("%v: %s", in, got)
			}
		}
	})
}
