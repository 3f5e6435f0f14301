package tokencache

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// others is a source whose tokens other processes have made.
type others struct {
	n       int
	adopted bool
}

func (o *others) Fetch(context.Context, Token) (Token, error) {
	o.n++
	now := time.Now()
	return Token{Value: fmt.Sprint("t", o.n), Issued: now, Expiry: now.Add(time.Hour), Adopted: o.adopted}, nil
}

// TestAdoptedTokensAreNoReplacements: however often other processes replace a token, this
// one is not braked, and knows of no rivals.
func TestAdoptedTokensAreNoReplacements(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told []Fetch
		c := New(Options{Source: &others{adopted: true}, Kills: true, Observers: []Observer{ObserverFunc(func(Start) func(Fetch) {
			return func(f Fetch) { told = append(told, f) }
		})}})
		defer c.Close()
		held := mustToken(t, c)
		for range 20 {
			c.Accept(held.Value)
			next, err := c.Replace(t.Context(), held.Value)
			if err != nil {
				t.Fatal(err)
			}
			c.Cured(next)
			held = next
			time.Sleep(10 * time.Millisecond)
		}
		synctest.Wait()
		for _, f := range told {
			if f.Result != ResultAdopted || f.Rival {
				t.Errorf("%+v", f)
			}
		}
	})
}

// TestOffer: a token that another process had made takes the place of the one held, which
// is not asked for; its renewal goes on while it is in use.
func TestOffer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &others{}
		c := New(Options{Source: p})
		defer c.Close()
		now := time.Now()
		offered := Token{Value: "theirs", Issued: now, Expiry: now.Add(time.Hour)}
		c.Offer(offered)
		if got := mustToken(t, c); got.Value != "theirs" || p.n != 0 {
			t.Errorf("%s after %d token requests", got.Value, p.n)
		}
		c.Offer(Token{Value: "dead", Issued: now.Add(-2 * time.Hour), Expiry: now.Add(-time.Hour)})
		c.Offer(Token{})
		if got := mustToken(t, c); got.Value != "theirs" {
			t.Errorf("%s was taken", got.Value)
		}
		c.Offer(Token{Value: "next", Issued: now, Expiry: now.Add(time.Hour)})
		time.Sleep(time.Hour) // nobody asks: it is renewed because the one before was in use
		if got := mustToken(t, c); p.n == 0 || got.Value != "t1" {
			t.Errorf("%s after %d token requests", got.Value, p.n)
		}
	})
}

// TestLookInAPause: while no token may be asked for, one of another process is taken, and
// the store is not asked for each refused request.
func TestLookInAPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, looks, theirs := &others{}, 0, Token{}
		c := New(Options{Source: p, MinRefreshInterval: time.Hour, Look: func(context.Context, Token) (Token, bool) {
			looks++
			return theirs, theirs.Value != ""
		}})
		defer c.Close()
		first := mustToken(t, c)
		second, err := c.Replace(t.Context(), first.Value)
		if err != nil {
			t.Fatal(err)
		}
		c.Futile(second)
		for range 100 {
			if _, err := c.Replace(t.Context(), second.Value); !errors.Is(err, ErrTooSoon) {
				t.Fatal(err)
			}
			time.Sleep(10 * time.Millisecond)
		}
		if looks > 2 {
			t.Errorf("%d looks in a second", looks)
		}
		now := time.Now()
		theirs = Token{Value: "theirs", Issued: now, Expiry: now.Add(time.Hour)}
		time.Sleep(time.Second)
		if got, err := c.Replace(t.Context(), second.Value); err != nil || got.Value != "theirs" || p.n != 2 {
			t.Errorf("%s, %v, after %d token requests", got.Value, err, p.n)
		}
	})
}

// TestReunited: the pause that rivals caused is over when they share again, and not more
// than once a minute.
func TestReunited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := New(Options{Source: &others{}, Kills: true})
		defer c.Close()
		die := func() error { // a token that was accepted dies at once
			held := mustToken(t, c)
			c.Accept(held.Value)
			next, err := c.Replace(t.Context(), held.Value)
			if err == nil {
				c.Cured(next)
			}
			return err
		}
		fight := func() {
			for range 20 {
				if die() != nil {
					return
				}
			}
			t.Fatal("rivals are not braked")
		}
		time.Sleep(time.Hour)
		fight()
		c.Reunited()
		if err := die(); err != nil {
			t.Errorf("after they share again: %v", err)
		}
		fight()
		c.Reunited()
		if die() == nil {
			t.Error("twice in a minute")
		}
	})
}
