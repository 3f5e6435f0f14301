package notify

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

type observer func(int) func(string)

func (o observer) Observe(start int) func(string) { return o(start) }

// notes is an observer that writes down what it is told.
func notes(to *[]string, name string) observer {
	return func(start int) func(string) {
		*to = append(*to, fmt.Sprint(name, start))
		return func(end string) { *to = append(*to, name+end) }
	}
}

func TestInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told []string
		q := New([]observer{notes(&told, "a"), func(int) func(string) { return nil }, notes(&told, "b")})
		for i := range 3 {
			q.Tell(i, func() string {
				time.Sleep(time.Duration(3-i) * time.Second) // a later one ends earlier
				return fmt.Sprint("-", i)
			})
		}
		q.Wait(time.Minute)
		want := []string{"a0", "b0", "a-0", "b-0", "a1", "b1", "a-1", "b-1", "a2", "b2", "a-2", "b-2"}
		if !slices.Equal(told, want) {
			t.Errorf("told %q, want %q", told, want)
		}
	})
}

// TestObserverThatHangs: neither Tell nor Wait waits for it, what is kept for
// it is bounded, and when it goes on it is told of that.
func TestObserverThatHangs(t *testing.T) {
	for name, begins := range map[string]bool{"at the beginning": true, "at the end": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				release, ends := make(chan struct{}), 0
				q := New([]observer{func(int) func(string) {
					if begins {
						<-release
					}
					return func(string) { <-release; ends++ }
				}})
				before := time.Now()
				for i := range 2 * Limit {
					q.Tell(i, func() string { return "" })
				}
				if d := time.Since(before); d != 0 {
					t.Errorf("Tell took %v", d)
				}
				q.Wait(time.Second)
				if d := time.Since(before); d != time.Second {
					t.Errorf("Wait took %v", d)
				}
				close(release)
				q.Wait(time.Second)
				q.Tell(-1, func() string { return "" })
				q.Wait(time.Second)
				if d := time.Since(before); ends != Limit+1 || d != time.Second {
					t.Errorf("told of %d ends, after %v", ends, d)
				}
			})
		})
	}
}

func TestNobodyToTell(t *testing.T) {
	q := New[int, string, observer](nil)
	q.Tell(1, func() string { t.Error("asked for the end"); return "" })
	before := time.Now()
	if q.Wait(time.Minute); time.Since(before) > time.Second {
		t.Error("waited")
	}
}
