package history

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"authproxy/internal/printable"
	"authproxy/proxy"
)

const (
	// kept is how many different failures are remembered.
	kept = 10
	// maxMethod, maxPath and maxText bound what is kept of each, in bytes.
	maxMethod, maxPath, maxText = 20, 256, 1024
	// rewrite is how often the texts of equal failures are taken anew.
	rewrite = time.Second
)

// Failure is a request that failed, and how many like it there were. It holds no query
// string, token or secret.
type Failure struct {
	// Last is when the latest ended, whose Method and Path these are.
	Last         time.Time
	Method, Path string
	Status       int
	Rejected     proxy.Code
	Reason       proxy.Reason
	Outcome      proxy.Outcome
	// Text says why, and what to do; empty where only the upstream knows.
	Text string
	// Count is how many there were since the first that is remembered.
	Count uint64

	written time.Time
}

// like tells whether r failed in the same way.
func (f *Failure) like(r *proxy.Record) bool {
	return f.Status == r.Status && f.Rejected == r.Rejected && f.Reason == r.UpstreamError && f.Outcome == r.Outcome
}

// failures are the latest of different kinds, the newest last. It is a [proxy.Observer].
type failures struct {
	mu  sync.Mutex
	all []Failure
}

// Observe implements [proxy.Observer].
func (f *failures) Observe(*http.Request) func(*proxy.Record) { return f.add }

func (f *failures) add(r *proxy.Record) {
	f.mu.Lock()
	defer f.mu.Unlock()
	failure := Failure{Status: r.Status, Rejected: r.Rejected, Reason: r.UpstreamError, Outcome: r.Outcome}
	if i := slices.IndexFunc(f.all, func(other Failure) bool { return other.like(r) }); i >= 0 {
		failure = f.all[i]
		f.all = slices.Delete(f.all, i, i+1)
	}
	failure.Last = r.Start.Add(r.Duration)
	failure.Count++
	if failure.Last.Sub(failure.written) >= rewrite {
		failure.written = failure.Last
		failure.Method, failure.Path = own(r.Method, maxMethod), own(r.Path, maxPath)
		failure.Text = ""
		if r.Err != nil {
			failure.Text = own(r.Err.Error(), maxText)
		}
	}
	f.all = append(f.all, failure)
	if len(f.all) > kept {
		f.all = slices.Delete(f.all, 0, 1)
	}
}

// own returns what is to be kept of text, fit to be shown: a copy, or a path would keep the
// whole head of its request.
func own(text string, limit int) string {
	text = printable.Text(text, limit)
	if len(text) > limit { // what is escaped is longer
		text = strings.ToValidUTF8(text[:limit], "")
	}
	return strings.Clone(text)
}

func (f *failures) list() []Failure {
	f.mu.Lock()
	defer f.mu.Unlock()
	all := slices.Clone(f.all)
	slices.Reverse(all)
	return all
}
