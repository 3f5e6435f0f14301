package tokencache

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// platform is a Source in fake time: it numbers its tokens.
type platform struct {
	mu      sync.Mutex
	asked   []time.Time
	life    time.Duration
	slow    time.Duration
	err     error
	same    bool // repeats the token until it expires, counting down
	issued  Token
	answers func(n int) (Token, error)
}

func (p *platform) Fetch(ctx context.Context, _ Token) (Token, error) {
	p.mu.Lock()
	now := time.Now()
	p.asked = append(p.asked, now)
	n, slow := len(p.asked), p.slow
	p.mu.Unlock()
	if slow > 0 {
		select {
		case <-time.After(slow):
		case <-ctx.Done():
			return Token{}, &FetchError{Reason: ReasonTimeout, Err: ctx.Err()}
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err != nil {
		return Token{}, p.err
	}
	if p.answers != nil {
		return p.answers(n)
	}
	if p.same && now.Before(p.issued.Expiry) {
		return p.issued, nil
	}
	p.issued = Token{Value: fmt.Sprint("t", n), Type: "Bearer", Issued: now, Expiry: now.Add(p.life)}
	return p.issued, nil
}

func (p *platform) set(f func(*platform)) { p.mu.Lock(); defer p.mu.Unlock(); f(p) }

func (p *platform) requests() int { p.mu.Lock(); defer p.mu.Unlock(); return len(p.asked) }

// inFakeTime runs f in a bubble of fake time with a cache over p.
func inFakeTime(t *testing.T, p *platform, opts Options, f func(t *testing.T, c *Cache)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		opts.Source = p
		c := New(opts)
		defer c.Close()
		f(t, c)
		synctest.Wait()
	})
}

func mustToken(t *testing.T, c *Cache) Token {
	t.Helper()
	tok, err := c.Token(t.Context())
	if err != nil {
		t.Fatalf("Token: %v", err)
	}
	return tok
}

func wantToken(t *testing.T, c *Cache, want string) {
	t.Helper()
	if got := mustToken(t, c).Value; got != want {
		t.Fatalf("Token = %s, want %s", got, want)
	}
}

func wantRequests(t *testing.T, p *platform, want int) {
	t.Helper()
	if got := p.requests(); got != want {
		t.Fatalf("the platform was asked %d times, want %d", got, want)
	}
}

func TestColdCallersShareOneFlight(t *testing.T) {
	p := &platform{life: time.Hour, slow: time.Second}
	inFakeTime(t, p, Options{}, func(t *testing.T, c *Cache) {
		var wg sync.WaitGroup
		for range 1000 {
			wg.Go(func() { wantToken(t, c, "t1") })
		}
		synctest.Wait()
		if got := c.State().Waiters; got != 1000 {
			t.Errorf("Waiters = %d, want 1000", got)
		}
		wg.Wait()
		wantRequests(t, p, 1)
		if got := c.State().Waiters; got != 0 {
			t.Errorf("Waiters afterwards = %d", got)
		}
	})
}

// At the moment of expiry, and of a refusal that all meet at once.
func TestFiveThousandCallersShareOneFlight(t *testing.T) {
	p := &platform{life: time.Hour}
	inFakeTime(t, p, Options{}, func(t *testing.T, c *Cache) {
		storm := func(want int, ask func() (Token, error)) {
			t.Helper()
			p.set(func(p *platform) { p.slow = time.Second })
			var wg sync.WaitGroup
			for range 5000 {
				wg.Go(func() {
					if tok, err := ask(); err != nil || tok.Value != fmt.Sprint("t", want) {
						t.Errorf("%v, %v", tok, err)
					}
				})
			}
			wg.Wait()
			p.set(func(p *platform) { p.slow = 0 })
			wantRequests(t, p, want)
		}
		token := func() (Token, error) { return c.Token(t.Context()) }
		storm(1, token)
		c.Close() // no renewal ahead: all come when the token has just expired
		c.base, c.stop = context.WithCancel(context.Background())
		time.Sleep(time.Until(c.State().Expiry))
		storm(2, token)
		c.Accept("t2")
		storm(3, func() (Token, error) { return c.Replace(t.Context(), "t2") })
	})
}

func TestWarmTokenDoesNotAllocate(t *testing.T) {
	c := New(Options{Source: &platform{life: time.Hour}})
	defer c.Close()
	mustToken(t, c)
	ctx := t.Context()
	if n := testing.AllocsPerRun(1000, func() { _, _ = c.Token(ctx); c.Accept("t1") }); n != 0 {
		t.Errorf("a warm Token allocates %v times", n)
	}
}

func TestCallerLeavesFlightGoesOn(t *testing.T) {
	p := &platform{life: time.Hour, slow: 5 * time.Second}
	inFakeTime(t, p, Options{}, func(t *testing.T, c *Cache) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		first := make(chan error)
		go func() { _, err := c.Token(ctx); first <- err }()
		synctest.Wait()
		second := make(chan Token)
		go func() { second <- mustToken(t, c) }()
		if err := <-first; !errors.Is(err, ErrWaited) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the caller that left got %v", err)
		}
		if tok := <-second; tok.Value != "t1" {
			t.Errorf("the caller that stayed got %v", tok)
		}
		wantRequests(t, p, 1)
	})
}

func TestServedStaleWhileRenewed(t *testing.T) {
	p := &platform{life: time.Hour}
	inFakeTime(t, p, Options{}, func(t *testing.T, c *Cache) {
		wantToken(t, c, "t1")
		p.set(func(p *platform) { p.slow = 5 * time.Second })
		time.Sleep(time.Hour - 30*time.Second) // the timer has started the flight, or this call does
		before := time.Now()
		for range 100 {
			if got := mustToken(t, c); got.Value == "" {
				t.Fatal("no token")
			}
		}
		if d := time.Since(before); d != 0 {
			t.Errorf("callers waited %v although the token was alive", d)
		}
		wantRequests(t, p, 2)
	})
}

func TestOldTokenThatDiesIsNotServedDuringRenewal(t *testing.T) {
	p := &platform{life: time.Hour}
	inFakeTime(t, p, Options{Kills: true, Timeout: time.Minute}, func(t *testing.T, c *Cache) {
		wantToken(t, c, "t1")
		p.set(func(p *platform) { p.slow = 40 * time.Second })
		time.Sleep(time.Until(c.State().Renewal) + time.Millisecond)
		wantToken(t, c, "t2")
	})
	p = &platform{life: time.Hour}
	inFakeTime(t, p, Options{Kills: true}, func(t *testing.T, c *Cache) {
		wantToken(t, c, "t1")
		p.set(func(p *platform) { p.err = errors.New("down") })
		time.Sleep(time.Until(c.State().Renewal) + time.Millisecond)
		wantToken(t, c, "t1") // no new one came, so the old one lives
	})
}

func TestRenewedAheadBetweenRequestsWhenInUse(t *testing.T) {
	p := &platform{life: time.Hour}
	inFakeTime(t, p, Options{}, func(t *testing.T, c *Cache) {
		wantToken(t, c, "t1")
		time.Sleep(time.Hour)
		wantRequests(t, p, 2) // t1 was used: renewed without a request
		wantToken(t, c, "t2")
		time.Sleep(59 * time.Minute)
		wantRequests(t, p, 3)
		time.Sleep(24 * time.Hour)
		wantRequests(t, p, 3) // nobody used t3: left to lapse
		wantToken(t, c, "t4")
	})
}

func TestAWeekInUse(t *testing.T) {
	p := &platform{life: 12 * time.Hour}
	inFakeTime(t, p, Options{}, func(t *testing.T, c *Cache) {
		for range 7 * 24 * 60 {
			before := time.Now()
			tok := mustToken(t, c)
			if time.Since(before) > 0 && p.requests() > 1 {
				t.Fatal("a caller waited")
			}
			if !time.Now().Before(tok.Expiry) {
				t.Fatal("an expired token was served")
			}
			time.Sleep(time.Minute)
		}
		if n := p.requests(); n < 14 || n > 15 {
			t.Errorf("a week of 12-hour tokens took %d requests", n)
		}
	})
}

// A life that the platform does not name is the default one, and the token is
// renewed ahead of its end like any other.
func TestLifeThatIsNotNamed(t *testing.T) {
	p := &platform{slow: time.Second, answers: func(n int) (Token, error) {
		return Token{Value: fmt.Sprint("t", n), Issued: time.Now()}, nil
	}}
	inFakeTime(t, p, Options{DefaultTTL: 10 * time.Minute}, func(t *testing.T, c *Cache) {
		wantToken(t, c, "t1")
		if d := time.Until(c.State().Expiry); d != 10*time.Minute {
			t.Errorf("kept for %v", d)
		}
		for range 3600 {
			before := time.Now()
			if mustToken(t, c); time.Since(before) > 0 {
				t.Fatal("a caller waited")
			}
			time.Sleep(time.Second)
		}
		if n := p.requests(); n < 6 || n > 8 {
			t.Errorf("an hour took %d requests", n)
		}
	})
}

func TestReplaceCompares(t *testing.T) {
	p := &platform{life: time.Hour, slow: time.Second}
	inFakeTime(t, p, Options{}, func(t *testing.T, c *Cache) {
		wantToken(t, c, "t1")
		c.Accept("t1")
		var wg sync.WaitGroup
		for range 100 {
			wg.Go(func() {
				tok, err := c.Replace(t.Context(), "t1")
				if err != nil || tok.Value != "t2" {
					t.Errorf("Replace = %v, %v", tok, err)
				}
			})
		}
		synctest.Wait()
		wg.Go(func() { wantToken(t, c, "t2") }) // no refused token for those who come now
		wg.Wait()
		if tok, err := c.Replace(t.Context(), "t1"); err != nil || tok.Value != "t2" {
			t.Errorf("a late Replace = %v, %v", tok, err)
		}
		wantRequests(t, p, 2)
	})
}

func TestAcceptedTokenIsReplacedAtOnce(t *testing.T) {
	p := &platform{life: time.Hour}
	inFakeTime(t, p, Options{}, func(t *testing.T, c *Cache) {
		for range 20 {
			tok := mustToken(t, c)
			c.Accept(tok.Value)
			next, err := c.Replace(t.Context(), tok.Value)
			if err != nil || !next.Caused {
				t.Fatal(next, err)
			}
			c.Cured(next)
		}
		wantRequests(t, p, 21)
	})
}

func TestPlatformThatRefusesEverything(t *testing.T) {
	p := &platform{life: time.Hour}
	inFakeTime(t, p, Options{}, func(t *testing.T, c *Cache) {
		for range 3600 * 100 {
			tok := mustToken(t, c)
			_, _ = c.Replace(t.Context(), tok.Value)
			time.Sleep(10 * time.Millisecond)
		}
		if n := p.requests(); n > 25 || n < 15 {
			t.Errorf("an hour of refusals took %d token requests, want at most 25", n)
		}
		// Once a token is accepted, three refusals in a row end it.
		tok := mustToken(t, c)
		c.Accept(tok.Value)
		for range 2 {
			if _, err := c.Replace(t.Context(), tok.Value); !errors.Is(err, ErrTooSoon) {
				t.Errorf("after an acceptance: %v", err)
			}
		}
		if _, err := c.Replace(t.Context(), tok.Value); err != nil {
			t.Errorf("the third refusal after an acceptance: %v", err)
		}
	})
}

func TestFreshTokenIsReplacedOnceAndThenLater(t *testing.T) {
	p := &platform{life: time.Hour}
	inFakeTime(t, p, Options{}, func(t *testing.T, c *Cache) {
		replace := func(want error) {
			t.Helper()
			if _, err := c.Replace(t.Context(), mustToken(t, c).Value); !errors.Is(err, want) {
				t.Fatalf("Replace: %v, want %v", err, want)
			}
		}
		replace(nil) // the first fetch is not a forced one
		for _, pause := range []time.Duration{1, 2, 4, 8} {
			replace(ErrTooSoon)
			time.Sleep(pause*time.Second - time.Millisecond)
			replace(ErrTooSoon)
			time.Sleep(time.Millisecond)
			replace(nil)
		}
	})
}

func TestFailureIsRemembered(t *testing.T) {
	p := &platform{life: time.Hour, err: &FetchError{Reason: ReasonStatus, Err: errors.New("500")}}
	inFakeTime(t, p, Options{}, func(t *testing.T, c *Cache) {
		for range 3600 * 10 {
			_, err := c.Token(t.Context())
			if err == nil {
				t.Fatal("a token out of nothing")
			}
			time.Sleep(100 * time.Millisecond)
		}
		if n := p.requests(); n > 80 || n < 55 {
			t.Errorf("an hour of outage at ten requests a second took %d token requests", n)
		}
		p.set(func(p *platform) { p.err = nil })
		time.Sleep(61 * time.Second)
		mustToken(t, c)
		if c.State().Err != nil {
			t.Error("the failure outlived the success")
		}
	})
}

func TestRememberedFailureSaysWhen(t *testing.T) {
	p := &platform{err: &FetchError{Reason: ReasonStatus, RetryAfter: 90 * time.Second, Err: errors.New("429")}}
	inFakeTime(t, p, Options{}, func(t *testing.T, c *Cache) {
		_, first := c.Token(t.Context())
		_, second := c.Token(t.Context())
		var un *UnavailableError
		if !errors.As(first, &un) || un.RetryAfter() != 90*time.Second || !errors.As(second, &un) {
			t.Fatalf("errors: %v, then %v", first, second)
		}
		if d := time.Until(un.RetryAt); d != 90*time.Second {
			t.Errorf("Retry-After of 90 s became %v", d)
		}
		time.Sleep(90*time.Second - 1)
		_, _ = c.Token(t.Context())
		wantRequests(t, p, 1)
		time.Sleep(time.Nanosecond)
		_, _ = c.Token(t.Context())
		wantRequests(t, p, 2)
	})
}

func TestRefusedCredentialsAreNotHammered(t *testing.T) {
	p := &platform{life: time.Hour, err: &FetchError{Reason: ReasonCredentials, Err: errors.New("401")}}
	inFakeTime(t, p, Options{}, func(t *testing.T, c *Cache) {
		for range 24 * 3600 {
			_, _ = c.Token(t.Context())
			time.Sleep(time.Second)
		}
		if n := p.requests(); n > 24*6*5/4+6 {
			t.Errorf("a day of wrong credentials took %d token requests", n)
		}
		before := p.requests()
		p.set(func(p *platform) { p.err = nil })
		c.CredentialsChanged()
		mustToken(t, c)
		wantRequests(t, p, before+1)
	})
}

func TestCredentialsThatChangeDuringTheFlight(t *testing.T) {
	p := &platform{life: time.Hour, slow: time.Second, err: &FetchError{Reason: ReasonCredentials, Err: errors.New("401")}}
	inFakeTime(t, p, Options{}, func(t *testing.T, c *Cache) {
		go func() { time.Sleep(time.Second / 2); c.CredentialsChanged() }()
		if _, err := c.Token(t.Context()); err == nil {
			t.Fatal("no error")
		}
		p.set(func(p *platform) { p.err = nil })
		mustToken(t, c)
	})
}

func TestOldTokenServedToItsVeryEndAndNotBeyond(t *testing.T) {
	p := &platform{life: time.Hour}
	inFakeTime(t, p, Options{}, func(t *testing.T, c *Cache) {
		start := time.Now()
		wantToken(t, c, "t1")
		p.set(func(p *platform) { p.err = errors.New("down") })
		for time.Since(start) < time.Hour {
			wantToken(t, c, "t1")
			time.Sleep(time.Second)
		}
		if tok, err := c.Token(t.Context()); err == nil {
			t.Errorf("%v was served after its expiry", tok)
		}
	})
}

func TestFailedRenewalIsTriedAgainBetweenRequests(t *testing.T) {
	p := &platform{life: time.Hour}
	inFakeTime(t, p, Options{}, func(t *testing.T, c *Cache) {
		wantToken(t, c, "t1")
		p.set(func(p *platform) { p.err = errors.New("down") })
		time.Sleep(time.Until(c.State().Renewal) + 2*time.Second)
		p.set(func(p *platform) { p.err = nil })
		time.Sleep(20 * time.Second)
		if got := c.Held().Value; got == "t1" {
			t.Error("the renewal was not tried again")
		}
	})
}

func TestTimeoutOfTheFlight(t *testing.T) {
	p := &platform{slow: time.Hour}
	inFakeTime(t, p, Options{Timeout: 3 * time.Second}, func(t *testing.T, c *Cache) {
		start := time.Now()
		_, err := c.Token(t.Context())
		var failed *FetchError
		if !errors.Is(err, ErrWaited) || !errors.As(err, &failed) || failed.Reason != ReasonTimeout || time.Since(start) != 3*time.Second {
			t.Errorf("after %v: %v", time.Since(start), err)
		}
		if _, err = c.Token(t.Context()); errors.Is(err, ErrWaited) {
			t.Errorf("a remembered failure claims to have waited: %v", err)
		}
	})
}

// TestSourceThatHangs: nobody waits for it longer than a flight may take, it is
// not called twice at once, and when it comes back all goes on.
func TestSourceThatHangs(t *testing.T) {
	p := &platform{life: time.Hour}
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		calls := 0
		c := New(Options{Timeout: 3 * time.Second, Source: source(func(ctx context.Context, last Token) (Token, error) {
			if calls++; calls == 1 {
				<-release
			}
			return p.Fetch(ctx, last)
		})})
		defer c.Close()
		for i, want := range []time.Duration{3*time.Second + grace, 3 * time.Second} {
			start := time.Now()
			if _, err := c.Token(t.Context()); !errors.Is(err, ErrWaited) || !errors.Is(err, errHangs) || time.Since(start) != want {
				t.Errorf("flight %d: after %v: %v", i, time.Since(start), err)
			}
			time.Sleep(time.Until(c.State().NextTry))
		}
		synctest.Wait()
		if calls != 1 {
			t.Errorf("called %d times", calls)
		}
		close(release)
		wantToken(t, c, "t2") // the first one came too late for anybody
	})
}

// source is a Source made of a function.
type source func(context.Context, Token) (Token, error)

func (s source) Fetch(ctx context.Context, last Token) (Token, error) { return s(ctx, last) }

func TestEndpointThatRepeatsItsToken(t *testing.T) {
	for _, configured := range []bool{true, false} {
		t.Run(fmt.Sprint("configured=", configured), func(t *testing.T) {
			p := &platform{life: 2 * time.Hour, same: true}
			inFakeTime(t, p, Options{Repeats: configured}, func(t *testing.T, c *Cache) {
				for range 24 * 3600 {
					tok := mustToken(t, c)
					c.Accept(tok.Value)
					time.Sleep(time.Second)
				}
				if n := p.requests(); n > 12*3 || configured && n > 13 {
					t.Errorf("a day of two-hour tokens took %d requests", n)
				}
			})
		})
	}
}

// A platform whose endpoint answers one token for ever, with a life that is
// long over or never counts down, must not be asked in a loop.
func TestEndpointThatNeverHasANewToken(t *testing.T) {
	for _, life := range []time.Duration{-time.Hour, 0, 1, time.Millisecond, time.Second, 3 * time.Second} {
		t.Run(life.String(), func(t *testing.T) {
			p := &platform{answers: func(int) (Token, error) {
				return Token{Value: "same", Issued: time.Now(), Expiry: time.Now().Add(life)}, nil
			}}
			inFakeTime(t, p, Options{}, func(t *testing.T, c *Cache) {
				for range 24 * 3600 {
					tok := mustToken(t, c)
					c.Accept(tok.Value)
					time.Sleep(time.Second)
				}
				if n := p.requests(); n > 320 {
					t.Errorf("a day took %d requests", n)
				}
			})
		})
	}
}

func TestRefusedTokenThatIsRepeated(t *testing.T) {
	p := &platform{life: 12 * time.Hour, same: true}
	inFakeTime(t, p, Options{Repeats: true}, func(t *testing.T, c *Cache) {
		tok := mustToken(t, c)
		c.Accept(tok.Value)
		if _, err := c.Replace(t.Context(), tok.Value); !errors.Is(err, ErrSameToken) {
			t.Fatalf("Replace: %v", err)
		}
		wantToken(t, c, "t1") // the platform has no other
		for range 3600 {      // some requests are refused, others are not
			_, _ = c.Replace(t.Context(), "t1")
			c.Accept("t1")
			time.Sleep(time.Second)
		}
		if n := p.requests(); n > 25 {
			t.Errorf("an hour of refusals of a repeated token took %d requests", n)
		}
	})
}

func TestShortAndAbsurdLives(t *testing.T) {
	for life, limit := range map[time.Duration]int{
		-time.Hour: 2, 0: 2, time.Nanosecond: 4300, time.Second: 4300, 10 * time.Second: 480,
		5 * time.Minute: 16, 1 << 62: 1,
	} {
		t.Run(life.String(), func(t *testing.T) {
			p := &platform{life: life}
			inFakeTime(t, p, Options{}, func(t *testing.T, c *Cache) {
				for range 36000 {
					mustToken(t, c)
					time.Sleep(100 * time.Millisecond)
				}
				if n := p.requests(); n > limit {
					t.Errorf("an hour took %d requests, want at most %d", n, limit)
				}
				if d := time.Until(c.State().Expiry); d > 30*24*time.Hour {
					t.Errorf("kept for %v", d)
				}
			})
		})
	}
}

func TestSourceThatPanicsOrAnswersNothing(t *testing.T) {
	for name, answers := range map[string]func(int) (Token, error){
		"panics":  func(int) (Token, error) { panic("secret") },
		"nothing": func(int) (Token, error) { return Token{}, nil },
	} {
		t.Run(name, func(t *testing.T) {
			inFakeTime(t, &platform{answers: answers}, Options{}, func(t *testing.T, c *Cache) {
				_, err := c.Token(t.Context())
				var failed *FetchError
				if !errors.As(err, &failed) || failed.Reason != ReasonBadAnswer {
					t.Errorf("Token: %v", err)
				}
			})
		})
	}
}

func TestReplaceJoinsTheRenewalUnderWay(t *testing.T) {
	p := &platform{life: time.Hour}
	inFakeTime(t, p, Options{}, func(t *testing.T, c *Cache) {
		wantToken(t, c, "t1")
		p.set(func(p *platform) { p.slow = 5 * time.Second })
		time.Sleep(time.Until(c.State().Renewal) + time.Second)
		wantRequests(t, p, 2)
		if tok, err := c.Replace(t.Context(), "t1"); err != nil || tok.Value != "t2" {
			t.Errorf("Replace = %v, %v", tok, err)
		}
		wantRequests(t, p, 2)
	})
}

func TestFailedReplacementKeepsServing(t *testing.T) {
	p := &platform{life: time.Hour}
	inFakeTime(t, p, Options{}, func(t *testing.T, c *Cache) {
		wantToken(t, c, "t1")
		c.Accept("t1")
		p.set(func(p *platform) { p.err = errors.New("down") })
		if _, err := c.Replace(t.Context(), "t1"); err == nil || errors.Is(err, ErrSameToken) {
			t.Errorf("Replace: %v", err)
		}
		wantToken(t, c, "t1") // the platform's own refusal is what the client shall see
	})
}

// atEnd is an observer that is told of the ends of flights.
func atEnd(done func(Fetch)) Observer {
	return ObserverFunc(func(Start) func(Fetch) { return done })
}

func TestObserved(t *testing.T) {
	p := &platform{life: time.Hour, slow: time.Second}
	var seen []Fetch
	inFakeTime(t, p, Options{Observers: []Observer{atEnd(func(f Fetch) { seen = append(seen, f) })}}, func(t *testing.T, c *Cache) {
		tok := mustToken(t, c)
		c.Accept(tok.Value)
		next, _ := c.Replace(t.Context(), tok.Value)
		p.set(func(p *platform) { p.err = errors.New("down") })
		c.Cured(next)
		_, _ = c.Replace(t.Context(), "t2")
		synctest.Wait()
		if len(seen) != 3 || seen[0].Result != ResultOK || seen[0].Replaced || seen[0].Duration != time.Second ||
			!seen[1].Replaced || seen[2].Reason != ReasonNetwork || seen[2].NextTry.IsZero() {
			t.Errorf("observed %+v", seen)
		}
	})
}

// TestObservedCauses: why each token was asked for, what was held, and who
// waited.
func TestObservedCauses(t *testing.T) {
	p := &platform{life: time.Hour, slow: time.Second}
	var seen []Fetch
	inFakeTime(t, p, Options{Observers: []Observer{atEnd(func(f Fetch) { seen = append(seen, f) })}}, func(t *testing.T, c *Cache) {
		var wg sync.WaitGroup
		for range 7 {
			wg.Go(func() { mustToken(t, c) })
		}
		wg.Wait()
		time.Sleep(time.Until(c.State().Renewal) + 2*time.Second) // in use, so renewed
		_, _ = c.Replace(t.Context(), "t2")
		time.Sleep(3 * time.Hour) // renewed once more, and then not in use, so left to lapse
		mustToken(t, c)
		synctest.Wait()
		fp := Fingerprint
		for i, want := range []Fetch{
			{Cause: CauseFirst, Waiters: 7, Fingerprint: fp("t1")},
			{Cause: CauseRenewal, Waiters: 0, Fingerprint: fp("t2"), Old: fp("t1")},
			{Cause: CauseRefused, Waiters: 1, Fingerprint: fp("t3"), Old: fp("t2"), OldAge: 3 * time.Second},
			{Cause: CauseRenewal, Waiters: 0, Fingerprint: fp("t4"), Old: fp("t3")},
			{Cause: CauseExpired, Waiters: 1, Fingerprint: fp("t5"), Old: fp("t4")},
		} {
			if i >= len(seen) {
				t.Fatalf("%d flights", len(seen))
			}
			got := seen[i]
			if got.Cause != want.Cause || got.Waiters != want.Waiters || got.Fingerprint != want.Fingerprint || got.Old != want.Old || want.OldAge != 0 && got.OldAge != want.OldAge {
				t.Errorf("flight %d: %+v, want %+v", i, got, want)
			}
		}
	})
}

// TestConcurrentLife runs every method at once; its worth is under -race.
func TestConcurrentLife(t *testing.T) {
	p := &platform{life: 2 * time.Second}
	var refused atomic.Int64
	c := New(Options{Source: p})
	defer c.Close()
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for i := range 2000 {
				tok, err := c.Token(t.Context())
				if err != nil || tok.Value == "" {
					t.Errorf("Token: %v, %v", tok, err)
					return
				}
				c.Accept(tok.Value)
				if i%100 == 0 {
					if _, err := c.Replace(t.Context(), tok.Value); err != nil {
						refused.Add(1)
					}
				}
				_ = c.State()
			}
		})
	}
	wg.Wait()
	if p.requests() > 8*20+1 {
		t.Errorf("%d requests for %d replacements", p.requests(), 8*20)
	}
}
