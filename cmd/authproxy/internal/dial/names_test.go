package dial

import (
	"context"
	"math/rand/v2"
	"net"
	"testing"
	"time"
)

// looks is a name that is looked up every half minute of a time of its own.
type looks struct {
	*names
	answer []string
	now    time.Time
}

func newLooks() *looks {
	l := &looks{names: newNames("up.example"), now: time.Now()}
	l.resolve = func(context.Context, string) ([]string, error) { return l.answer, nil }
	return l
}

func (l *looks) look(answer ...string) bool {
	l.answer, l.now = answer, l.now.Add(lookEvery+1)
	return l.moved(l.now)
}

func (l *looks) dial(address string) { l.use(&net.TCPAddr{IP: net.ParseIP(address)}) }

// TestRotatingNameKeepsItsConnections: of eight addresses, each answer has some.
func TestRotatingNameKeepsItsConnections(t *testing.T) {
	all := []string{"192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4", "192.0.2.5", "192.0.2.6", "192.0.2.7", "2001:db8::8"}
	for _, size := range []int{1, 3, 6} {
		given := 0
		for range 50 {
			l := newLooks()
			for range 20 {
				rand.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
				l.dial(all[0])
				if l.look(all[:size]...) {
					given++
				}
			}
		}
		if given > 50*2 { // on average; it was 19 of 20
			t.Errorf("%d of 8 addresses in an answer: all connections given up %d times in 50 times 20 looks", size, given)
		}
	}
}

// TestNameThatMovesIsFollowed in about a minute, also after a failover that took
// back what it gave; and what no connection leads to is not missed.
func TestNameThatMovesIsFollowed(t *testing.T) {
	l := newLooks()
	l.dial("192.0.2.1")
	for i, want := range []bool{false, true, false, false} {
		if moved := l.look("192.0.2.9"); moved != want {
			t.Errorf("look %d after the move: %v", i, moved)
		}
	}
	l.dial("192.0.2.9")
	at := l.now
	for l.look("192.0.2.1") == false { // it is back, so the name may be one that rotates
		if l.now.Sub(at) > rotationSpan+time.Minute {
			t.Fatalf("not followed in %v", l.now.Sub(at))
		}
	}
	unused := newLooks()
	unused.dial("192.0.2.1")
	for _, answer := range [][]string{{"192.0.2.1", "192.0.2.2"}, {"192.0.2.1"}, {"192.0.2.1"}, {"192.0.2.1"}} {
		if unused.look(answer...) {
			t.Error("an address that nobody uses is missed")
		}
	}
}

// TestClockThatIsSetBackDoesNotKeepTheNameFromBeingLookedUp: intervals are those of
// the monotonic clock.
func TestClockThatIsSetBackDoesNotKeepTheNameFromBeingLookedUp(t *testing.T) {
	n := newNames("up.example")
	if now := time.Now(); !n.due(now) || n.due(now.Add(lookEvery)) || !n.due(now.Add(lookEvery+1)) {
		t.Error("not due in time")
	}
	if n.born.Round(0) == n.born {
		t.Error("counted from a wall clock time")
	}
}
