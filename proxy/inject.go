package proxy

import (
	"context"
	"errors"
	"net/http"
	"regexp"
	"sync/atomic"
	"time"
)

// Token is what goes to the upstream.
type Token struct {
	// Value is the access token.
	Value string
	// Type is its token_type as the platform answered it; may be empty.
	Type string
	// Fingerprint identifies it in logs.
	Fingerprint string
	// Issued is when it was asked for; only for logs.
	Issued time.Time
}

// A TokenSource hands out tokens. It must be safe for concurrent use.
type TokenSource interface {
	// Token returns a token that is good now, or waits for one. Its error wraps
	// [ErrTokenTimeout] when time ran out; one that has a method RetryAfter()
	// time.Duration says when to come back.
	Token(ctx context.Context) (Token, error)
	// Replace returns a token other than the rejected one, which the upstream
	// has refused, or an error when there is none.
	Replace(ctx context.Context, rejected string) (Token, error)
	// Accept tells that the upstream has taken a request with this token.
	Accept(value string)
}

// ErrTokenTimeout is wrapped by the error of a [TokenSource] when the time ran
// out while a token was waited for.
var ErrTokenTimeout = errors.New("no token in time")

// SchemeOfToken, as the scheme of [Inject], means the token's own type as the
// platform answered it.
const SchemeOfToken = "{token_type}"

// Inject says where the token goes. What the client itself sends there is
// removed. RFC 6750 section 2 has the token in one place only.
type Inject struct {
	// Header is the field, Authorization in most cases.
	Header string
	// Scheme stands before the token, with a space; empty for the bare token.
	Scheme string
	// Query is the parameter, in the stead of Header.
	Query string
}

func (i Inject) check() error {
	if (i.Header == "") == (i.Query == "") {
		return errors.New("the token goes into exactly one of a header and a query parameter")
	}
	return nil
}

// injector puts tokens at their place. It keeps the field of the latest one,
// since a token of some kilobytes serves thousands of requests.
type injector struct {
	Inject
	name   string          // canonical
	own    map[string]bool // the parameter
	nested *regexp.Regexp  // the parameter within an encoded address, up to its value
	latest atomic.Pointer[field]
}

// field is the header field of a token. Requests share its value, which nobody
// changes.
type field struct {
	token Token
	value []string
}

func newInjector(i Inject) *injector {
	return &injector{
		Inject: i, name: http.CanonicalHeaderKey(i.Header), own: map[string]bool{i.Query: true},
		nested: regexp.MustCompile("(?i)" + regexp.QuoteMeta(i.Query) + "%(?:25)*3d"),
	}
}

// into puts token into req, which holds nothing of the client's at that place.
func (i *injector) into(req *http.Request, token Token) {
	if i.Query != "" {
		u := *req.URL
		u.RawQuery = addParam(dropParams(u.RawQuery, i.own), i.Query, token.Value) // own: that of the first try
		req.URL = &u
		return
	}
	f := i.latest.Load()
	if f == nil || f.token != token {
		f = &field{token, []string{i.value(token)}}
		i.latest.Store(f)
	}
	req.Header[i.name] = f.value
}

func (i Inject) value(token Token) string {
	switch {
	case i.Scheme == "":
		return token.Value
	case i.Scheme != SchemeOfToken:
		return i.Scheme + " " + token.Value
	case token.Type == "":
		return "Bearer " + token.Value
	default:
		return token.Type + " " + token.Value
	}
}
