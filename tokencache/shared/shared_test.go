package shared_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"authproxy/tokencache"
	"authproxy/tokencache/shared"
	"authproxy/tokencache/storetest"
)

// platform gives out tokens of an hour.
type platform struct {
	mu     sync.Mutex
	issued int
	err    error
	wait   time.Duration
	asked  []tokencache.Token // last of each request
}

func (p *platform) Fetch(ctx context.Context, last tokencache.Token) (tokencache.Token, error) {
	select {
	case <-time.After(p.wait):
	case <-ctx.Done():
		return tokencache.Token{}, ctx.Err()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked = append(p.asked, last)
	if p.err != nil {
		return tokencache.Token{}, p.err
	}
	p.issued++
	now := time.Now()
	return tokencache.Token{Value: fmt.Sprint("token-", p.issued), Type: "Bearer", Issued: now, Expiry: now.Add(time.Hour), Refresh: fmt.Sprint("refresh-", p.issued), DeviceID: "device"}, nil
}

func (p *platform) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.asked)
}

func credential(secret string) func() (shared.Credential, error) {
	return func() (shared.Credential, error) {
		return shared.Credential{Key: "key-of-" + secret, Secret: []byte(secret)}, nil
	}
}

func source(t *testing.T, p *platform, store shared.Store, change ...func(*shared.Options)) *shared.Source {
	o := shared.Options{Name: "t", Source: p, Store: store, Credential: credential("s3cr3t")}
	for _, c := range change {
		c(&o)
	}
	s := shared.New(o)
	t.Cleanup(s.Close)
	return s
}

func mustFetch(t *testing.T, s *shared.Source, last tokencache.Token) tokencache.Token {
	t.Helper()
	got, err := s.Fetch(t.Context(), last)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// TestOneTokenForMany: ten processes that start at once make one token request, and one
// more when the token is refused by all of them.
func TestOneTokenForMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, store := &platform{wait: time.Second}, storetest.NewMemory()
		var all []*shared.Source
		for range 10 {
			all = append(all, source(t, p, store))
		}
		held := make([]tokencache.Token, len(all))
		for round := 1; round <= 3; round++ {
			var group sync.WaitGroup
			for i, s := range all {
				group.Go(func() {
					var err error
					if held[i], err = s.Fetch(t.Context(), held[i]); err != nil {
						t.Error(err)
					}
				})
			}
			group.Wait()
			adopted := 0
			for _, one := range held {
				if one.Value != fmt.Sprint("token-", round) {
					t.Errorf("round %d: %s", round, one.Value)
				}
				if one.Adopted {
					adopted++
				}
			}
			if p.count() != round || adopted != len(all)-1 {
				t.Errorf("round %d: %d token requests, %d adopted", round, p.count(), adopted)
			}
		}
	})
}

// TestWhatIsAdopted: neither what was held before, nor what has expired, nor what another
// secret has sealed.
func TestWhatIsAdopted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, store := &platform{}, storetest.NewMemory()
		a, b := source(t, p, store), source(t, p, store)
		first := mustFetch(t, a, tokencache.Token{})
		got := mustFetch(t, b, tokencache.Token{})
		if got.Value != first.Value || !got.Adopted || !got.Expiry.Equal(first.Expiry.Truncate(time.Millisecond)) || got.Type != "Bearer" || got.Refresh != first.Refresh || got.DeviceID != "device" {
			t.Errorf("%#v", got)
		}
		second := mustFetch(t, b, got) // refused there
		if second.Value == first.Value || second.Adopted {
			t.Error("the refused one came back")
		}
		if got := mustFetch(t, a, first); got.Value != second.Value || !got.Adopted {
			t.Error("the new one was not adopted")
		}
		if _, ok := a.Look(t.Context(), second); ok {
			t.Error("the one held is not another")
		}
		other := source(t, p, store, func(o *shared.Options) { o.Credential = credential("new secret") })
		if got := mustFetch(t, other, tokencache.Token{}); got.Adopted {
			t.Error("a changed secret went on with the old token")
		}
		time.Sleep(2 * time.Hour)
		if got := mustFetch(t, source(t, p, store), tokencache.Token{}); got.Adopted {
			t.Error("an expired one was adopted")
		}
	})
}

// TestSealed: neither tokens nor secrets can be read from the store, and what was changed
// there counts as absent.
func TestSealed(t *testing.T) {
	p, store := &platform{}, storetest.NewMemory()
	first := mustFetch(t, source(t, p, store), tokencache.Token{})
	for _, secret := range []string{first.Value, first.Refresh, "s3cr3t-value", "device", "Bearer"} {
		if bytes.Contains(store.Contents(), []byte(secret)) {
			t.Errorf("%s can be read", secret)
		}
	}
	whole := store.Contents()
	for name, change := range map[string]func([]byte) []byte{
		"a bit":           func(v []byte) []byte { v[len(v)/2] ^= 1; return v },
		"cut":             func(v []byte) []byte { return v[:len(v)-1] },
		"nothing":         func([]byte) []byte { return nil },
		"another version": func(v []byte) []byte { v[0]++; return v },
	} {
		store.Set(change)
		before := p.count()
		if got := mustFetch(t, source(t, p, store), tokencache.Token{}); got.Adopted || p.count() != before+1 {
			t.Errorf("%s: %s was adopted", name, got.Value)
		}
	}
	if bytes.Equal(store.Contents(), whole) {
		t.Error("nothing was saved anew")
	}
	// The same key with another secret opens nothing.
	thief := source(t, p, store, func(o *shared.Options) {
		o.Credential = func() (shared.Credential, error) {
			return shared.Credential{Key: "key-of-s3cr3t", Secret: []byte("guess")}, nil
		}
	})
	if got, ok := thief.Look(t.Context(), tokencache.Token{}); ok {
		t.Errorf("%s was opened", got.Value)
	}
}

// TestStoreInTrouble: tokens are had without it, after at most its time limit; where it is
// required, the error says so. It is used again as soon as it works.
func TestStoreInTrouble(t *testing.T) {
	for name, trouble := range map[string]func(*storetest.Memory, bool){
		"fails": func(m *storetest.Memory, on bool) { m.Fail(map[bool]error{true: errors.New("the disk is full")}[on]) },
		"hangs": func(m *storetest.Memory, on bool) { m.Hang(on) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p, store := &platform{}, storetest.NewMemory()
				var told []shared.Operation
				var mu sync.Mutex
				s := source(t, p, store, func(o *shared.Options) {
					o.Observer = func(op shared.Operation) { mu.Lock(); defer mu.Unlock(); told = append(told, op) }
				})
				trouble(store, true)
				began := time.Now()
				first := mustFetch(t, s, tokencache.Token{})
				if took := time.Since(began); took > 250*time.Millisecond {
					t.Errorf("it took %v", took)
				}
				synctest.Wait()
				time.Sleep(time.Second)
				mu.Lock()
				if len(told) == 0 || told[0].Name != "load" || told[0].Result != "error" || told[0].Err == nil {
					t.Errorf("told %+v", told)
				}
				mu.Unlock()
				_, err := source(t, p, store, func(o *shared.Options) { o.Required = true }).Fetch(t.Context(), tokencache.Token{})
				if fetch, ok := errors.AsType[*tokencache.FetchError](err); !ok || fetch.Reason != tokencache.ReasonStore || !strings.Contains(err.Error(), "store.required") {
					t.Errorf("required: %v", err)
				}
				trouble(store, false)
				second := mustFetch(t, s, first)
				if got := mustFetch(t, source(t, p, store), tokencache.Token{}); got.Value != second.Value {
					t.Error("it is not used again")
				}
			})
		})
	}
}

// TestRefusalIsShared: ten processes with a wrong secret ask once; a right one asks at once.
func TestRefusalIsShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := storetest.NewMemory()
		p := &platform{err: &tokencache.FetchError{Reason: tokencache.ReasonCredentials, Err: errors.New("refused with 401: check client_secret")}}
		for range 10 {
			_, err := source(t, p, store).Fetch(t.Context(), tokencache.Token{})
			if fetch, ok := errors.AsType[*tokencache.FetchError](err); !ok || fetch.Reason != tokencache.ReasonCredentials || !strings.Contains(err.Error(), "check client_secret") {
				t.Errorf("%v", err)
			}
		}
		if p.count() != 1 {
			t.Errorf("%d token requests", p.count())
		}
		p.err = nil
		if got := mustFetch(t, source(t, p, store, func(o *shared.Options) { o.Credential = credential("right") }), tokencache.Token{}); got.Value == "" {
			t.Error("the right secret is not tried")
		}
		time.Sleep(time.Minute)
		mustFetch(t, source(t, p, store), tokencache.Token{}) // the refusal is forgotten
		for reason, shares := range map[tokencache.Reason]bool{tokencache.ReasonNetwork: false, tokencache.ReasonStatus: false} {
			q := &platform{err: &tokencache.FetchError{Reason: reason, Err: errors.New("x")}}
			empty := storetest.NewMemory()
			for range 2 {
				_, _ = source(t, q, empty).Fetch(t.Context(), tokencache.Token{})
			}
			if (q.count() == 1) != shares {
				t.Errorf("%s: %d token requests", reason, q.count())
			}
		}
	})
}

// TestRefreshTokensRotate: each is used by one process alone, and the newest is stored
// before its access token is used.
func TestRefreshTokensRotate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, store := &platform{}, storetest.NewMemory()
		a, b := source(t, p, store), source(t, p, store)
		held := mustFetch(t, a, tokencache.Token{})
		time.Sleep(2 * time.Hour) // its access token is gone, its refresh token is not
		second := mustFetch(t, b, tokencache.Token{})
		if last := p.asked[1]; last.Refresh != "refresh-1" || last.DeviceID != "device" {
			t.Errorf("asked with %q, as device %q", last.Refresh, last.DeviceID)
		}
		third := mustFetch(t, a, held) // adopts
		if !third.Adopted || third.Value != second.Value || third.Refresh != "refresh-2" {
			t.Errorf("%s %s", third.Value, third.Refresh)
		}
		time.Sleep(2 * time.Hour)
		mustFetch(t, a, held) // with a refresh token of its own that is spent
		if last := p.asked[2]; last.Refresh != "refresh-2" {
			t.Errorf("asked with the spent %q", last.Refresh)
		}
		if got, ok := source(t, p, store).Look(t.Context(), tokencache.Token{}); !ok || got.Refresh != "refresh-3" {
			t.Error("the newest is not stored")
		}
	})
}

// TestAnnounced: whoever watches hears of a new token, and adopts it without a request.
func TestAnnounced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, store := &platform{}, storetest.NewMemory()
		a, b := source(t, p, store), source(t, p, store)
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		held := mustFetch(t, b, tokencache.Token{})
		heard := make(chan tokencache.Token, 9)
		go b.Watch(ctx, func() tokencache.Token { return held }, func(t tokencache.Token) { heard <- t })
		synctest.Wait()
		next := mustFetch(t, a, mustFetch(t, a, tokencache.Token{}))
		if got := <-heard; got.Value != next.Value || !got.Adopted || p.count() != 2 {
			t.Errorf("heard of %s, after %d requests", got.Value, p.count())
		}
		late := make(chan tokencache.Token, 9)
		go b.Watch(ctx, func() tokencache.Token { return held }, func(t tokencache.Token) { late <- t })
		synctest.Wait()
		if len(late) != 1 {
			t.Error("what was announced before was missed")
		}
	})
}
