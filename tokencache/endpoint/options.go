package endpoint

import (
	"net/http"
	"time"

	"authproxy/internal/jsonpath"
)

// Options describe how one platform is asked for tokens.
//
// A template is a text with placeholders: {name}, where name is one of Params,
// Secrets, Values and [Reserved], or jwt. Other braces stand for themselves. Values are encoded
// for where they stand.
type Options struct {
	// Name is the token's name, for the texts of errors.
	Name string
	// Params are the values of further placeholders. They are shown in errors
	// where they are part of the host or path, so no secret belongs here.
	Params map[string]string
	// Secrets are the names of further placeholders, whose values Credentials
	// returns, such as client_id and client_secret. Errors that say what to check
	// name them in this order.
	Secrets []string
	// Credentials returns values of Secrets, as far as there are any. What it
	// returns is kept out of all texts; what has another name fills nothing. It
	// is called for each request, so that changed secrets are seen. Its error,
	// which must hold no secret, becomes a [tokencache.FetchError] with
	// ReasonCredentials. nil: no credentials.
	Credentials func() (map[string]string, error)
	// Values are further placeholders, each made of those before it.
	Values []Value
	// JWT is the placeholder jwt; nil: there is none.
	JWT *JWT
	// Token is the template of a token that is given, and for which nobody is asked; empty:
	// Request asks. One that is a JWT ends with its exp.
	Token string
	// Request gets a token with the credentials.
	Request Request
	// Refresh gets a token with the refresh token of the last one; nil when
	// the platform has no such request.
	Refresh *Request
	// Force is used instead of Request when that repeats the token that was refused, at most
	// once in ForceInterval, which doubles until a token comes without it; nil: it is not done.
	Force         *Request
	ForceInterval time.Duration
	// Check asks whether a token is good; nil when the platform cannot tell.
	Check *Request
	// Revoke gives a token back; nil when the platform does not take it.
	Revoke *Request
	// Response tells where the values stand in the answers to Request and
	// Refresh, and, as far as they are there, to Check.
	Response Response
	// UserAgent is that of all requests; empty: none is sent.
	UserAgent string
	// Transport carries the requests. It should neither ask for compression
	// nor follow the environment's proxy; nil: one that does neither.
	Transport http.RoundTripper
	// Show is given every request and its answer, before the caller has what it brings; nil:
	// nobody looks on.
	Show func(Exchange)
	// Observers are told of every request, each in turn; none of them may be nil.
	Observers []Observer
}

// Request is the template of one request. Map keys and Method are literal, all
// other texts are templates.
//
// A member of Headers, Query, Form or of an object in JSON that consists of
// placeholders only, all of them empty, is left out (RFC 6749 section 3.3: no
// empty scope).
type Request struct {
	// Method is the HTTP method; empty: POST with a body, else GET.
	Method string
	// URL is http or https, without user and fragment. A placeholder at its
	// very start is a base URL and put in as it is.
	URL string
	// Auth is the name of one of [AuthMethods]; empty: none.
	Auth string
	// Headers are sent besides Content-Type, User-Agent and Accept, and win over
	// these. One that is empty is not sent.
	Headers map[string]string
	// Query is added to the query of URL, ordered by key.
	Query map[string]string
	// Form is the body as application/x-www-form-urlencoded, ordered by key.
	Form map[string]string
	// JSON is the body as application/json: anything that encoding/json can
	// write; the strings in it are templates. At most one of Form and JSON.
	JSON any
	// OK tells success from refusal in a 2xx answer, in addition to the
	// Response's OK when the request is for a token.
	OK []Match
}

// Response tells where the values stand in an answer.
type Response struct {
	// Token is the place of the access token; it must be given.
	Token Selector
	// TokenType, ExpiresIn and RefreshToken may be absent.
	TokenType, ExpiresIn, RefreshToken Selector
	// ExpiresUnit is what ExpiresIn means, one of [Units]: s (or empty), ms or min from now
	// on, or a point in time as epoch_s, epoch_ms or rfc3339.
	ExpiresUnit string
	// ExpiresLayout is, instead of ExpiresUnit, how a point in time is written, as package
	// time has it; where it names no zone, ExpiresZone does (nil: UTC).
	ExpiresLayout string
	ExpiresZone   *time.Location
	// ExpiresJWT has the token's own exp be its end (RFC 7519 section 4.1.4), instead of
	// ExpiresIn. It is read and not verified: the platform is asked over TLS.
	ExpiresJWT bool
	// Status lists the statuses that mean success, whatever they mean elsewhere;
	// empty: any 2xx.
	Status []int
	// OK, when not empty, tells success from refusal in an answer whose status
	// means success: each of them must hold.
	OK []Match
	// Refused and Busy tell, at any status, that the credentials are refused, and
	// that asking later may help: any one is enough. Busy is looked at first, then
	// Refused, then whether the answer is a success by Status and OK that brings a
	// token; only what none of them decides is judged by its status and by
	// well-known codes at Error.
	Refused, Busy []Match
	// Error lists where a machine-readable error code may stand; the first one
	// found is named in errors, and tells whose fault a failure is.
	Error []Selector
	// Describe lists what errors quote besides, for the operator or for the
	// platform's support.
	Describe []Selector
}

// Selector is a place in an answer: a path into its JSON, the name of a header or of
// a cookie, or the whole body. The zero value selects nothing.
type Selector struct {
	// Path is a path into the body.
	Path jsonpath.Path
	// Header is the name of a header.
	Header string
	// Body selects the whole body as text.
	Body bool
	// Cookie is the name of a cookie that the answer sets.
	Cookie string
}

// Units are the words for how the end of a token is written.
func Units() []string { return []string{"s", "ms", "min", "epoch_s", "epoch_ms", "rfc3339"} }

// Match holds when there is something at Path, and its text is one of Values.
type Match = jsonpath.Match

func (s Selector) zero() bool { return s.Path.IsZero() && s.Header == "" && s.Cookie == "" && !s.Body }

// String is the selector as it is written in a configuration.
func (s Selector) String() string {
	switch {
	case s.Body:
		return "body"
	case s.Header != "":
		return "header:" + s.Header
	case s.Cookie != "":
		return "cookie:" + s.Cookie
	default:
		return s.Path.String()
	}
}
