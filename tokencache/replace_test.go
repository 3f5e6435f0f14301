package tokencache

import (
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

// TestRivals: two programs with one credential, where a new token kills the old.
func TestRivals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
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
		for range 3600 * 20 {
			for _, c := range programs {
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
			if n > 25 || n < 5 || told[i] != 1 {
				t.Errorf("program %d: %d token requests in an hour, told of %d times", i, n, told[i])
			}
		}
	})
}
