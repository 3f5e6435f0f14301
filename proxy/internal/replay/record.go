package replay

import (
	"sync"
	"sync/atomic"
)

// Memory bounds what all tapes together keep. The zero value keeps nothing; nil has no
// bound.
type Memory struct {
	limit int64
	used  atomic.Int64
}

// NewMemory returns a memory of so many bytes.
func NewMemory(limit int64) *Memory { return &Memory{limit: limit} }

// Used is how many bytes are kept now.
func (m *Memory) Used() int64 { return m.used.Load() }

// take reports whether there are n bytes more, which are then the caller's; all the
// same when it must have them.
func (m *Memory) take(n int, must bool) bool {
	if m == nil || m.used.Add(int64(n)) <= m.limit || must {
		return true
	}
	m.give(n)
	return false
}

func (m *Memory) give(n int) {
	if m != nil {
		m.used.Add(-int64(n))
	}
}

// Most bodies are small: the first piece of a record is, too.
const (
	firstSize = 4 << 10
	pieceSize = 32 << 10
)

var (
	firstPieces = sync.Pool{New: func() any { return new([firstSize]byte) }}
	pieces      = sync.Pool{New: func() any { return new([pieceSize]byte) }}
)

// record is the beginning of a body.
type record struct {
	memory *Memory
	first  *[firstSize]byte
	more   []*[pieceSize]byte
	size   int64 // bytes recorded
}

// room returns where the next bytes belong, at least one of them; nil when there is no
// memory for it, which does not count when there must be.
func (r *record) room(must bool) []byte {
	if r.size < firstSize {
		if r.first == nil {
			if !r.memory.take(firstSize, must) {
				return nil
			}
			r.first = firstPieces.Get().(*[firstSize]byte)
		}
		return r.first[r.size:]
	}
	i, at := place(r.size)
	if i == len(r.more) {
		if !r.memory.take(pieceSize, must) {
			return nil
		}
		r.more = append(r.more, pieces.Get().(*[pieceSize]byte))
	}
	return r.more[i][at:]
}

// place is where a byte behind the first piece stands.
func place(pos int64) (piece, at int) {
	behind := pos - firstSize
	return int(behind / pieceSize), int(behind % pieceSize)
}

// add appends p, which may stand there already, as what was read into [record.room]
// does. It reports false when there is no memory for all of it.
func (r *record) add(p []byte, must bool) bool {
	for len(p) > 0 {
		room := r.room(must)
		if room == nil {
			return false
		}
		n := min(len(p), len(room))
		if &p[0] != &room[0] {
			copy(room, p[:n])
		}
		r.size += int64(n)
		p = p[n:]
	}
	return true
}

// at returns what is recorded from pos on, or the beginning of it.
func (r *record) at(pos int64) []byte {
	if pos < firstSize {
		return r.first[pos:min(firstSize, r.size)]
	}
	i, at := place(pos)
	return r.more[i][at:min(pieceSize, int64(at)+r.size-pos)]
}

// clear gives the memory back.
func (r *record) clear() {
	if r.first != nil {
		firstPieces.Put(r.first)
		r.memory.give(firstSize)
	}
	for _, p := range r.more {
		pieces.Put(p)
		r.memory.give(pieceSize)
	}
	*r = record{memory: r.memory}
}
