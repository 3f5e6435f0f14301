package endpoint

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"authproxy/tokencache"
)

// Fetch asks the platform for a token. With a refresh token in last, and a
// Refresh in the options, that is tried first; when the platform refuses it, the
// credentials are sent in the same call (RFC 6749 section 6), and that refresh
// token is not tried again. A platform in trouble (network, timeout, or an answer
// that says so) is not asked a second time.
//
// Issued is the moment before the request was sent. Expiry is zero when the
// answer names no usable lifetime, and at most 100 years away; Unread says why
// where it names one. DeviceID is set
// when a template uses it. Errors are of type [*tokencache.FetchError].
func (e *Endpoint) Fetch(ctx context.Context, last tokencache.Token) (tokencache.Token, error) {
	if e.fixed != nil {
		return e.give()
	}
	spent := e.spent.Load()
	if e.refresh != nil && last.Refresh != "" && (spent == nil || *spent != last.Refresh) {
		t, err := e.token(ctx, e.refresh, last)
		if err == nil && t.Refresh == "" {
			t.Refresh = last.Refresh
		}
		if err == nil || inTrouble(err) {
			return t, err
		}
		e.spent.Store(&last.Refresh)
	}
	t, err := e.token(ctx, e.request, last)
	if err != nil {
		return t, err
	}
	return e.force(ctx, t, last)
}

func (e *Endpoint) token(ctx context.Context, r *request, last tokencache.Token) (tokencache.Token, error) {
	c, err := e.call(r, last)
	if err != nil {
		return tokencache.Token{}, err
	}
	a, err := c.send(ctx)
	if err != nil {
		return tokencache.Token{}, err
	}
	if err := c.refused(a, r.ok, e.response.OK); err != nil {
		return tokencache.Token{}, err
	}
	return e.read(c, a)
}

// read maps a success to a token.
func (e *Endpoint) read(c *call, a *answer) (tokencache.Token, error) {
	m := e.response
	value, _ := a.token(m.Token)
	refresh, _ := a.token(m.RefreshToken)
	switch {
	case value == nil || value == "":
		return tokencache.Token{}, c.noToken(a)
	case !usable(value):
		return tokencache.Token{}, c.badToken(a, m.Token, value)
	case refresh != nil && refresh != "" && !usable(refresh):
		return tokencache.Token{}, c.badToken(a, m.RefreshToken, refresh)
	}
	t := tokencache.Token{Issued: c.sent, Type: a.tokenType(m, &c.secrets)}
	if strings.EqualFold(t.Type, "DPoP") {
		return tokencache.Token{}, c.bound(a)
	}
	t.Value = value.(string)
	if strings.Contains(t.Type, t.Value) {
		t.Type = "" // it is shown
	}
	var problem string
	if t.Expiry, problem = a.expiry(m, t.Value, c.sent); problem != "" {
		t.Unread = fmt.Sprintf("no lifetime at response.expires_in (%s): %s", m.ending(), problem)
	}
	t.Refresh, _ = refresh.(string)
	if e.usesDevice {
		t.DeviceID = c.values["device_id"]
	}
	return t, nil
}

// inTrouble tells that a platform should not be asked again at once. What stands
// in front of one may answer a refresh token with a 400 or 403 of its own, without
// JSON; the credentials are tried all the same.
func inTrouble(err error) bool {
	var fetch *tokencache.FetchError
	var f *callError
	if !errors.As(err, &fetch) || !errors.As(err, &f) {
		return true
	}
	return f.verdict == busy || fetch.Reason == tokencache.ReasonTimeout || fetch.Reason == tokencache.ReasonNetwork
}
