package proxy

import (
	"context"
	"encoding/hex"
	"errors"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"net/url"
	"regexp"
	"strings"
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
	name   string         // canonical
	nested *regexp.Regexp // the parameter within an encoded address, up to its value
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
		Inject: i, name: http.CanonicalHeaderKey(i.Header),
		nested: regexp.MustCompile("(?i)" + regexp.QuoteMeta(i.Query) + "%(?:25)*3d"),
	}
}

// into puts token into req, which holds nothing of the client's at that place.
func (i *injector) into(req *http.Request, token Token) {
	if i.Query != "" {
		u := *req.URL
		u.RawQuery = addParam(dropParams(u.RawQuery, map[string]bool{i.Query: true}), i.Query, token.Value)
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

// outOf takes token out of h, the header of an answer: a server that redirects
// to another path, or to where one signs in, repeats the query that it got.
func (i *injector) outOf(h http.Header, token Token) {
	if i.Query == "" {
		return
	}
	for _, values := range h {
		for n, text := range values {
			values[n] = i.withoutNested(i.without(text, token.Value), token.Value)
		}
	}
}

// outOfHints has token taken out of the answers 1xx to the request returned,
// which is req otherwise; they go to the client before the answer comes.
func (i *injector) outOfHints(req *http.Request, token Token) *http.Request {
	if i.Query == "" {
		return req
	}
	return req.WithContext(httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{
		Got1xxResponse: func(_ int, h textproto.MIMEHeader) error {
			i.outOf(http.Header(h), token)
			return nil
		},
	}))
}

// without returns text less the parameters that hold the token of that value.
func (i *injector) without(text, value string) string {
	name := i.Query + "="
	for from := 0; ; {
		at := strings.Index(text[from:], name)
		if at < 0 {
			return text
		}
		start := from + at
		from = start + len(name)
		end := len(text)
		if n := strings.IndexAny(text[from:], "&;#<>\"' "); n >= 0 {
			end = from + n
		}
		got, err := url.QueryUnescape(text[from:end])
		if err != nil || got != value || start == 0 || !strings.Contains("?&;#", text[start-1:start]) {
			continue
		}
		if end < len(text) && strings.Contains("&;", text[end:end+1]) {
			text, from = text[:start]+text[end+1:], start
		} else {
			text, from = text[:start-1]+text[end:], start-1
		}
	}
}

// withoutNested returns text less the token of that value where it is a
// parameter of an address that is itself, encoded, the parameter of another.
func (i *injector) withoutNested(text, value string) string {
	if !strings.Contains(text, "%") {
		return text
	}
	for from := 0; ; {
		at := i.nested.FindStringIndex(text[from:])
		if at == nil {
			return text
		}
		from += at[1]
		if n := encoded(text[from:], value); n > 0 {
			text = text[:from] + text[from+n:]
		}
	}
}

// encoded returns the length of value as text begins with it, percent-encoded
// once or several times; 0 when it begins with another one.
func encoded(text, value string) int {
	n := 0
	for i := range len(value) {
		m := octets.FindStringSubmatch(text[n:])
		if m == nil {
			return 0
		}
		c := m[0][0]
		if b, err := hex.DecodeString(m[1]); err == nil && len(b) == 1 {
			c = b[0]
		}
		if c != value[i] {
			return 0
		}
		n += len(m[0])
	}
	if m := octets.FindString(text[n:]); m != "" && m[0] != '%' && !strings.Contains("&;#<>\"' ", m) {
		return 0
	}
	return n
}

// octets matches a byte, or its percent-encoding, also of that encoding.
var octets = regexp.MustCompile(`(?s)^(?:%(?:25)*([0-9A-Fa-f]{2})|.)`)

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
