package dial

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// lookEvery is how often the addresses behind a name are looked up while
	// requests go there: a program that runs for months must follow a move.
	lookEvery = 30 * time.Second
	// missedLooks in a row without an address, and it is gone.
	missedLooks = 2
	// rotationSpan is for how long an address must not have been seen to be gone when
	// the name is known to answer some of its addresses at a time.
	rotationSpan = 10 * time.Minute
	// forgetAfter is for how long it is known of an address that it was there.
	forgetAfter = time.Hour
)

// names knows the addresses behind a host's name. Without requests it rests.
type names struct {
	host    string
	resolve func(ctx context.Context, host string) ([]string, error)
	born    time.Time    // intervals are counted from it, on the monotonic clock
	looked  atomic.Int64 // when the last look was, in nanoseconds since then

	mu      sync.Mutex // of what follows; not held while the name is looked up
	seen    map[string]*sighting
	rotates bool            // an address that was missed has come back
	used    map[string]bool // addresses that connections lead to
}

// sighting is what is known of one address.
type sighting struct {
	last   time.Time // it was in an answer
	missed int       // answers without it since
	left   bool      // it is gone
}

func newNames(host string) *names {
	return &names{host: host, resolve: net.DefaultResolver.LookupHost, born: time.Now().Add(-2 * lookEvery),
		seen: map[string]*sighting{}, used: map[string]bool{}}
}

// due tells whether to look now. It says so to one caller.
func (n *names) due(now time.Time) bool {
	at, last := int64(now.Sub(n.born)), n.looked.Load()
	return at-last > int64(lookEvery) && n.looked.CompareAndSwap(last, at)
}

// use notes that a connection leads to address.
func (n *names) use(address net.Addr) {
	if to, ok := address.(*net.TCPAddr); ok {
		n.mu.Lock()
		defer n.mu.Unlock()
		n.used[to.IP.String()] = true
	}
}

// moved looks the name up, and tells whether an address is gone that connections
// lead to. A failed look says no: the connections may be good. An address that one
// answer leaves out is not gone, since many names answer some of theirs at a time.
func (n *names) moved(now time.Time) bool {
	ctx, cancel := context.WithTimeout(context.Background(), lookEvery/2)
	defer cancel()
	answer, err := n.resolve(ctx, n.host)
	if err != nil || len(answer) == 0 {
		return false
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.note(answer, now)
	moved := false
	for address, s := range n.seen {
		if !s.left && n.gone(s, now) {
			s.left = true
			moved = moved || n.used[address]
		}
		if now.Sub(s.last) > forgetAfter {
			delete(n.seen, address)
		}
	}
	if moved {
		clear(n.used)
	}
	return moved
}

// note takes an answer down.
func (n *names) note(answer []string, now time.Time) {
	for address := range n.used {
		if n.seen[address] == nil { // the resolver of the connection knew another answer
			n.seen[address] = &sighting{last: now}
		}
	}
	for _, s := range n.seen {
		s.missed++
	}
	for _, address := range answer {
		if ip := net.ParseIP(address); ip != nil {
			address = ip.String()
		}
		s := n.seen[address]
		if s == nil {
			s = new(sighting)
			n.seen[address] = s
		}
		n.rotates = n.rotates || s.missed > 1
		*s = sighting{last: now}
	}
}

// gone tells whether nothing leads to an address any more.
func (n *names) gone(s *sighting, now time.Time) bool {
	if n.rotates {
		return now.Sub(s.last) >= rotationSpan
	}
	return s.missed >= missedLooks
}
