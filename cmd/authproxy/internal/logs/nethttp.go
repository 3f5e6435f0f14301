package logs

import (
	"log"
	"log/slog"
	"strings"
	"sync"
	"time"
	"unicode"
)

// maxNetHTTP is of how many kinds of trouble net/http's lines are told apart in
// [repeatAfter].
const maxNetHTTP = 5

// netHTTP writes the lines of net/http's servers like ours: of equal ones one in a time,
// with the number of the others.
type netHTTP struct {
	log *slog.Logger

	mu      sync.Mutex
	begun   time.Time
	counted map[string]int // lines in this time, by kind
}

// NetHTTP returns what net/http's servers tell of trouble with connections. What
// strangers send there cannot fill the log.
func NetHTTP(l *slog.Logger) *log.Logger {
	return log.New(&netHTTP{log: l, counted: map[string]int{}}, "", 0)
}

// Write implements [io.Writer], for one line.
func (n *netHTTP) Write(line []byte) (int, error) {
	text := strings.TrimSpace(string(line))
	kind := kindOf(text)
	n.mu.Lock()
	defer n.mu.Unlock()
	if now := time.Now(); now.Sub(n.begun) >= repeatAfter {
		n.begun, n.counted = now, map[string]int{}
		time.AfterFunc(repeatAfter, n.sum(n.counted))
	}
	if n.counted[kind] == 0 && len(n.counted) >= maxNetHTTP {
		kind = others
	}
	if n.counted[kind]++; n.counted[kind] == 1 && kind != others {
		n.log.Warn(text)
	}
	return len(line), nil
}

const others = "other trouble with connections"

// sum returns what tells how many lines there were, beside those that were written.
func (n *netHTTP) sum(counted map[string]int) func() {
	return func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		for kind, count := range counted {
			if kind != others {
				count--
			}
			if count > 0 {
				n.log.Warn("more of this trouble with connections", "kind", kind, "repeated", count)
			}
		}
	}
}

// kindOf is what a line has in common with its equals: its first words, without the
// numbers, among which are addresses.
func kindOf(text string) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsDigit(r) {
			return '#'
		}
		return r
	}, text)
	return text[:min(len(text), 40)]
}
