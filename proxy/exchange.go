package proxy

import (
	"context"
	"io"
	"net/http"
	"time"

	"authproxy/proxy/internal/refusal"
	"authproxy/proxy/internal/replay"
)

// exchange is the rule of when a request is sent, refused, and sent again. It
// is the Transport of the ReverseProxy: only here can the want of a token be
// an error before anything is sent, and only here can a client's "Connection:
// Authorization" not take the token away (golang/go#50580).
type exchange struct {
	tokens    TokenSource
	inject    *injector
	refusal   *refusal.Detector
	retry     Retry
	transport http.RoundTripper
}

// RoundTrip sends req with a token. When the upstream refuses the token, it
// asks for another one and sends the same request once more; when that cannot
// be done or does not help, the answer is the upstream's own.
func (x *exchange) RoundTrip(req *http.Request) (*http.Response, error) {
	c := callOf(req)
	token, err := x.tokens.Token(req.Context())
	if err != nil {
		return nil, &tokenError{err}
	}
	if req.Body != nil {
		c.tape = replay.NewTape(req.Body, x.retry.BodyLimit, c.request.Trailer)
		defer c.tape.Stop()
	}
	resp, err := x.send(req, token)
	if err != nil {
		return nil, err
	}
	if c.record.Trigger = x.refusal.Trigger(resp); c.record.Trigger == "" {
		x.accept(resp, token)
		return resp, nil
	}
	c.record.Refused, c.record.RefusedAge = token.Fingerprint, time.Since(token.Issued)
	if x.retry.Disabled || !c.hold() {
		c.record.Outcome = OutcomeNotReplayable
		if !x.retry.Disabled {
			c.record.Err = errTooLarge
		}
		go func() { _, _ = x.tokens.Replace(context.WithoutCancel(req.Context()), token.Value) }() // for the next request
		return resp, nil
	}
	token, err = x.tokens.Replace(req.Context(), token.Value)
	if err != nil {
		c.record.Outcome, c.record.Err = OutcomeNoNewToken, err
		return resp, nil
	}
	discard(resp)
	return x.sendAgain(req, token)
}

// sendAgain is the second try, and the last.
func (x *exchange) sendAgain(req *http.Request, token Token) (*http.Response, error) {
	c := callOf(req)
	again := req.Clone(req.Context())
	if c.tape != nil && c.tape.Begun() {
		// The client has been told to continue and is not to be told again.
		again.Header.Del("Expect")
	}
	resp, err := x.send(again, token)
	if err != nil {
		return nil, err
	}
	c.record.Outcome = OutcomeStillRefused
	if x.refusal.Trigger(resp) == "" {
		c.record.Outcome = OutcomeRecovered
		x.accept(resp, token)
	}
	return resp, nil
}

// send gives req the token and its body, from the beginning.
func (x *exchange) send(req *http.Request, token Token) (*http.Response, error) {
	c := callOf(req)
	if len(req.Trailer) > 0 {
		req = withTrailer(req)
	}
	if c.tape != nil {
		body, err := c.tape.Rewind(req.Trailer)
		if err != nil {
			return nil, err
		}
		// GetBody is for the transport's own repetition, of what a server that
		// closed an idle connection or sent GOAWAY has not seen.
		req.Body, req.GetBody = body, func() (io.ReadCloser, error) { return c.tape.Rewind(req.Trailer) }
	}
	req = x.inject.outOfHints(req, token)
	x.inject.into(req, token)
	c.record.Attempts++
	c.record.Token = token.Fingerprint
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
	x.inject.outOf(resp.Header, token)
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

// accept tells the source that the upstream took the token. An error of the
// server, or its wish to be left alone, says nothing about it.
func (x *exchange) accept(resp *http.Response, token Token) {
	if s := resp.StatusCode; s < 500 && s != http.StatusUnauthorized && s != http.StatusTooManyRequests {
		x.tokens.Accept(token.Value)
	}
}

// drainLimit is how many bytes of a refused answer are read so that its
// connection can be used again.
const drainLimit = 64 << 10

// discard gives the connection of an answer that nobody will read back to the
// pool, if its end is near; else it is closed.
func discard(resp *http.Response) {
	drain := func() {
		limit := time.AfterFunc(time.Second, func() { _ = resp.Body.Close() })
		defer limit.Stop()
		_, _ = io.CopyN(io.Discard, resp.Body, drainLimit)
		_ = resp.Body.Close()
	}
	if resp.ContentLength >= 0 && resp.ContentLength <= drainLimit {
		drain()
		return
	}
	go drain()
}
