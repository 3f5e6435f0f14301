package shared_test

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"authproxy/tokencache"
	"authproxy/tokencache/shared"
	"authproxy/tokencache/storetest"
)

var sidecars = flag.Int("sidecars", 200, "how many sidecars the simulation has")

// The day that is simulated.
const (
	startWithin = 10 * time.Second
	tokenLife   = 2 * time.Hour
	day         = 24 * time.Hour
	usedEvery   = 10 * time.Minute // by each sidecar
)

// perSecond counts what happens, by second.
type perSecond struct {
	mu    sync.Mutex
	begun time.Time
	count map[int64]int
	total int
}

func (p *perSecond) add() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.count[int64(time.Since(p.begun)/time.Second)]++
	p.total++
}

// peak is the most in a second from one time on, to another.
func (p *perSecond) peak(from, to time.Duration) (most int) {
	for second, n := range p.count {
		if at := time.Duration(second) * time.Second; at >= from && at < to {
			most = max(most, n)
		}
	}
	return most
}

// spread is for how long, in each of the token's lives behind the first, something
// happens: the mean of the times from the first to the last.
func (p *perSecond) spread() time.Duration {
	var sum time.Duration
	lives := 0
	for life := 1; life < int(day/tokenLife); life++ {
		middle := time.Duration(life) * tokenLife
		first, last := time.Duration(1<<62), time.Duration(0)
		for second := range p.count {
			if at := time.Duration(second) * time.Second; at > middle-tokenLife/2 && at <= middle+tokenLife/2 {
				first, last = min(first, at), max(last, at)
			}
		}
		if last > 0 {
			sum, lives = sum+last-first, lives+1
		}
	}
	return sum / time.Duration(max(lives, 1))
}

// issuer gives out tokens of two hours after 200 ms.
type issuer struct {
	asked *perSecond
	n     int
	mu    sync.Mutex
}

func (i *issuer) Fetch(context.Context, tokencache.Token) (tokencache.Token, error) {
	i.asked.add()
	issued := time.Now()
	time.Sleep(200 * time.Millisecond)
	i.mu.Lock()
	defer i.mu.Unlock()
	i.n++
	return tokencache.Token{Value: fmt.Sprint("token-", i.n), Issued: issued, Expiry: issued.Add(tokenLife)}, nil
}

// live has all sidecars start within ten seconds, and use their token for a day.
func live(t *testing.T, n int, store shared.Store) (asked, stored *perSecond) {
	begun := time.Now()
	asked, stored = &perSecond{begun: begun, count: map[int64]int{}}, &perSecond{begun: begun, count: map[int64]int{}}
	platform := &issuer{asked: asked}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	random := rand.New(rand.NewPCG(1, 2))
	var all sync.WaitGroup
	for range n {
		start := time.Duration(random.Int64N(int64(startWithin)))
		all.Go(func() {
			time.Sleep(start)
			var source tokencache.Source = platform
			var look func(context.Context, tokencache.Token) (tokencache.Token, bool)
			if store != nil {
				s := shared.New(shared.Options{Name: "t", Source: platform, Store: store, Credential: credential("s"), Observer: func(shared.Operation) { stored.add() }})
				defer s.Close()
				source, look = s, s.Look
				c := tokencache.New(tokencache.Options{Source: source, Look: look})
				defer c.Close()
				go s.Watch(ctx, c.Held, c.Offer)
				use(t, c, begun)
				return
			}
			c := tokencache.New(tokencache.Options{Source: source})
			defer c.Close()
			use(t, c, begun)
		})
	}
	all.Wait()
	return asked, stored
}

func use(t *testing.T, c *tokencache.Cache, begun time.Time) {
	for time.Since(begun) < day {
		if got, err := c.Token(t.Context()); err != nil {
			t.Error(err)
		} else {
			c.Accept(got.Value)
		}
		time.Sleep(usedEvery)
	}
}

// TestADayOfManySidecars prints the table that docs/sharing.md holds:
//
//	go test ./tokencache/shared -run ADayOfMany -sidecars 10000 -v
func TestADayOfManySidecars(t *testing.T) {
	if *sidecars > 1000 && testing.Short() {
		t.Skip("it takes a minute")
	}
	for _, way := range []string{"shared store", "none"} {
		var asked, stored *perSecond
		synctest.Test(t, func(t *testing.T) {
			var store shared.Store
			if way != "none" {
				store = storetest.NewMemory()
			}
			asked, stored = live(t, *sidecars, store)
		})
		t.Logf("| %s | %d | %d in a second | %d in a second, over %s | %d | %d in a second |", way, asked.total, asked.peak(0, time.Minute),
			asked.peak(time.Minute, day), asked.spread().Round(time.Second), stored.total, stored.peak(0, day))
		if most := int(day/tokenLife) + 2; way != "none" && asked.total > most {
			t.Errorf("%d token requests for all together, at most %d are due", asked.total, most)
		}
		if way == "none" && asked.peak(time.Minute, day) > *sidecars/10+5 {
			t.Errorf("%d of %d renew in one second", asked.peak(time.Minute, day), *sidecars)
		}
	}
}
