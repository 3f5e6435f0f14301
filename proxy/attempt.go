package proxy

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"time"
)

// send makes one attempt: req gets the token, and its body from the beginning.
func (x *exchange) send(c *call, req *http.Request, token Token) (*http.Response, error) {
	if len(req.Trailer) > 0 {
		req = withTrailer(req)
	}
	before := c.written.Load()
	if err := x.giveBody(c, req, before); err != nil {
		return nil, err
	}
	x.authorizer.Authorize(req, token)
	c.sending(token)
	resp, err := x.transport.RoundTrip(req)
	if err == nil && c.written.Load() == before {
		c.written.Add(1) // by a transport that does not tell
	}
	if err == nil && resp.StatusCode < 100 {
		_ = resp.Body.Close()
		err = errNoStatus // the server would panic at it
	}
	if err == nil {
		err = checkSwitch(req, resp)
	}
	if err != nil {
		return nil, err
	}
	x.authorizer.Redact(resp.Header, token)
	return resp, nil
}

var errNoStatus = errors.New("the answer has no status of HTTP")

// giveBody gives req its body from the beginning, and says in the words of
// net/http's Transport whether that may send the request a second time by itself,
// as it does when a kept connection dies without an answer, for a method that may be
// repeated or what an Idempotency-Key says may be, and when an upstream of HTTP/2
// says that it has not looked at it (RFC 9113 section 8.7): not where retries are
// turned off, once something was written; else twice. before is how often the
// request was written before this attempt.
func (x *exchange) giveBody(c *call, req *http.Request, before int32) error {
	if x.retry.Disabled {
		forbidRepetition(req)
	}
	if c.tape == nil {
		return nil
	}
	tape, trailer := c.tape, req.Trailer
	body, err := tape.Rewind(trailer)
	if err != nil {
		return err
	}
	req.Body, req.GetBody = body, func() (io.ReadCloser, error) {
		if wrote := c.written.Load() - before; wrote > maxRepetitions || wrote > 0 && x.retry.Disabled {
			return nil, errNotRepeated
		}
		body, err := tape.Rewind(trailer)
		if err != nil {
			return nil, errNotRepeated
		}
		return body, nil
	}
	return nil
}

// forbidRepetition has net/http's Transport not repeat a request without a body:
// one with a body that cannot be had again is not, and one with a key for that only
// when it finds the key in its usual spelling, in which case it goes out.
func forbidRepetition(req *http.Request) {
	for _, name := range [...]string{"Idempotency-Key", "X-Idempotency-Key"} {
		if values, ok := req.Header[name]; ok {
			delete(req.Header, name)
			req.Header[strings.ToLower(name)] = values
		}
	}
	switch req.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions:
		if req.Body == nil || req.Body == http.NoBody {
			req.Body = noBody{} // net/http looks, and finds nothing to send
		}
	}
}

// maxRepetitions is how often the transport may send a request again by itself.
const maxRepetitions = 2

// noBody is empty, and not [http.NoBody].
type noBody struct{}

func (noBody) Read([]byte) (int, error) { return 0, io.EOF }
func (noBody) Close() error             { return nil }

// withTrailer returns req with a map of its own for the values of the trailers:
// a try that was given up may still write into its own.
func withTrailer(req *http.Request) *http.Request {
	own := *req
	own.Trailer = make(http.Header, len(req.Trailer))
	for name := range req.Trailer {
		own.Trailer[name] = nil
	}
	return &own
}

// drainLimit is how many bytes of a refused answer are read so that its
// connection can be used again.
const drainLimit = 64 << 10

// drainWait is for how long the second try waits for the refused answer to end, so
// that it can go over the same connection.
const drainWait = 10 * time.Millisecond

// discard gives the connection of an answer that nobody will read back to the
// pool, if its end is near; else it is closed.
func discard(resp *http.Response) {
	if resp.ContentLength > drainLimit {
		go drain(resp.Body)
		return
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		drain(resp.Body)
	}()
	wait := time.NewTimer(drainWait)
	defer wait.Stop()
	select {
	case <-done:
	case <-wait.C:
	}
}

// drain reads body to its end and closes it; earlier when that is far, or does
// not come within a second.
func drain(body io.ReadCloser) {
	limit := time.AfterFunc(time.Second, func() { _ = body.Close() })
	defer limit.Stop()
	_, _ = io.CopyN(io.Discard, body, drainLimit)
	_ = body.Close()
}
