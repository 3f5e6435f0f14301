package door

import (
	"crypto/sha256"
	"crypto/subtle"
	"sync/atomic"
)

// Secret holds the hash of what callers must send, and may be exchanged while
// requests come. It is safe for concurrent use.
type Secret struct {
	sum atomic.Pointer[digest]
}

type digest [sha256.Size]byte

func hash(value string) digest { return sha256.Sum256([]byte(value)) }

// Set has value count from now on, and no other. An empty value is none: the
// previous one goes on counting.
func (s *Secret) Set(value string) {
	if value == "" {
		return
	}
	sum := hash(value)
	s.sum.Store(&sum)
}

// is tells whether got is the hash of the secret, in a time that tells neither
// its length nor its beginning.
func (s *Secret) is(got digest) bool {
	sum := s.sum.Load()
	return sum != nil && subtle.ConstantTimeCompare(got[:], sum[:]) == 1
}
