// Package storetest has the test that every [shared.Store] must pass.
package storetest

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"authproxy/tokencache/shared"
)

// patience is how long anything may take that does not depend on a time limit.
const patience = 20 * time.Second

// Run tests the stores that open returns: each is what another process would open, and all
// show the same place.
func Run(t *testing.T, open func(t *testing.T) shared.Store) {
	for name, test := range map[string]func(*testing.T, func(*testing.T) shared.Store){
		"values": values, "expiry": expiry, "lock": lock, "lock waits": lockWaits, "lock ends with its context": lockEnds,
		"keys have locks of their own": lockKeys, "many at once": crowd, "announcements": announcements,
	} {
		t.Run(name, func(t *testing.T) { test(t, open) })
	}
}

func mustLoad(t *testing.T, s shared.Store, key, want string) {
	t.Helper()
	got, err := s.Load(t.Context(), key)
	if string(got) != want || err != nil {
		t.Errorf("%s: %q, %v, want %q", key, got, err, want)
	}
}

func mustSave(t *testing.T, s shared.Store, key, value string, ttl time.Duration) {
	t.Helper()
	if err := s.Save(t.Context(), key, []byte(value), ttl); err != nil {
		t.Fatal(err)
	}
}

func mustLock(t *testing.T, s shared.Store, key string) (unlock func()) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	unlock, err := s.Lock(ctx, key)
	if err != nil {
		t.Fatal(err)
	}
	return unlock
}

func values(t *testing.T, open func(*testing.T) shared.Store) {
	a, b := open(t), open(t)
	if v, err := a.Load(t.Context(), "values/none"); !errors.Is(err, shared.ErrNotFound) {
		t.Errorf("%q, %v", v, err)
	}
	for _, value := range []string{"one", "", "\x00\xff\n", strings.Repeat("x", 64<<10), "two"} {
		mustSave(t, a, "values/k", value, time.Minute)
		mustLoad(t, b, "values/k", value)
	}
	mustSave(t, b, "values/other", "3", time.Minute)
	mustLoad(t, a, "values/k", "two")
	mustLoad(t, a, "values/other", "3")
	mustLoad(t, open(t), "values/k", "two")
}

func expiry(t *testing.T, open func(*testing.T) shared.Store) {
	a, b := open(t), open(t)
	mustSave(t, a, "expiry/long", "stays", time.Hour)
	mustSave(t, a, "expiry/short", "goes", 50*time.Millisecond)
	for deadline := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		if _, err := b.Load(t.Context(), "expiry/short"); errors.Is(err, shared.ErrNotFound) {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("it does not expire")
		}
	}
	mustLoad(t, b, "expiry/long", "stays")
}

func lock(t *testing.T, open func(*testing.T) shared.Store) {
	var inside, all atomic.Int64
	var group sync.WaitGroup
	for range 4 {
		s := open(t)
		for range 3 {
			group.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), patience)
				defer cancel()
				unlock, err := s.Lock(ctx, "lock/k")
				if err != nil {
					t.Error(err)
					return
				}
				if inside.Add(1) != 1 {
					t.Error("two hold the lock")
				}
				all.Add(1)
				inside.Add(-1)
				unlock()
			})
		}
	}
	group.Wait()
	if all.Load() != 12 {
		t.Errorf("%d of 12 had the lock", all.Load())
	}
}

func lockWaits(t *testing.T, open func(*testing.T) shared.Store) {
	a, b := open(t), open(t)
	unlock := mustLock(t, a, "waits/k")
	got := make(chan func())
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		second, err := b.Lock(ctx, "waits/k")
		if err != nil {
			t.Error(err)
			second = func() {}
		}
		got <- second
	}()
	select {
	case <-got:
		t.Fatal("it does not wait")
	case <-time.After(50 * time.Millisecond): // that nothing happens takes a while to see
	}
	unlock()
	select {
	case second := <-got:
		second()
	case <-time.After(patience):
		t.Error("it is not given on")
	}
}

func lockEnds(t *testing.T, open func(*testing.T) shared.Store) {
	a, b := open(t), open(t)
	unlock := mustLock(t, a, "ends/k")
	defer unlock()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if second, err := b.Lock(ctx, "ends/k"); err == nil {
		second()
		t.Error("two hold the lock")
	}
}

func lockKeys(t *testing.T, open func(*testing.T) shared.Store) {
	a, b := open(t), open(t)
	defer mustLock(t, a, "keys/1")()
	mustLock(t, b, "keys/2")()
	mustSave(t, b, "keys/1", "a lock does not keep others from saving", time.Minute)
}

func crowd(t *testing.T, open func(*testing.T) shared.Store) {
	var group sync.WaitGroup
	for i := range 4 {
		s := open(t)
		group.Go(func() {
			own := "crowd/" + string(rune('a'+i))
			for n := range 10 {
				value := bytes.Repeat([]byte{byte(n)}, 1000)
				if err := s.Save(t.Context(), own, value, time.Minute); err != nil {
					t.Error(err)
				}
				if got, err := s.Load(t.Context(), own); err != nil || !bytes.Equal(got, value) {
					t.Errorf("%s: %d bytes, %v", own, len(got), err)
				}
			}
		})
	}
	group.Wait()
}

func announcements(t *testing.T, open func(*testing.T) shared.Store) {
	a, ok := open(t).(shared.Herald)
	if !ok {
		t.Skip("this store tells nobody")
	}
	b := open(t).(shared.Herald)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	heard, other := make(chan struct{}, 100), make(chan struct{}, 100)
	go b.Watch(ctx, "announced/k", func() { heard <- struct{}{} })
	go b.Watch(ctx, "announced/other", func() { other <- struct{}{} })
	await := func(what string, told chan struct{}) {
		t.Helper()
		select {
		case <-told:
		case <-time.After(patience):
			t.Fatal("not told of", what)
		}
	}
	await("the beginning", heard)
	await("the beginning", other)
	if err := a.Announce(ctx, "announced/k"); err != nil {
		t.Fatal(err)
	}
	await("the announcement", heard)
	if len(other) > 0 {
		t.Error("another key was announced")
	}
}
