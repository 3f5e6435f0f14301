// Package target knows the paths and hosts of requests: how a path is spelled,
// what servers may take it for, which path goes upstream for the one that the
// client sent, and whether access rules let it pass.
package target

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// Options describe where requests go. Base is needed.
type Options struct {
	// Base is the URL of the upstream: scheme, host, and a path that goes before
	// the client's.
	Base *url.URL
	// Strip is the prefix, percent-encoded, that is taken off the client's path;
	// empty for nothing.
	Strip string
	// Access lists what passes; empty for everything.
	Access []Access
	// Passes tells whether the client's header of that folded name goes upstream
	// (see [authproxy/internal/httpsyntax.FoldName]); nil: all do.
	Passes func(folded string) bool
}

// Target is the base URL of an upstream with its access rules, made ready.
type Target struct {
	scheme, host string
	base         string // path before the client's, percent-encoded, without a slash at its end
	strip        string
	rules        rules
	pathHeaders  []string // folded names of those that some servers go by instead of the path
}

// Path is the path of one request as it goes out, in the fields of [url.URL].
type Path struct{ Path, RawPath, Opaque string }

// Why a path does not go out. Each of these texts says what to do.
var (
	// ErrNoPath: the request line holds no path of HTTP.
	ErrNoPath = errors.New("this is no path of HTTP: begin it with a slash, and send a space as %20")
	// ErrMayLeaveBase: some server may take the path out of the base path.
	ErrMayLeaveBase = errors.New("the path could leave the base URL of the upstream: send it without dot segments ('.' and '..', however encoded, also between encoded slashes and before ';'), and without NUL, '#' and backslash")
	// ErrAmbiguous: servers may read the path in different ways, and there are
	// access rules.
	ErrAmbiguous = errors.New("servers may read the path in different ways, so that the access rules cannot judge it: " +
		"send it in UTF-8, without dot segments, empty segments, encoded slashes, backslashes, ';', '?', '#', control characters and double encoding")
)

// HeaderError says that the header or trailer of that name would pass, by which
// some servers go instead of the path or method that the access rules have seen.
type HeaderError struct{ Name string }

// Error implements error; the text says what to do.
func (e *HeaderError) Error() string {
	return "some servers go by " + e.Name + " instead of the path or the method, and the access rules cannot judge it: send the request without it"
}

// NotAllowedError says that no access rule lists the request.
type NotAllowedError struct {
	Method, Path, Host string // Path is decoded
}

// Error implements error.
func (e *NotAllowedError) Error() string {
	return fmt.Sprintf("%s %s for Host %s is not listed", e.Method, e.Path, e.Host)
}

// New returns the target of o. It fails when a rule's path is no pattern.
func New(o Options) (*Target, error) {
	rules, err := newRules(o.Access)
	if err != nil {
		return nil, err
	}
	t := &Target{scheme: o.Base.Scheme, host: o.Base.Host, base: TrimSlash(o.Base.EscapedPath()), strip: o.Strip, rules: rules}
	for _, name := range []string{"X-Original-Url", "X-Rewrite-Url"} { // of IIS, Symfony, Zend
		if o.Passes == nil || o.Passes(name) {
			t.pathHeaders = append(t.pathHeaders, name)
		}
	}
	return t, nil
}

// Path takes the client's path apart, which is that of [SentPath], and returns
// what goes out for it: the base path and behind it the client's byte for byte,
// less the prefix to strip. Its error is [ErrNoPath], [ErrMayLeaveBase],
// [ErrAmbiguous], a [*HeaderError] or a [*NotAllowedError].
func (t *Target) Path(r *http.Request, sent string) (Path, error) {
	switch {
	case !isPath(r, sent):
		return Path{}, ErrNoPath
	case t.base != "" && MayLeave(sent):
		return Path{}, ErrMayLeaveBase
	}
	out := t.outgoing(sent)
	if len(t.rules) == 0 {
		return out, nil
	}
	return out, t.judge(r, out.escaped())
}

// outgoing returns what goes out for the client's path.
func (t *Target) outgoing(sent string) Path {
	if sent == "*" { // OPTIONS *, RFC 9112 section 3.2.4
		return Path{Path: sent}
	}
	if t.strip != "" {
		sent = cut(sent, t.strip)
	}
	if t.base != "" {
		sent = t.base + sent
	}
	return spell(sent)
}

// Aim points out at the target, with path, which [Target.Path] has returned.
// The query stays.
func (t *Target) Aim(out *url.URL, path Path) {
	out.Scheme, out.Host, out.User = t.scheme, t.host, nil
	out.Path, out.RawPath, out.Opaque = path.Path, path.RawPath, path.Opaque
}

// isPath tells whether r, whose path is given, asks for a path. "*", which is
// for OPTIONS alone (RFC 9112 section 3.2.4), is none, nor is an address
// without a path such as a:b, nor one with a space, which HTTP/2 can carry and
// which would end the path in a request line of HTTP/1.
func isPath(r *http.Request, path string) bool {
	return strings.IndexByte(r.RequestURI, ' ') < 0 && r.URL.Opaque == "" && (path != "*" || r.Method == http.MethodOptions)
}
