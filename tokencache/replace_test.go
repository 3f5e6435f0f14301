package tokencache

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// refused is what the exchange does with a request that a good token does not
// help: its second try is refused as well.
func refused(t *testing.T, c *Cache, when bool) {
	t.Helper()
	replace := c.Replace
	if when {
		replace = c.ReplaceWhenDue
	}
	if next, err := replace(t.Context(), mustToken(t, c).Value); err == nil {
		c.Futile(next)
	}
}

// TestOnePathThatRefusesGoodTokens, in mixed traffic, costs at most 25 token
// requests in its first hour; a revocation at the end of it is cured with the
// third refusal at the latest.
func TestOnePathThatRefusesGoodTokens(t *testing.T) {
	for name, mix := range map[string]func(i int) bool{
		"in turn":        func(i int) bool { return i%2 == 0 },
		"three in a row": func(i int) bool { return i%6 < 3 },
		"one in hundred": func(i int) bool { return i%100 == 0 },
	} {
		t.Run(name, func(t *testing.T) {
			p := &platform{life: 2 * time.Hour}
			inFakeTime(t, p, Options{}, func(t *testing.T, c *Cache) {
				for i := range 3600 * 100 {
					if mix(i) {
						refused(t, c, p.requests() > 1)
					} else {
						c.Accept(mustToken(t, c).Value)
					}
					time.Sleep(10 * time.Millisecond)
				}
				if n := p.requests(); n > 25 || n < 10 {
					t.Errorf("%d token requests in an hour, want at most 25", n)
				}
				dead, tries := mustToken(t, c).Value, 0
				for ; mustToken(t, c).Value == dead && tries < 10; tries++ {
					if next, err := c.Replace(t.Context(), dead); err == nil {
						c.Cured(next)
					}
				}
				if tries > runOf {
					t.Errorf("a revocation took %d refusals", tries)
				}
			})
		})
	}
}

// TestRivals: two programs with one credential, where a new token kills the old,
// also when each has a path that refuses every token.
func TestRivals(t *testing.T) {
	for name, every := range map[string]int{"alone": 0, "a path that always refuses": 1, "now and then": 7, "seldom": 100} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { rivals(t, every) })
		})
	}
}

// rivals has two programs send for an hour; of that many requests one is refused
// whatever its token is.
func rivals(t *testing.T, every int) {
	alive := "" // the one good token
	programs := make([]*Cache, 2)
	requests, told := make([]int, 2), make([]int, 2)
	for i := range programs {
		p := &platform{life: 12 * time.Hour, answers: func(n int) (Token, error) {
			requests[i]++
			alive = string(rune('a'+i)) + time.Now().String()
			return Token{Value: alive, Issued: time.Now(), Expiry: time.Now().Add(12 * time.Hour)}, nil
		}}
		programs[i] = New(Options{Source: p, Kills: true, Observers: []Observer{atEnd(func(f Fetch) {
			if f.Rival {
				told[i]++
			}
		})}})
		defer programs[i].Close()
	}
	for n := range 3600 * 20 {
		for _, c := range programs {
			if every > 0 && n%every == 0 {
				refused(t, c, n > 0)
			}
			sent := mustToken(t, c)
			if sent.Value == alive {
				c.Accept(sent.Value)
			} else if next, err := c.Replace(t.Context(), sent.Value); err == nil && next.Value == alive {
				c.Cured(next)
			}
		}
		time.Sleep(50 * time.Millisecond)
	}
	synctest.Wait()
	for i, n := range requests {
		if n > 25 || n < 5 || every == 0 && told[i] != 1 || told[i] > 1 {
			t.Errorf("program %d: %d token requests in an hour, told of %d times", i, n, told[i])
		}
	}
}

// TestIntervalBeyondFiveMinutes is kept.
func TestIntervalBeyondFiveMinutes(t *testing.T) {
	p := &platform{life: 48 * time.Hour}
	inFakeTime(t, p, Options{MinRefreshInterval: time.Hour}, func(t *testing.T, c *Cache) {
		refused(t, c, false)
		for range 10 {
			time.Sleep(59 * time.Minute / 10)
			refused(t, c, false)
		}
		wantRequests(t, p, 2)
		time.Sleep(time.Minute)
		refused(t, c, false)
		wantRequests(t, p, 3)
	})
}

// TestOnlyTheCauseJudges: a request that a replacement has killed is cured by the
// new token, which does not tell that the replacement helped.
func TestOnlyTheCauseJudges(t *testing.T) {
	p := &platform{life: time.Hour, slow: time.Second}
	inFakeTime(t, p, Options{Kills: true}, func(t *testing.T, c *Cache) {
		c.Accept(mustToken(t, c).Value)
		cause := make(chan Token, 1)
		go func() {
			next, _ := c.Replace(context.Background(), "t1")
			cause <- next
		}()
		synctest.Wait()
		joined, _ := c.Replace(t.Context(), "t1")
		late, _ := c.Replace(t.Context(), "t1")
		c.Cured(joined)
		c.Cured(late)
		if next := <-cause; joined.Caused || late.Caused || !next.Caused {
			t.Errorf("caused: joined %v, late %v, the cause %v", joined.Caused, late.Caused, next.Caused)
		}
		if _, err := c.Replace(t.Context(), "t2"); !errors.Is(err, ErrTooSoon) {
			t.Errorf("cured by those that it killed: %v", err)
		}
	})
}

// TestRunsThatDoNotHelp: where requests are refused for what they are, three in a
// row are soon no sign of a token that died.
func TestRunsThatDoNotHelp(t *testing.T) {
	p := &platform{life: 48 * time.Hour}
	inFakeTime(t, p, Options{MinRefreshInterval: time.Hour}, func(t *testing.T, c *Cache) {
		refused(t, c, false) // begins the pause
		for _, needs := range []int{3, 6, 12, 24} {
			c.Accept(mustToken(t, c).Value)
			before := p.requests()
			for range needs - 1 {
				refused(t, c, false)
			}
			wantRequests(t, p, before)
			refused(t, c, false)
			wantRequests(t, p, before+1)
		}
		c.Accept(mustToken(t, c).Value)
		dead := mustToken(t, c).Value
		for range 48 {
			if next, err := c.Replace(t.Context(), dead); err == nil {
				c.Cured(next)
			}
		}
		if mustToken(t, c).Value == dead {
			t.Error("a revocation is never cured")
		}
	})
}

// TestRunThatFailed: a replacement that brought no token is not held against the
// next one.
func TestRunThatFailed(t *testing.T) {
	p := &platform{life: 48 * time.Hour}
	inFakeTime(t, p, Options{MinRefreshInterval: time.Minute}, func(t *testing.T, c *Cache) {
		refused(t, c, false)
		c.Accept("t2")
		p.set(func(p *platform) { p.err = errors.New("down") })
		for range 3 {
			refused(t, c, false)
		}
		p.set(func(p *platform) { p.err = nil })
		time.Sleep(2 * time.Minute)
		refused(t, c, false) // due by the clock, and futile
		held := mustToken(t, c).Value
		c.Accept(held)
		for range runOf {
			refused(t, c, false)
		}
		if mustToken(t, c).Value == held {
			t.Error("three refusals in a row are not enough")
		}
	})
}

// TestSeldomReplacements never wait, though nobody tells whether they helped.
func TestSeldomReplacements(t *testing.T) {
	p := &platform{life: 48 * time.Hour}
	inFakeTime(t, p, Options{}, func(t *testing.T, c *Cache) {
		for range 12 {
			time.Sleep(11 * time.Minute)
			if _, err := c.Replace(t.Context(), mustToken(t, c).Value); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(2 * time.Second)
		if _, err := c.Replace(t.Context(), mustToken(t, c).Value); err != nil {
			t.Errorf("soon after one that came alone: %v", err)
		}
	})
}
