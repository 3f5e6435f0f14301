package door

import (
	"net/http"
	"sync/atomic"
	"time"

	"authproxy/proxy"
)

const (
	// fieldsFree is what the fields of a request may take without being counted: those of
	// nearly every request do. In bytes, as the following.
	fieldsFree = 16 << 10
	// fieldsTogether is what those that take more may take together.
	fieldsTogether = 32 << 20
	// fieldCost is what a field takes besides its own bytes: its entry in a map.
	fieldCost = 256
)

// Fields bounds what the header fields of HTTP/2 requests take together: a field that the
// other side needs one byte for takes a hundred here (RFC 7541 section 7.3). Those of
// HTTP/1 are bounded where they are read.
type Fields struct{ used atomic.Int64 }

// NewFields returns the bound.
func NewFields() *Fields { return new(Fields) }

// take counts the fields of r until they are given back; false where there is no room.
func (f *Fields) take(r *http.Request) (taken int64, ok bool) {
	if f == nil || r.ProtoMajor < 2 {
		return 0, true
	}
	for name, values := range r.Header {
		for _, value := range values {
			taken += int64(len(name)+len(value)) + fieldCost
		}
	}
	taken += int64(len(r.Trailer)) * fieldCost
	if taken <= fieldsFree {
		return 0, true
	}
	if f.used.Add(taken) > fieldsTogether {
		f.used.Add(-taken)
		return 0, false
	}
	return taken, true
}

// give ends what r has taken. Its fields go too: the server keeps the request until the
// client has read the answer.
func (f *Fields) give(r *http.Request, taken int64) {
	if taken > 0 {
		r.Header, r.Trailer = http.Header{}, nil
		f.used.Add(-taken)
	}
}

// answerTime is how long a client whose request was not let in may leave the answer
// unread.
const answerTime = 5 * time.Second

// tooMany answers r, whose fields there is no room for. They are given up before that: the
// client may let the answer wait.
func tooMany(w http.ResponseWriter, r *http.Request, observers []proxy.Observer) {
	r.Header, r.Trailer = http.Header{}, nil
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(answerTime)) // an error means that there is none
	w.Header().Set("Retry-After", "1")
	proxy.Reject(w, r, observers, proxy.CodeOverloaded, "the header fields of the requests in flight take more memory together than is set aside for them: send fewer fields, or try again")
}
