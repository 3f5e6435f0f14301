package tokencache

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestFlightThatFailsLeavesTheOldToken(t *testing.T) {
	p := &platform{life: time.Hour}
	inFakeTime(t, p, Options{Kills: true, Timeout: 2 * time.Second}, func(t *testing.T, c *Cache) {
		wantToken(t, c, "t1")
		p.set(func(p *platform) { p.slow = time.Minute })
		time.Sleep(time.Until(c.State().Renewal) + time.Millisecond)
		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := c.Token(short); !errors.Is(err, ErrWaited) {
			t.Errorf("the caller that left: %v", err)
		}
		wantToken(t, c, "t1")
	})
}

func TestReplaceNeverReturnsTheRejectedToken(t *testing.T) {
	p := &platform{answers: func(n int) (Token, error) {
		return Token{Value: []string{"", "a", "b", "a"}[n], Issued: time.Now(), Expiry: time.Now().Add(time.Minute)}, nil
	}}
	inFakeTime(t, p, Options{Repeats: true}, func(t *testing.T, c *Cache) {
		wantToken(t, c, "a")
		if tok, err := c.Replace(t.Context(), "a"); tok.Value != "b" {
			t.Fatal(tok, err)
		}
		p.set(func(p *platform) { p.slow = time.Second })
		time.Sleep(time.Minute)
		if tok, err := c.Replace(t.Context(), "a"); !errors.Is(err, ErrSameToken) {
			t.Errorf("Replace = %v, %v", tok, err)
		}
	})
}

func TestReplaceOfAFreshTokenJoinsTheFlightUnderWay(t *testing.T) {
	p := &platform{life: 10 * time.Second}
	inFakeTime(t, p, Options{MinRefreshInterval: time.Minute}, func(t *testing.T, c *Cache) {
		wantToken(t, c, "t1")
		if _, err := c.Replace(t.Context(), "t1"); err != nil {
			t.Fatal(err)
		}
		p.set(func(p *platform) { p.slow = 500 * time.Millisecond })
		time.Sleep(time.Until(c.State().Renewal) + 100*time.Millisecond)
		if tok, err := c.Replace(t.Context(), "t2"); err != nil || tok.Value != "t3" {
			t.Errorf("Replace = %v, %v", tok, err)
		}
	})
}

func TestReplaceHeedsTheRememberedFailure(t *testing.T) {
	p := &platform{life: time.Hour}
	inFakeTime(t, p, Options{}, func(t *testing.T, c *Cache) {
		wantToken(t, c, "t1")
		c.Accept("t1")
		p.set(func(p *platform) { p.err = errors.New("down") })
		_, _ = c.Replace(t.Context(), "t1")
		var un *UnavailableError
		if _, err := c.Replace(t.Context(), "t1"); !errors.As(err, &un) {
			t.Errorf("Replace: %v", err)
		}
		wantRequests(t, p, 2)
		time.Sleep(10 * time.Second)
		before := time.Now()
		p.set(func(p *platform) { p.slow = time.Second })
		if wantToken(t, c, "t1"); time.Since(before) != 0 {
			t.Error("waited although the refusal is over")
		}
	})
}

// TestRefusedTokenComesBackWithTheRenewal: it was refused while its renewal was
// under way, and that brings the same one once more. The refusal counts.
func TestRefusedTokenComesBackWithTheRenewal(t *testing.T) {
	p := &platform{answers: func(int) (Token, error) {
		return Token{Value: "same", Issued: time.Now(), Expiry: time.Now().Add(time.Hour)}, nil
	}}
	inFakeTime(t, p, Options{}, func(t *testing.T, c *Cache) {
		wantToken(t, c, "same")
		c.Accept("same")
		p.set(func(p *platform) { p.slow = 5 * time.Second })
		time.Sleep(time.Until(c.State().Renewal) + time.Second)
		wantRequests(t, p, 2)
		refused := make(chan error)
		go func() { _, err := c.Replace(t.Context(), "same"); refused <- err }()
		synctest.Wait()
		before := time.Now()
		wantToken(t, c, "same") // the platform has no other
		if d := time.Since(before); d != 4*time.Second {
			t.Errorf("handed out after %v, while another one was on its way", d)
		}
		if err := <-refused; !errors.Is(err, ErrSameToken) {
			t.Errorf("Replace: %v", err)
		}
		p.set(func(p *platform) { p.slow = 0 })
		for range 60 { // some requests are refused, others are not
			_, _ = c.Replace(t.Context(), "same")
			c.Accept("same")
			time.Sleep(time.Second)
		}
		if n := p.requests(); n > 2+7 {
			t.Errorf("a minute of refusals took %d token requests", n-2)
		}
	})
}

// TestFlightThatHasEndedIsNotJoined: one whose observer is still being told has
// brought all it can, and who comes now needs another one.
func TestFlightThatHasEndedIsNotJoined(t *testing.T) {
	for name, again := range map[string]struct {
		err error // of the first flight
		ask func(ctx context.Context, p *platform, c *Cache) (Token, error)
	}{
		"its token is refused": {nil, func(ctx context.Context, _ *platform, c *Cache) (Token, error) { return c.Replace(ctx, "t1") }},
		"it has failed": {&FetchError{Reason: ReasonCredentials, Err: errors.New("401")}, func(ctx context.Context, p *platform, c *Cache) (Token, error) {
			p.set(func(p *platform) { p.err = nil })
			c.CredentialsChanged()
			return c.Token(ctx)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			var told chan struct{}
			flights := 0
			p := &platform{life: time.Hour, err: again.err}
			inFakeTime(t, p, Options{Observers: []Observer{atEnd(func(Fetch) {
				if flights++; flights == 1 {
					<-told
				}
			})}}, func(t *testing.T, c *Cache) {
				told = make(chan struct{})
				defer close(told)
				go func() { _, _ = c.Token(t.Context()) }()
				synctest.Wait() // the first one tells
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				if tok, err := again.ask(ctx, p, c); err != nil || tok.Value != "t2" {
					t.Errorf("%v, %v", tok, err)
				}
			})
		})
	}
}

func TestAcceptCompares(t *testing.T) {
	p := &platform{life: time.Hour}
	inFakeTime(t, p, Options{}, func(t *testing.T, c *Cache) {
		wantToken(t, c, "t1")
		_, _ = c.Replace(t.Context(), "t1")
		c.Accept("t1")
		if _, err := c.Replace(t.Context(), "t2"); !errors.Is(err, ErrTooSoon) {
			t.Errorf("Replace: %v", err)
		}
	})
}

func TestNewCredentialsDoNotEndAnOutage(t *testing.T) {
	p := &platform{life: time.Hour, slow: time.Second, err: &FetchError{Reason: ReasonStatus, Err: errors.New("500")}}
	inFakeTime(t, p, Options{}, func(t *testing.T, c *Cache) {
		go func() { time.Sleep(time.Second / 2); c.CredentialsChanged() }()
		_, _ = c.Token(t.Context())
		c.CredentialsChanged()
		var un *UnavailableError
		if _, err := c.Token(t.Context()); !errors.As(err, &un) {
			t.Errorf("Token: %v", err)
		}
		wantRequests(t, p, 1)
	})
}

func TestNewCredentialsAreTriedAtOnceBetweenRequests(t *testing.T) {
	p := &platform{life: time.Hour}
	inFakeTime(t, p, Options{}, func(t *testing.T, c *Cache) {
		wantToken(t, c, "t1")
		p.set(func(p *platform) { p.err = &FetchError{Reason: ReasonCredentials, Err: errors.New("401")} })
		time.Sleep(time.Until(c.State().Renewal) + time.Second)
		p.set(func(p *platform) { p.err = nil })
		c.CredentialsChanged()
		time.Sleep(time.Millisecond)
		synctest.Wait()
		if c.Held().Value == "t1" {
			t.Error("not tried")
		}
	})
}

func TestCloseEndsTheFlight(t *testing.T) {
	p := &platform{slow: time.Hour}
	inFakeTime(t, p, Options{Timeout: 2 * time.Hour}, func(t *testing.T, c *Cache) {
		before := time.Now()
		go func() { time.Sleep(time.Second); c.Close() }()
		if _, err := c.Token(t.Context()); err == nil || time.Since(before) != time.Second {
			t.Errorf("after %v: %v", time.Since(before), err)
		}
	})
}

func TestSameTokenAskedAheadIsNoNews(t *testing.T) {
	var seen []Fetch
	p := &platform{answers: func(int) (Token, error) {
		return Token{Value: "same", Issued: time.Now(), Expiry: time.Now().Add(time.Hour)}, nil
	}}
	inFakeTime(t, p, Options{Observers: []Observer{atEnd(func(f Fetch) { seen = append(seen, f) })}}, func(t *testing.T, c *Cache) {
		mustToken(t, c)
		first := c.State()
		time.Sleep(time.Hour - time.Second)
		synctest.Wait()
		wantRequests(t, p, 2)
		if s := c.State(); !s.Expiry.Equal(first.Expiry) || !s.Issued.Equal(first.Issued) {
			t.Errorf("from %+v to %+v", first, s)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		wantRequests(t, p, 3) // in use, so asked for at its expiry without a request
		if seen[1].Result != ResultOK || seen[1].Replaced {
			t.Errorf("observed %+v", seen[1])
		}
	})
}

type sourceFunc func(context.Context, Token) (Token, error)

func (f sourceFunc) Fetch(ctx context.Context, last Token) (Token, error) { return f(ctx, last) }

func TestSourceGetsTheLastTokenAndMaySpeakPlainly(t *testing.T) {
	var lasts []Token
	c := New(Options{Source: sourceFunc(func(_ context.Context, last Token) (Token, error) {
		if lasts = append(lasts, last); len(lasts) == 1 {
			return Token{Value: "a", Refresh: "r"}, nil
		}
		return Token{}, context.DeadlineExceeded
	})})
	defer c.Close()
	mustToken(t, c)
	_, err := c.Replace(t.Context(), "a")
	var failed *FetchError
	if !errors.As(err, &failed) || failed.Reason != ReasonTimeout || !errors.Is(err, ErrWaited) || lasts[1].Refresh != "r" {
		t.Errorf("%v, %+v", err, lasts)
	}
}

func TestManyCachesSpread(t *testing.T) {
	at := map[time.Time]bool{}
	synctest.Test(t, func(t *testing.T) {
		for range 20 {
			c := New(Options{Source: &platform{life: time.Hour}})
			mustToken(t, c)
			at[c.State().Renewal] = true
			c.Close()
		}
	})
	if len(at) < 15 {
		t.Errorf("20 caches renew at %d moments", len(at))
	}
}

// The cool-down counts tokens that were replaced, not requests that failed.
func TestOutageIsNoRefusalOfAFreshToken(t *testing.T) {
	p := &platform{life: time.Hour}
	inFakeTime(t, p, Options{}, func(t *testing.T, c *Cache) {
		tok := mustToken(t, c)
		p.set(func(p *platform) { p.err = &FetchError{Reason: ReasonStatus, Err: errors.New("503")} })
		for range 600 { // ten minutes of outage
			_, _ = c.Replace(t.Context(), tok.Value)
			time.Sleep(time.Second)
		}
		p.set(func(p *platform) { p.err = nil })
		back := time.Now()
		for {
			if _, err := c.Replace(t.Context(), tok.Value); err == nil {
				break
			}
			time.Sleep(time.Second)
		}
		if d := time.Since(back); d > 61*time.Second {
			t.Errorf("recovered only %v after the platform", d)
		}
	})
}

// The secret changes while the renewal is under way with the old one.
func TestCredentialsThatChangeDuringTheRenewal(t *testing.T) {
	p := &platform{life: time.Hour}
	inFakeTime(t, p, Options{}, func(t *testing.T, c *Cache) {
		wantToken(t, c, "t1")
		p.set(func(p *platform) {
			p.slow = 2 * time.Second
			p.err = &FetchError{Reason: ReasonCredentials, Err: errors.New("401")}
		})
		time.Sleep(time.Until(c.State().Renewal) + time.Second)
		c.CredentialsChanged()
		time.Sleep(1500 * time.Millisecond)
		p.set(func(p *platform) { p.err, p.slow = nil, 0 })
		time.Sleep(20 * time.Second)
		if c.Held().Value == "t1" {
			t.Error("not tried again with the new secret; the token lapses")
		}
	})
}

// An endpoint that answers 401 and 503 by turns gets the credentials no more
// often than one that answers 401.
func TestRefusedCredentialsBetweenOutages(t *testing.T) {
	p := &platform{answers: func(n int) (Token, error) {
		if n%2 == 0 {
			return Token{}, &FetchError{Reason: ReasonStatus, Err: errors.New("503")}
		}
		return Token{}, &FetchError{Reason: ReasonCredentials, Err: errors.New("401")}
	}}
	inFakeTime(t, p, Options{}, func(t *testing.T, c *Cache) {
		for range 24 * 3600 {
			_, _ = c.Token(t.Context())
			time.Sleep(time.Second)
		}
		if n := p.requests(); n > 600 {
			t.Errorf("a day took %d token requests", n)
		}
	})
}
