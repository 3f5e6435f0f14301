package dial

import (
	"context"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// lookEvery is how often the addresses behind a name are looked up while
// requests go there: a program that runs for months must follow a move.
const lookEvery = 30 * time.Second

// names knows the addresses behind a host's name. Without requests it rests.
type names struct {
	host    string
	resolve func(ctx context.Context, host string) ([]string, error)
	looked  atomic.Int64 // Unix time, in nanoseconds, of the last look

	mu    sync.Mutex // held by the one look at a time
	known []string
}

func newNames(host string) *names {
	return &names{host: host, resolve: net.DefaultResolver.LookupHost}
}

// due tells whether to look now. It says so to one caller.
func (n *names) due(now time.Time) bool {
	at, last := now.UnixNano(), n.looked.Load()
	return at-last > int64(lookEvery) && n.looked.CompareAndSwap(last, at)
}

// moved looks the name up, and tells whether an address of the last time is
// gone. A failed look says no: the connections may be good.
func (n *names) moved() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), lookEvery/2)
	defer cancel()
	now, err := n.resolve(ctx, n.host)
	if err != nil || len(now) == 0 {
		return false
	}
	gone := slices.ContainsFunc(n.known, func(a string) bool { return !slices.Contains(now, a) })
	n.known = now
	return gone
}
