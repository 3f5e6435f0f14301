package storetest

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"authproxy/tokencache/shared"
)

// Memory is a [shared.Store] and [shared.Herald] of one process, for tests: its time is
// that of package time, and it can be made to fail.
type Memory struct {
	mu     sync.Mutex
	values map[string]stored
	locks  map[string]chan struct{}
	heard  map[string][]func()
	fail   error
	hang   bool
	saves  int
}

type stored struct {
	value   []byte
	expires time.Time
}

var _ shared.Herald = (*Memory)(nil)

// NewMemory returns an empty one.
func NewMemory() *Memory {
	return &Memory{values: map[string]stored{}, locks: map[string]chan struct{}{}, heard: map[string][]func(){}}
}

// Fail has every operation fail with err from now on; nil: none.
func (m *Memory) Fail(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fail = err
}

// Hang has every operation wait for the end of its context.
func (m *Memory) Hang(hang bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.hang = hang
}

// Saves is how often something was saved.
func (m *Memory) Saves() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.saves
}

// Contents are all values, one behind the other.
func (m *Memory) Contents() []byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []byte
	for _, key := range slices.Sorted(maps.Keys(m.values)) {
		all = append(append(all, key...), m.values[key].value...)
	}
	return all
}

// Set puts value under every key, as somebody does who has no business there.
func (m *Memory) Set(change func(value []byte) []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for key, s := range m.values {
		m.values[key] = stored{change(slices.Clone(s.value)), s.expires}
	}
}

// trouble waits or fails as it was told to.
func (m *Memory) trouble(ctx context.Context) error {
	m.mu.Lock()
	fail, hang := m.fail, m.hang
	m.mu.Unlock()
	if hang {
		<-ctx.Done()
		return ctx.Err()
	}
	return fail
}

// Load implements [shared.Store].
func (m *Memory) Load(ctx context.Context, key string) ([]byte, error) {
	if err := m.trouble(ctx); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	s, ok := m.values[key]
	if !ok || !time.Now().Before(s.expires) {
		return nil, shared.ErrNotFound
	}
	return slices.Clone(s.value), nil
}

// Save implements [shared.Store].
func (m *Memory) Save(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	if err := m.trouble(ctx); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.saves++
	m.values[key] = stored{slices.Clone(value), time.Now().Add(ttl)}
	return nil
}

// Lock implements [shared.Store].
func (m *Memory) Lock(ctx context.Context, key string) (func(), error) {
	if err := m.trouble(ctx); err != nil {
		return nil, err
	}
	m.mu.Lock()
	lock := m.locks[key]
	if lock == nil {
		lock = make(chan struct{}, 1)
		m.locks[key] = lock
	}
	m.mu.Unlock()
	select {
	case lock <- struct{}{}:
		return func() { <-lock }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Announce implements [shared.Herald].
func (m *Memory) Announce(ctx context.Context, key string) error {
	if err := m.trouble(ctx); err != nil {
		return err
	}
	m.mu.Lock()
	all := slices.Clone(m.heard[key])
	m.mu.Unlock()
	for _, heard := range all {
		heard()
	}
	return nil
}

// Watch implements [shared.Herald].
func (m *Memory) Watch(ctx context.Context, key string, heard func()) {
	m.mu.Lock()
	m.heard[key] = append(m.heard[key], heard)
	m.mu.Unlock()
	heard()
	<-ctx.Done()
}
