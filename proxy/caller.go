package proxy

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"log"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Callers turns away those who have not shown who they are. The zero Callers
// turns nobody away.
type Callers struct {
	// Known returns an error that says why the sender of a request may not call;
	// it goes into the answer. nil: anybody may.
	Known func(*http.Request) error
	// Secret returns what callers must send as "Authorization: Bearer SECRET".
	// It is called again while requests come: once a second, and when one brings
	// another value, at most every 10 ms. When it fails, the value of before goes on counting.
	// nil: no secret is asked for.
	Secret func() (string, error)
	// ErrorLog is told when Secret fails, once for equal errors; may be nil.
	ErrorLog *log.Logger
}

// NewCallers returns a handler that passes to next only the requests of known
// callers, without the Authorization field when that held the secret. The
// others are answered 403 caller_unknown; only of these observer is told, and
// it may be nil. It fails when there is no secret to be had.
func NewCallers(c Callers, next http.Handler, observer Observer) (http.Handler, error) {
	if c.Known == nil && c.Secret == nil {
		return next, nil
	}
	h := &callers{known: c.Known, next: next, observer: observer}
	if observer == nil {
		h.observer = nobody{}
	}
	if c.Secret == nil {
		return h, nil
	}
	h.secret = &callerSecret{read: c.Secret, log: c.ErrorLog}
	return h, h.secret.look(0)
}

type callers struct {
	known    func(*http.Request) error // nil: anybody
	secret   *callerSecret             // nil: none is asked for
	next     http.Handler
	observer Observer
}

// ServeHTTP implements [http.Handler].
func (h *callers) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	why := ""
	if h.known != nil {
		if err := h.known(r); err != nil {
			why = err.Error()
		}
	}
	if why == "" && h.secret != nil {
		r, why = h.secret.admit(r)
	}
	if why == "" {
		h.next.ServeHTTP(w, r)
		return
	}
	h.observer.Started()
	c := newCall(w, r, "")
	defer c.finish(h.observer)
	c.reject(CodeCallerUnknown, why, 0)
}

const (
	// matchAge bounds how long a secret counts that has been replaced.
	matchAge = time.Second
	// mismatchAge bounds how often guesses make the secret be read.
	mismatchAge = 10 * time.Millisecond
)

// callerSecret holds the hash of a secret that may change.
type callerSecret struct {
	read func() (string, error)
	log  *log.Logger
	sum  atomic.Pointer[[sha256.Size]byte]

	mu     sync.Mutex // held by the one look at a time
	looked time.Time
	failed string
}

// admit returns r without the secret, or why it may not pass.
func (s *callerSecret) admit(r *http.Request) (*http.Request, string) {
	values := r.Header["Authorization"]
	if len(values) != 1 || !s.is(bearer(values[0])) {
		return r, "send 'Authorization: Bearer' with the content of caller_token_file"
	}
	without := new(http.Request)
	*without = *r
	without.Header = r.Header.Clone()
	delete(without.Header, "Authorization")
	return without, ""
}

// bearer returns the credentials in an Authorization field; empty when they
// are of another scheme than Bearer.
func bearer(field string) string {
	scheme, credentials, _ := strings.Cut(field, " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimLeft(credentials, " ")
}

// is tells whether got is the secret. Hashes compare in a time that tells
// neither its length nor its beginning.
func (s *callerSecret) is(got string) bool {
	sum := sha256.Sum256([]byte(got))
	same := func() bool { return subtle.ConstantTimeCompare(sum[:], s.sum.Load()[:]) == 1 }
	if s.mu.TryLock() { // else another request is looking: what it had counts
		_ = s.lookLocked(matchAge)
		s.mu.Unlock()
	}
	if same() {
		return true
	}
	_ = s.look(mismatchAge) // waits for one that is under way
	return same()
}

// look reads the secret unless that was done not longer ago than age.
func (s *callerSecret) look(age time.Duration) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lookLocked(age)
}

var errNoSecret = errors.New("the secret of callers is empty")

func (s *callerSecret) lookLocked(age time.Duration) error {
	if time.Since(s.looked) < age {
		return nil
	}
	value, err := s.read()
	s.looked = time.Now()
	if err == nil && value == "" {
		err = errNoSecret
	}
	if err == nil {
		sum := sha256.Sum256([]byte(value))
		s.sum.Store(&sum)
		s.failed = ""
		return nil
	}
	if s.log != nil && s.sum.Load() != nil && s.failed != err.Error() {
		s.log.Printf("the secret of callers cannot be read, so the one of before goes on counting: %v", err)
	}
	s.failed = err.Error()
	return err
}
