package endpoint

import (
	"context"
	"sync"
	"time"

	"authproxy/tokencache"
)

// maxForcePause bounds how long a repeated token is not forced.
const maxForcePause = 5 * time.Minute

// forcing says when the platform may be made to give another token, by a request that
// ends the one it repeats: at most once in a pause, which doubles until a token comes
// without force.
type forcing struct {
	request *request
	least   time.Duration

	mu    sync.Mutex
	pause time.Duration
	until time.Time
}

// due tells whether it may be now, and counts it.
func (f *forcing) due(now time.Time) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if now.Before(f.until) && f.until.Sub(now) <= maxForcePause { // a clock that was set back does not count
		return false
	}
	f.pause = min(max(2*f.pause, f.least), maxForcePause)
	f.until = now.Add(f.pause)
	return true
}

// unforced notes that another token came by itself.
func (f *forcing) unforced() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.pause = 0
}

// force asks again, by force, when t is the token that was refused.
func (e *Endpoint) force(ctx context.Context, t, last tokencache.Token) (tokencache.Token, error) {
	switch {
	case e.forcing == nil:
		return t, nil
	case t.Value != last.Value:
		e.forcing.unforced()
		return t, nil
	case !last.Refused || !e.forcing.due(time.Now()):
		return t, nil
	}
	return e.token(ctx, e.forcing.request, last)
}
