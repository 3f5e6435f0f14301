package proxy

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"authproxy/internal/httpsyntax"
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
	// Caused tells of a token that [TokenSource.Replace] returned that this very
	// call had it made.
	Caused bool
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
	// ReplaceWhenDue is Replace for a request that was refused with a good token
	// before, so that its refusal says little about this one.
	ReplaceWhenDue(ctx context.Context, rejected string) (Token, error)
	// Accept tells that the upstream has taken a request with this token.
	Accept(value string)
	// Cured tells that the second try, with this token of Replace, was accepted,
	// and Futile that it was refused as well.
	Cured(Token)
	Futile(Token)
}

// ErrTokenTimeout is wrapped by the error of a [TokenSource] when the time ran
// out while a token was waited for.
var ErrTokenTimeout = errors.New("no token in time")

// An Authorizer knows the place where the token goes; RFC 6750 section 2 has it
// in one place only. It must be safe for concurrent use. See [InHeader] and
// [InQuery].
type Authorizer interface {
	// Strip takes out of a request what the client itself sent at that place, and a
	// bearer token of its own in Authorization wherever the place is: RFC 6750
	// section 2 has one of them in a request. Other schemes pass beside the place.
	Strip(*http.Request)
	// Authorize puts the token into a request, instead of another one that it has
	// put there before. It may replace, but not change, the URL and the values of
	// the header.
	Authorize(*http.Request, Token)
	// Redact takes the token out of the fields of an answer: its header, those of
	// 1xx, and its trailers.
	Redact(http.Header, Token)
}

// SchemeOfToken, as the scheme of [InHeader], means the token's own type as the
// platform answered it.
const SchemeOfToken = "{token_type}"

// inHeader keeps the field of the latest token, since a token of some kilobytes
// serves thousands of requests.
type inHeader struct {
	name, folded string
	scheme       string
	latest       atomic.Pointer[field]
}

// field is the header field of a token. Requests share its value, which nobody
// changes.
type field struct {
	token Token
	value []string
}

// InHeader has the token go into the header field of that name, Authorization in
// most cases, behind scheme and a space; an empty scheme means the bare token.
// It fails when name is no name of a field.
func InHeader(name, scheme string) (Authorizer, error) {
	if !httpsyntax.IsToken(name) {
		return nil, fmt.Errorf("proxy: the token cannot go into a header named %q", name)
	}
	return &inHeader{name: http.CanonicalHeaderKey(name), folded: httpsyntax.FoldName(name), scheme: scheme}, nil
}

// Strip implements [Authorizer], for trailers as well.
func (h *inHeader) Strip(req *http.Request) {
	dropField(req.Header, h.folded)
	dropField(req.Trailer, h.folded)
	stripBearer(req)
}

// dropField takes the field of that folded name out, in any spelling.
func dropField(fields http.Header, folded string) {
	for name := range fields {
		if len(name) == len(folded) && httpsyntax.FoldName(name) == folded {
			delete(fields, name)
		}
	}
}

// stripBearer takes a bearer token out of Authorization. A trailer of that name
// goes whole: its value comes too late to be judged.
func stripBearer(req *http.Request) {
	if values, ok := req.Header["Authorization"]; ok && slices.ContainsFunc(values, isBearer) {
		if values = slices.DeleteFunc(slices.Clone(values), isBearer); len(values) == 0 {
			delete(req.Header, "Authorization")
		} else {
			req.Header["Authorization"] = values
		}
	}
	dropField(req.Trailer, "Authorization")
}

// isBearer tells whether credentials are of the scheme Bearer, in any case (RFC
// 9110 section 11.1).
func isBearer(credentials string) bool {
	const scheme = "bearer"
	credentials = strings.TrimLeft(credentials, " \t")
	if len(credentials) < len(scheme) || !strings.EqualFold(credentials[:len(scheme)], scheme) {
		return false
	}
	rest := credentials[len(scheme):]
	return rest == "" || strings.IndexByte(" \t,", rest[0]) >= 0
}

// Authorize implements [Authorizer].
func (h *inHeader) Authorize(req *http.Request, token Token) {
	f := h.latest.Load()
	if f == nil || f.token != token {
		f = &field{token, []string{h.value(token)}}
		h.latest.Store(f)
	}
	req.Header[h.name] = f.value
}

func (h *inHeader) value(token Token) string {
	switch {
	case h.scheme == "":
		return token.Value
	case h.scheme != SchemeOfToken:
		return h.scheme + " " + token.Value
	case token.Type == "":
		return "Bearer " + token.Value
	default:
		return token.Type + " " + token.Value
	}
}

// inQuery has the parameter of that name.
type inQuery struct {
	name string
	own  []string // name
}

// InQuery has the token go into the query parameter of that name. It fails when
// name is empty.
func InQuery(name string) (Authorizer, error) {
	if name == "" {
		return nil, errors.New("proxy: the token cannot go into a query parameter without a name")
	}
	return newInQuery(name), nil
}

func newInQuery(name string) *inQuery {
	return &inQuery{name: name, own: []string{name}}
}

// Strip implements [Authorizer].
func (q *inQuery) Strip(req *http.Request) {
	req.URL.RawQuery = dropParams(req.URL.RawQuery, q.own)
	stripBearer(req)
}

// Authorize implements [Authorizer].
func (q *inQuery) Authorize(req *http.Request, token Token) {
	u := *req.URL
	u.RawQuery = addParam(dropParams(u.RawQuery, q.own), q.name, token.Value)
	req.URL = &u
}
