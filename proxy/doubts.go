package proxy

import (
	"hash/maphash"
	"net/http"
	"sync/atomic"
)

// doubts remembers which requests, by method and path, were refused with a new
// token as well: when one of them is refused again, that says little about the
// token. One that was accepted later is never doubted again. What is remembered
// is bounded: a newer request takes the place of an older one.
type doubts struct {
	seed  maphash.Seed
	begun atomic.Bool // something is remembered
	slots [256]atomic.Uint64
	tried [256]atomic.Uint64 // requests that were not sent again, each with the token that it was refused with
}

func newDoubts() *doubts { return &doubts{seed: maphash.MakeSeed()} }

// mixed marks, in the lowest bit of a slot, a request that was accepted later.
const mixed = 1

func (d *doubts) slot(req *http.Request) (slot *atomic.Uint64, key uint64) {
	sum := d.sum(req)
	return &d.slots[sum>>56], sum &^ mixed
}

func (d *doubts) sum(req *http.Request) uint64 {
	var h maphash.Hash
	h.SetSeed(d.seed)
	_, _ = h.WriteString(req.Method)
	_ = h.WriteByte(' ')
	_, _ = h.WriteString(req.URL.Path)
	return h.Sum64()
}

// again tells whether req, which is not sent again and was refused with the token
// of that fingerprint, was refused with another one before, and not accepted since.
func (d *doubts) again(req *http.Request, fingerprint string) bool {
	const half = 1<<32 - 1
	sum := d.sum(req)
	now := sum&^half | maphash.String(d.seed, fingerprint)&half
	before := d.tried[sum>>56].Swap(now)
	d.begun.Store(true)
	return before&^half == now&^half && before != now
}

// futile tells that req was refused with a new token as well.
func (d *doubts) futile(req *http.Request) {
	if slot, key := d.slot(req); slot.Load()&^mixed != key {
		slot.Store(key)
	}
	d.begun.Store(true)
}

// accepted tells that req was not refused.
func (d *doubts) accepted(req *http.Request) {
	if !d.begun.Load() {
		return
	}
	sum := d.sum(req)
	if slot := &d.slots[sum>>56]; slot.Load() == sum&^mixed {
		slot.Store(sum | mixed)
	}
	if tried := &d.tried[sum>>56]; tried.Load()>>32 == sum>>32 {
		tried.Store(0)
	}
}

// about tells whether a refusal of req is more likely to be its own fault than
// the token's.
func (d *doubts) about(req *http.Request) bool {
	if !d.begun.Load() {
		return false
	}
	slot, key := d.slot(req)
	return slot.Load() == key
}
