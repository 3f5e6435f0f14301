// Package history keeps the last 15 minutes of what the pillars record: enough for a page of
// small charts, in a memory that does not grow. An upstream takes about 20 KiB, and up to 13
// more for its last errors; a token about 4 KiB.
package history

import (
	"sync"
	"time"

	"authproxy/proxy"
)

const (
	// Step is the time that is counted together.
	Step = 10 * time.Second
	// Steps is how many of them are kept, the present one included.
	Steps = 90
)

// History is that of a process. It is safe for concurrent use.
type History struct {
	began time.Time
	door  failures

	mu        sync.Mutex
	upstreams map[string]*Upstream
	tokens    map[string]*Token
}

// New returns an empty history that begins now.
func New() *History {
	return &History{began: time.Now(), upstreams: map[string]*Upstream{}, tokens: map[string]*Token{}}
}

// step is the number of the step at t. Times are those of the monotonic clock.
func (h *History) step(t time.Time) int64 { return int64(t.Sub(h.began) / Step) }

// Upstream returns the history of the upstream of that name, which goes on when it is asked
// for again.
func (h *History) Upstream(name string) *Upstream {
	h.mu.Lock()
	defer h.mu.Unlock()
	u := h.upstreams[name]
	if u == nil {
		u = newUpstream(h)
		h.upstreams[name] = u
	}
	return u
}

// Token is [History.Upstream] for tokens.
func (h *History) Token(name string) *Token {
	h.mu.Lock()
	defer h.mu.Unlock()
	t := h.tokens[name]
	if t == nil {
		t = &Token{of: h}
		h.tokens[name] = t
	}
	return t
}

// ForgetUpstream drops what is known of an upstream that is gone.
func (h *History) ForgetUpstream(name string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.upstreams, name)
}

// ForgetToken drops what is known of a token that is gone.
func (h *History) ForgetToken(name string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.tokens, name)
}

// Door is the observer of the requests that no upstream has claimed.
func (h *History) Door() proxy.Observer { return &h.door }

// TurnedAway are the latest of them, the newest first.
func (h *History) TurnedAway() []Failure { return h.door.list() }
