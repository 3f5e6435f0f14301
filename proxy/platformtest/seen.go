package platformtest

import (
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"io"
	"math"
	"net/http"
	"slices"
)

const (
	keptBody  = 1 << 20  // bytes of a body that a Seen holds
	smallBody = 64 << 10 // read before an early answer
	keptSeen  = 32       // requests remembered on either side
	noLimit   = math.MaxInt64
)

// Seen is a request as it arrived. It holds the token: not for printing.
type Seen struct {
	// Number counts all requests to the platform from 1, in order of arrival.
	Number int
	// Method is the method of the request line.
	Method string
	// RequestURI is the target of the request line, byte for byte.
	RequestURI string
	// Proto is the protocol, such as "HTTP/1.1".
	Proto string
	// Host is the Host header, or :authority.
	Host string
	// Header are the other headers, names in canonical form.
	Header http.Header
	// TransferEncoding is what Go's server took out of Header.
	TransferEncoding []string
	// ContentLength is the announced length in bytes; -1: not announced.
	ContentLength int64
	// Trailer is what followed the body.
	Trailer http.Header
	// RemoteAddr tells connections apart.
	RemoteAddr string
	// Body is the body's first MiB.
	Body []byte
	// BodyLength is how many bytes of the body were read.
	BodyLength int64
	// BodySHA256 is the hash of these bytes in hex.
	BodySHA256 string
	// BodyComplete says that the body was read to its end. A body that was
	// refused early or met a fault may not be.
	BodyComplete bool
}

// LastAPIRequest returns the request to the API that arrived last, or nil.
func (p *Platform) LastAPIRequest() *Seen { return last(p.APIRequests()) }

// LastTokenRequest returns the request to the token service that arrived
// last, checks and revocations included, or nil.
func (p *Platform) LastTokenRequest() *Seen { return last(p.TokenRequests()) }

// APIRequests returns the last 32 requests to the API in order of arrival.
func (p *Platform) APIRequests() []*Seen { return p.copySeen(&p.api) }

// TokenRequests returns the last 32 requests to the token service in order of
// arrival, checks and revocations included.
func (p *Platform) TokenRequests() []*Seen { return p.copySeen(&p.token) }

func last(all []*Seen) *Seen {
	if len(all) == 0 {
		return nil
	}
	return all[len(all)-1]
}

func (p *Platform) copySeen(list *[]*Seen) []*Seen {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := make([]*Seen, len(*list))
	for i, s := range *list {
		c := *s
		c.Header, c.Trailer, c.Body = s.Header.Clone(), s.Trailer.Clone(), slices.Clone(s.Body)
		out[i] = &c
	}
	return out
}

func (p *Platform) arrive(r *http.Request, list *[]*Seen) *Seen {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.arrivals++
	s := &Seen{Number: p.arrivals, Method: r.Method, RequestURI: r.RequestURI, Proto: r.Proto, Host: r.Host,
		Header: r.Header.Clone(), TransferEncoding: slices.Clone(r.TransferEncoding),
		ContentLength: r.ContentLength, RemoteAddr: r.RemoteAddr}
	if len(*list) == keptSeen {
		*list = slices.Delete(*list, 0, 1)
	}
	*list = append(*list, s)
	return s
}

// digest measures a body and keeps its beginning.
type digest struct {
	sum    hash.Hash
	kept   []byte
	length int64
}

func (d *digest) Write(b []byte) (int, error) {
	d.sum.Write(b)
	d.length += int64(len(b))
	if room := keptBody - len(d.kept); room > 0 {
		d.kept = append(d.kept, b[:min(room, len(b))]...)
	}
	return len(b), nil
}

// readBody reads at most limit bytes and notes them in seen. It does nothing
// when the body has been read to its end before.
func (p *Platform) readBody(r *http.Request, seen *Seen, limit int64) {
	if seen.BodyComplete {
		return
	}
	d := &digest{sum: sha256.New()}
	_, err := io.CopyN(d, r.Body, limit)
	p.mu.Lock()
	defer p.mu.Unlock()
	seen.Body, seen.BodyLength = d.kept, d.length
	seen.BodySHA256 = hex.EncodeToString(d.sum.Sum(nil))
	seen.BodyComplete = err == io.EOF
	seen.Trailer = r.Trailer.Clone()
}

// beforeBody lets reply answer while the body may still be on its way. A small
// body of known length is read first, and one of unknown length after the
// answer, so that the connection stays usable; beside any other, and where the
// answer's end cannot be sent before the body's, the connection is closed.
func (p *Platform) beforeBody(w http.ResponseWriter, r *http.Request, seen *Seen, how transfer, reply func()) {
	waits := r.Header.Get("Expect") != ""
	if !waits && r.ContentLength >= 0 && r.ContentLength <= smallBody {
		p.readBody(r, seen, noLimit)
	}
	if seen.BodyComplete {
		reply()
		return
	}
	if waits || how.chunked || r.ContentLength > 0 {
		w.Header().Set("Connection", "close")
		reply()
		return
	}
	control := http.NewResponseController(w)
	// Without it Go's server reads on before it answers; the error says that
	// the protocol needs no such switch.
	_ = control.EnableFullDuplex()
	reply()
	_ = control.Flush()
	p.readBody(r, seen, noLimit)
}
