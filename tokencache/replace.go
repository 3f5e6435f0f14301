package tokencache

import (
	"context"
	"time"
)

// Replace returns a token other than rejected, which the upstream refused. It
// asks the platform only when rejected is still the token held: a hundred
// callers with the same refused token cause one request. [Token.Caused] is set
// for the one caller whose refusal caused it; that one tells by [Cache.Cured] or
// [Cache.Futile] what became of its second try.
//
// A token is replaced at once when it was accepted before and the last
// replacement cured. Else MinRefreshInterval has to pass, which doubles with each
// replacement that did not cure. Three refusals in a row of a token that was
// accepted before, and was not in between, replace it all the same, unless other
// programs are known to kill it.
//
// Its errors are those of Token, and [ErrTooSoon], [ErrRival] and [ErrSameToken]
// when no other token is to be had.
func (c *Cache) Replace(ctx context.Context, rejected string) (Token, error) {
	return c.replace(ctx, rejected, true)
}

// ReplaceWhenDue is Replace for a request that was refused with a good token
// before, so that its refusal says little about this one: it waits for a pause,
// and does not count against the token.
func (c *Cache) ReplaceWhenDue(ctx context.Context, rejected string) (Token, error) {
	return c.replace(ctx, rejected, false)
}

func (c *Cache) replace(ctx context.Context, rejected string, counts bool) (Token, error) {
	c.mu.Lock()
	e := c.current.Load()
	if e == nil || e.token.Value != rejected {
		c.mu.Unlock()
		return other(rejected)(c.Token(ctx))
	}
	if err := c.mayReplace(e, time.Now(), counts); err != nil {
		due := c.mayLook(time.Now())
		c.mu.Unlock()
		if due {
			if t, ok := c.opts.Look(ctx, e.token); ok {
				c.Offer(t)
				return other(rejected)(c.Token(ctx))
			}
		}
		return Token{}, err
	}
	caused := !e.refused.Swap(true)
	result := c.join()
	c.mu.Unlock()
	t, err := other(rejected)(c.wait(ctx, result))
	t.Caused = caused && err == nil
	return t, err
}

// lookEvery is how often somebody else's token is looked for while none may be asked for.
const lookEvery = time.Second

// mayLook tells whether to look for somebody else's token now. c.mu is held.
func (c *Cache) mayLook(now time.Time) bool {
	if c.opts.Look == nil || now.Sub(c.looked) < lookEvery {
		return false
	}
	c.looked = now
	return true
}

// mayReplace is nil when e, which was refused, may be replaced now, or is being
// replaced. c.mu is held.
func (c *Cache) mayReplace(e *entry, now time.Time, counts bool) error {
	switch {
	case c.flight != "":
		return nil
	case now.Before(c.failure.until):
		return c.failure.remembered()
	case c.brake.allow(now, c.opts.MinRefreshInterval):
		return nil
	case c.brake.rivals(c.opts.Kills):
		return ErrRival
	case counts && e.accepted.Load() && int(e.run.Add(1)) >= c.brake.runOf():
		c.brake.byRun = true
		return nil
	default:
		return ErrTooSoon
	}
}

func other(rejected string) func(Token, error) (Token, error) {
	return func(t Token, err error) (Token, error) {
		if err == nil && t.Value == rejected {
			return Token{}, ErrSameToken
		}
		return t, err
	}
}

// Accept tells that the upstream took a request with the token of this value.
func (c *Cache) Accept(value string) {
	e := c.current.Load()
	if e == nil || e.accepted.Load() && e.run.Load() == 0 || e.token.Value != value {
		return
	}
	e.accepted.Store(true)
	e.run.Store(0)
}

// Cured tells that the second try of a request whose refusal caused t was
// accepted: it was the token before that was not good.
func (c *Cache) Cured(t Token) {
	c.Accept(t.Value)
	c.settle(t, func(of trial) { c.brake.cured(of, c.opts.Kills) })
}

// Futile tells that the second try of a request whose refusal caused t was
// refused as well: it is the request that is refused, not the token.
func (c *Cache) Futile(t Token) { c.settle(t, c.brake.futile) }

// settle has judge say what came of the replacement that t is, once.
func (c *Cache) settle(t Token, judge func(trial)) {
	if !t.Caused {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if e := c.current.Load(); e != nil && e.token.Value == t.Value && e.replaces != nil {
		judge(*e.replaces)
		e.replaces = nil
	}
}

// trial is the replacement of a refused token.
type trial struct {
	young bool // that was accepted, and died young
	byRun bool // it was replaced for many refusals in a row
}

// The bounds of what is taken for the work of a rival: another program with the
// same credential, on a platform where a new token kills the old one.
const (
	rivalDeaths = 3  // tokens in a row that are replaced at once though they died young
	manyDeaths  = 10 // after which it is told of on other platforms
	youngLimit  = 10 * time.Second
)

// runOf is how many refusals in a row replace a token whatever the pause.
const runOf = 3

// brake bounds the replacements of refused tokens.
type brake struct {
	count   int       // replacements since one cured
	last    time.Time // the latest of them
	deaths  int       // accepted tokens in a row that died young
	futiles int       // of replacements for many refusals in a row, since one cured
	byRun   bool      // the replacement under way is one of these
	told    bool      // of rivals, in this series of deaths
}

// pause is how long after the latest replacement no other one is made.
func (b *brake) pause(least time.Duration) time.Duration {
	if b.count == 0 {
		return 0
	}
	return double(least, b.count-1, max(least, maxPause))
}

func (b *brake) allow(now time.Time, least time.Duration) bool {
	return !now.Before(b.last.Add(b.pause(least)))
}

// young tells whether a token of this age and life has died young: within the
// least interval, twice the pause in force, or the first seconds of its life.
func (b *brake) young(age, life, least time.Duration) bool {
	return age < max(least, 2*b.pause(least), min(youngLimit, life/10))
}

// rivals tells whether the pause holds also for tokens that were accepted.
func (b *brake) rivals(kills bool) bool { return kills && b.deaths >= rivalDeaths }

// runOf is how many refusals in a row replace a token: more after each time that
// this did not help, since where many requests are refused for what they are,
// three of them often come in a row.
func (b *brake) runOf() int { return runOf << min(b.futiles, 16) }

// replaced counts the replacement of old, which was refused.
func (b *brake) replaced(old *entry, now time.Time, least time.Duration) trial {
	if now.Sub(b.last) > 2*max(least, maxPause) {
		b.count = 0 // so seldom is no burden
	}
	life := old.expiry.wall.Sub(old.token.Issued)
	of := trial{young: old.accepted.Load() && b.young(old.age(now), life, least), byRun: b.byRun}
	b.count, b.last, b.byRun = b.count+1, now, false
	return of
}

// cured ends the pause, unless the tokens die of rivals.
func (b *brake) cured(of trial, kills bool) {
	b.deaths++
	if !of.young {
		b.deaths, b.told = 0, false
	}
	b.futiles = 0
	if !b.rivals(kills) {
		b.count = 0
	}
}

// futile keeps the pause. It tells nothing of why the token before was refused: it
// may have been dead, or not.
func (b *brake) futile(of trial) {
	if of.byRun {
		b.futiles++
	}
}

// suspects tells, once in a series of deaths, that the replacement of is likely
// to be due to rivals.
func (b *brake) suspects(of trial, kills bool) bool {
	many := manyDeaths - 1
	if kills {
		many = rivalDeaths
	}
	if !of.young || b.deaths < many || b.told {
		return false
	}
	b.told = true
	return true
}
