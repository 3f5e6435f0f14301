package tokencache

import (
	"errors"
	"testing"
	"time"
)

// TestLimit: a clock that is set, or a machine that sleeps, never makes a life
// longer.
func TestLimit(t *testing.T) {
	now := time.Now()
	const day = 24 * time.Hour
	for name, c := range map[string]struct {
		set, steady time.Duration // what the wall clock and the other one have gone on
		in          time.Duration
	}{
		"nothing happened":    {0, 0, time.Hour},
		"half an hour later":  {time.Hour / 2, time.Hour / 2, time.Hour / 2},
		"set back by a day":   {-day, 0, time.Hour},
		"... and time passed": {time.Hour - day, time.Hour, 0},
		"set forward":         {day, 0, time.Hour - day},
		"asleep":              {2 * time.Hour, time.Minute, -time.Hour},
		"a hair's difference": {-20, 0, time.Hour},
	} {
		// The clocks go on by moving the limit back.
		l := limitAt(now.Add(time.Hour), now)
		l.wall, l.steady = l.wall.Add(-c.set), l.steady.Add(-c.steady)
		if got := l.in(now); got != c.in || l.reached(now) != (c.in <= 0) {
			t.Errorf("%s: in %v, reached: %v; want %v", name, got, l.reached(now), c.in)
		}
		want := now.Round(0).Add(c.in)
		if c.set == -20 {
			want = l.wall
		}
		if got := l.on(now); !got.Equal(want) {
			t.Errorf("%s: on %v, want %v", name, got, want)
		}
	}
}

// TestClockThatIsSet: the cache serves no token beyond its life, and asks no more
// often for it.
func TestClockThatIsSet(t *testing.T) {
	for name, set := range map[string]time.Duration{"back": -24 * time.Hour, "forward": 24 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			p := &platform{life: time.Hour}
			inFakeTime(t, p, Options{}, func(t *testing.T, c *Cache) {
				wantToken(t, c, "t1")
				c.mu.Lock()
				e := c.current.Load()
				e.expiry.wall, e.renewal.wall = e.expiry.wall.Add(-set), e.renewal.wall.Add(-set)
				c.mu.Unlock()
				for range 10 {
					mustToken(t, c)
				}
				if n := p.requests(); n > 2 {
					t.Errorf("%d token requests", n)
				}
				p.set(func(p *platform) { p.err = errors.New("down") })
				time.Sleep(2 * time.Hour)
				if tok, err := c.Token(t.Context()); err == nil {
					t.Errorf("%s is served two hours later", tok.Value)
				}
			})
		})
	}
}
