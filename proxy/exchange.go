package proxy

import (
	"context"
	"net/http"
	"net/http/httptrace"
	"time"

	"authproxy/proxy/internal/refusal"
	"authproxy/proxy/internal/replay"
)

// exchange is the rule of when a request is sent, refused, and sent again. It
// is the Transport of the ReverseProxy: only here can a missing token be an
// error before anything is sent, and only here can a client's "Connection:
// Authorization" not take the token away (golang/go#50580).
type exchange struct {
	tokens     TokenSource
	authorizer Authorizer
	refusal    *refusal.Detector
	retry      Retry
	transport  http.RoundTripper
	doubts     *doubts
}

// RoundTrip sends req with a token. When the upstream refuses the token, it
// asks for another one and sends the same request once more; when that cannot
// be done or does not help, the answer is the upstream's own.
func (x *exchange) RoundTrip(req *http.Request) (*http.Response, error) {
	c := callOf(req)
	if trace := httptrace.ContextClientTrace(req.Context()); trace != nil {
		trace.WroteHeaders = c.wrote // ReverseProxy made it for this request; another one would be composed with it by reflection
	}
	token, err := x.tokens.Token(req.Context())
	if err != nil {
		return nil, &tokenError{err}
	}
	if req.Body != nil {
		c.tape = replay.NewTape(req.Body, x.retry.BodyLimit, x.retry.Memory, c.request.Trailer)
		defer c.tape.Stop()
	}
	resp, err := x.send(c, req, token)
	if err != nil {
		return nil, err
	}
	resp, trigger := x.examine(c, req, resp, token, false)
	if trigger == "" {
		return resp, nil
	}
	c.refused(trigger, token)
	if x.retry.Disabled || !c.hold() {
		c.record.Outcome = OutcomeNotReplayable
		if !x.retry.Disabled {
			c.record.Err = c.notKept()
		}
		x.replaceForTheNext(req, token)
		return resp, nil
	}
	other, err := x.replacement(req)(req.Context(), token.Value)
	if err != nil {
		c.record.Outcome, c.record.Err = OutcomeNoNewToken, err
		return resp, nil
	}
	discard(resp)
	return x.sendAgain(c, req, other)
}

// sendAgain is the second try, and the last.
func (x *exchange) sendAgain(c *call, req *http.Request, token Token) (*http.Response, error) {
	again := req.Clone(req.Context())
	if c.tape != nil && c.tape.Begun() {
		// The client has been told to continue and is not to be told again.
		again.Header.Del("Expect")
	}
	resp, err := x.send(c, again, token)
	if err != nil {
		c.record.Outcome = OutcomeFailed
		return nil, err
	}
	c.record.Outcome = OutcomeRecovered
	resp, trigger := x.examine(c, again, resp, token, true)
	if trigger != "" {
		c.fate.futile()
	}
	return resp, nil
}

// examine tells whether resp refuses token; where it may, the token's own value is
// taken out of its body.
func (x *exchange) examine(c *call, req *http.Request, resp *http.Response, token Token, again bool) (*http.Response, Trigger) {
	c.fate = fate{call: c, x: x, req: req, token: token, status: resp.StatusCode, again: again}
	resp, trigger := x.refusal.Examine(resp, &c.fate)
	if trigger != "" || resp.StatusCode == http.StatusUnauthorized || resp.StatusCode == http.StatusForbidden {
		maskBody(resp, token.Value)
	}
	return resp, trigger
}

// fate is what becomes of the token of one attempt.
type fate struct {
	call   *call
	x      *exchange
	req    *http.Request
	token  Token
	status int  // of the answer
	again  bool // it is that of the second try
}

// Passed implements [refusal.Late]: the upstream took the token, as far as the status
// tells.
func (f *fate) Passed() {
	if !takes(f.status) {
		return
	}
	f.x.doubts.accepted(f.req)
	if f.again {
		f.x.tokens.Cured(f.token)
		return
	}
	f.x.tokens.Accept(f.token.Value)
}

// TooLate implements [refusal.Late].
func (f *fate) TooLate() {
	if f.again {
		f.futile()
		return
	}
	f.call.refused(TriggerBody, f.token)
	f.call.record.Outcome, f.call.record.Err = OutcomeTooLate, errTooLate
	f.x.replaceForTheNext(f.req, f.token)
}

// futile notes that the new token was refused as well.
func (f *fate) futile() {
	f.call.record.Outcome, f.call.record.Err = OutcomeStillRefused, errNoHelp
	f.x.doubts.futile(f.req)
	f.x.tokens.Futile(f.token)
}

// takes tells whether an answer that does not refuse the token shows that it is
// good. An error of the server, or its wish to be left alone, says nothing.
func takes(status int) bool {
	return status < 500 && status != http.StatusUnauthorized && status != http.StatusTooManyRequests
}

// replacement is how a token is replaced that req was refused with.
func (x *exchange) replacement(req *http.Request) func(context.Context, string) (Token, error) {
	if x.doubts.about(req) {
		return x.tokens.ReplaceWhenDue
	}
	return x.tokens.Replace
}

// replaceForTheNext has the refused token replaced, for which this request does
// not wait. When such a one was refused with another token as well, that is what
// the replacement came to.
func (x *exchange) replaceForTheNext(req *http.Request, refused Token) {
	if x.doubts.again(req, refused.Fingerprint) {
		x.doubts.futile(req)
		refused.Caused = true
		x.tokens.Futile(refused)
	}
	replace, ctx := x.replacement(req), context.WithoutCancel(req.Context())
	go func() { _, _ = replace(ctx, refused.Value) }()
}

// refused notes that token was refused.
func (c *call) refused(by Trigger, token Token) {
	c.record.Trigger = by
	c.record.Refused, c.record.RefusedAge = token.Fingerprint, max(0, time.Since(token.Issued)) // the clock may have been set back
}
