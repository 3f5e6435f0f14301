package endpoint

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"authproxy/tokencache"
)

// ErrNotSupported: the options have no such request.
var ErrNotSupported = errors.New("this platform has no such request")

// Verdict is what a platform says of a token.
type Verdict struct {
	// Good tells that the token is accepted.
	Good bool
	// Type is the token_type in the answer; empty when it names none.
	Type string
	// Expiry is when the token ends; zero when the answer does not say.
	Expiry time.Time
	// Err is the platform's refusal, a [*tokencache.FetchError]; nil for a good
	// token.
	Err error
}

// Check asks the platform whether t is good. A 2xx answer that meets the OK of
// the request says so. 400, 404, 410 and an OK that is not met say that it is
// not; so do 401 and 403, unless the request uses a secret, which they may be
// about; client_id and username are none here. Any other outcome is an error of type
// [*tokencache.FetchError]; [ErrNotSupported] when there is no such request.
func (e *Endpoint) Check(ctx context.Context, t tokencache.Token) (Verdict, error) {
	c, a, err := e.ask(ctx, e.check, t)
	if err != nil {
		return Verdict{}, err
	}
	if err := c.refused(a, e.check.ok); err != nil {
		if c.aboutToken(a, err) {
			return Verdict{Err: err}, nil
		}
		return Verdict{}, err
	}
	if !a.isJSON && a.size > 0 {
		return Verdict{}, c.unreadableAnswer(a)
	}
	end, _ := a.expiry(e.response, c.values["token"], c.sent)
	return Verdict{Good: true, Type: a.tokenType(e.response, &c.secrets), Expiry: end}, nil
}

// Revoke gives t back to the platform (RFC 7009 section 2). A 2xx answer that
// meets the OK of the request is a success. Errors are of type
// [*tokencache.FetchError]; [ErrNotSupported] when there is no such request.
func (e *Endpoint) Revoke(ctx context.Context, t tokencache.Token) error {
	c, a, err := e.ask(ctx, e.revoke, t)
	if err != nil {
		return err
	}
	return c.refused(a, e.revoke.ok)
}

func (e *Endpoint) ask(ctx context.Context, r *request, t tokencache.Token) (*call, *answer, error) {
	if r == nil {
		return nil, nil, ErrNotSupported
	}
	c, err := e.call(r, t)
	if err != nil {
		return nil, nil, err
	}
	a, err := c.send(ctx)
	return c, a, err
}

// aboutToken tells whether a refusal speaks of the token and of nothing else.
func (c *call) aboutToken(a *answer, refusal error) bool {
	var f *tokencache.FetchError
	var cause *callError
	if !errors.As(refusal, &f) || !errors.As(refusal, &cause) || cause.verdict == busy {
		return false
	}
	if a.success() {
		return a.isJSON && !a.blank()
	}
	switch a.status {
	case http.StatusBadRequest, http.StatusNotFound, http.StatusGone:
		return true
	case http.StatusUnauthorized, http.StatusForbidden:
		return !slices.ContainsFunc(c.endpoint.secrets, c.proves)
	default:
		return false
	}
}

// proves tells whether the request uses the secret of this name, and that it is
// not only a name for who asks.
func (c *call) proves(secret string) bool {
	return c.request.uses[secret] && secret != clientID && secret != "username"
}
