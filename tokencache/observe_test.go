package tokencache

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// TestObserverThatHangs keeps nobody waiting: neither those who share its
// flight, nor later ones, nor Close for long.
func TestObserverThatHangs(t *testing.T) {
	for name, atBeginning := range map[string]bool{"at the beginning": true, "at the end": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				release := make(chan struct{})
				defer close(release)
				p := &platform{life: time.Hour, slow: time.Second}
				c := New(Options{Source: p, Observers: []Observer{ObserverFunc(func(Start) func(Fetch) {
					if atBeginning {
						<-release
					}
					return func(Fetch) { <-release }
				})}})
				took := func(want time.Duration, what string, do func()) {
					t.Helper()
					before := time.Now()
					if do(); time.Since(before) != want {
						t.Errorf("%s took %v", what, time.Since(before))
					}
				}
				took(time.Second, "the first flight", func() {
					var all sync.WaitGroup
					for range 100 {
						all.Go(func() { wantToken(t, c, "t1") })
					}
					all.Wait()
				})
				c.Accept("t1")
				took(time.Second, "the second flight", func() {
					if tok, err := c.Replace(t.Context(), "t1"); err != nil || tok.Value != "t2" {
						t.Errorf("Replace = %v, %v", tok, err)
					}
				})
				took(farewell, "Close", c.Close)
			})
		})
	}
}

// TestObserversAreToldInOrder: of one flight before the next, each observer in
// turn, and at the end when the state is the new one and those who waited have
// their token.
func TestObserversAreToldInOrder(t *testing.T) {
	p := &platform{life: time.Hour, slow: time.Second}
	var c *Cache
	var told []string
	observer := func(name string) Observer {
		return ObserverFunc(func(s Start) func(Fetch) {
			told = append(told, fmt.Sprint(name, " begins ", s.Cause, " ", s.Old))
			time.Sleep(3 * time.Second) // longer than a flight
			return func(f Fetch) {
				if state := c.State(); state.Fingerprint != f.Fingerprint && state.Fingerprint != Fingerprint("t2") || state.Waiters != 0 {
					t.Errorf("told of %s in the state of %+v", f.Fingerprint, state)
				}
				told = append(told, fmt.Sprint(name, " ends ", f.Fingerprint))
			}
		})
	}
	inFakeTime(t, p, Options{Observers: []Observer{observer("a"), observer("b")}}, func(t *testing.T, made *Cache) {
		c = made
		wantToken(t, c, "t1")
		c.Accept("t1")
		if _, err := c.Replace(t.Context(), "t1"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		t1, t2 := Fingerprint("t1"), Fingerprint("t2")
		want := []string{
			"a begins first ", "b begins first ", "a ends " + t1, "b ends " + t1,
			"a begins refused " + t1, "b begins refused " + t1, "a ends " + t2, "b ends " + t2,
		}
		if !slices.Equal(told, want) {
			t.Errorf("told %q, want %q", told, want)
		}
	})
}

// TestStart: what is known of a flight when it begins.
func TestStart(t *testing.T) {
	p := &platform{life: time.Hour}
	var seen []Start
	inFakeTime(t, p, Options{Observers: []Observer{ObserverFunc(func(s Start) func(Fetch) {
		seen = append(seen, s)
		return nil
	})}}, func(t *testing.T, c *Cache) {
		began := time.Now()
		wantToken(t, c, "t1")
		time.Sleep(time.Minute)
		_, _ = c.Replace(t.Context(), "t1")
		synctest.Wait()
		want := []Start{
			{Time: began, Cause: CauseFirst},
			{Time: began.Add(time.Minute), Cause: CauseRefused, Old: Fingerprint("t1"), OldAge: time.Minute},
		}
		if !slices.Equal(seen, want) {
			t.Errorf("%+v, want %+v", seen, want)
		}
	})
}

// TestRenewalThatTurnsIntoAReplacement: the record names what the flight was
// good for in the end.
func TestRenewalThatTurnsIntoAReplacement(t *testing.T) {
	p := &platform{life: time.Hour}
	var causes []Cause
	observe := func(s Start) func(Fetch) { return func(f Fetch) { causes = append(causes, s.Cause, f.Cause) } }
	inFakeTime(t, p, Options{Observers: []Observer{ObserverFunc(observe)}}, func(t *testing.T, c *Cache) {
		wantToken(t, c, "t1")
		p.set(func(p *platform) { p.slow = 5 * time.Second })
		time.Sleep(time.Until(c.State().Renewal) + time.Second)
		_, _ = c.Replace(t.Context(), "t1")
		synctest.Wait()
		if want := []Cause{CauseFirst, CauseFirst, CauseRenewal, CauseRefused}; !slices.Equal(causes, want) {
			t.Errorf("%q, want %q", causes, want)
		}
	})
}

// TestCloseWaitsForTheLastRecord: what happened to the flight that Close ends
// is told before it returns.
func TestCloseWaitsForTheLastRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var last Fetch
		c := New(Options{Source: &platform{slow: time.Minute}, Observers: []Observer{atEnd(func(f Fetch) {
			time.Sleep(farewell / 2)
			last = f
		})}})
		go func() { _, _ = c.Token(context.Background()) }()
		synctest.Wait()
		if c.Close(); last.Result != ResultError || !errors.Is(last.Err, context.Canceled) {
			t.Errorf("told of %+v", last)
		}
	})
}

// TestCloseTellsOfASourceThatHangs, which does not notice that its flight is over.
func TestCloseTellsOfASourceThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		defer close(release)
		var last Fetch
		c := New(Options{Source: source(func(context.Context, Token) (Token, error) {
			<-release
			return Token{}, errors.New("released")
		}), Observers: []Observer{atEnd(func(f Fetch) { last = f })}})
		go func() { _, _ = c.Token(context.Background()) }()
		synctest.Wait()
		if c.Close(); !errors.Is(last.Err, errClosed) {
			t.Errorf("told of %+v", last)
		}
	})
}
