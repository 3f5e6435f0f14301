package history

import (
	"math/bits"
	"sync/atomic"
	"time"
)

// Durations are counted by spans, two for each power of two of microseconds: a figure read
// from them is at most a quarter off.
const (
	firstPower = 8 // 256 µs; what is shorter is counted there
	lastPower  = 27
	spans      = 2 * (lastPower - firstPower + 1)
)

// spanOf is the number of the span that d falls in.
func spanOf(d time.Duration) int {
	micros := uint64(max(d.Microseconds(), 1<<firstPower))
	power := bits.Len64(micros) - 1
	span := 2*(power-firstPower) + int(micros>>(power-1)&1)
	return min(span, spans-1)
}

// begin is the shortest duration of a span.
func begin(span int) time.Duration {
	micros := int64(1) << (firstPower + span/2)
	if span%2 == 1 {
		micros += micros / 2
	}
	return time.Duration(micros) * time.Microsecond
}

// counts is how many durations fell in each span.
type counts [spans]uint64

func (c *counts) read(from *[spans]atomic.Uint32) {
	for i := range from {
		c[i] = uint64(from[i].Load())
	}
}

func (c *counts) add(other counts) {
	for i, n := range other {
		c[i] += n
	}
}

// quantile is the duration that the part q of all does not exceed, as far as spans tell;
// below zero without any.
func (c *counts) quantile(q float64) time.Duration {
	var all uint64
	for _, n := range c {
		all += n
	}
	if all == 0 {
		return -1
	}
	rank := q * float64(all)
	for i, n := range c {
		if n == 0 {
			continue
		}
		if float64(n) >= rank {
			low, high := begin(i), begin(i+1)
			if i == 0 {
				low = 0
			}
			return low + time.Duration(float64(high-low)*rank/float64(n))
		}
		rank -= float64(n)
	}
	return begin(spans)
}
