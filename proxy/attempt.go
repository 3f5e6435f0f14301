package proxy

import (
	"io"
	"net/http"
	"time"
)

// send makes one attempt: req gets the token, and its body from the beginning.
func (x *exchange) send(c *call, req *http.Request, token Token) (*http.Response, error) {
	if len(req.Trailer) > 0 {
		req = withTrailer(req)
	}
	if c.tape != nil {
		tape, trailer := c.tape, req.Trailer
		body, err := tape.Rewind(trailer)
		if err != nil {
			return nil, err
		}
		// GetBody is for the transport's own repetition, of what a server that
		// closed an idle connection or sent GOAWAY has not seen.
		req.Body, req.GetBody = body, func() (io.ReadCloser, error) { return tape.Rewind(trailer) }
	}
	x.authorizer.Authorize(req, token)
	c.sending(token)
	resp, err := x.transport.RoundTrip(req)
	if err == nil && resp.StatusCode < 100 {
		_ = resp.Body.Close()
		err = errNoHTTP // the server would panic at it
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
