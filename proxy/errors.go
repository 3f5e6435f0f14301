package proxy

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"time"

	"authproxy/internal/printable"
	"authproxy/internal/trouble"
)

// tokenError is the error of a request that was not sent because no token was
// available.
type tokenError struct{ err error }

func (e *tokenError) Error() string { return e.err.Error() }
func (e *tokenError) Unwrap() error { return e.err }

// errTooLarge is why a refused request is not sent again.
var errTooLarge = errors.New("more of the body had gone by than is kept: raise retry.body_limit if such requests shall be sent again")

// errMemoryFull likewise, for a body that would have been small enough.
var errMemoryFull = errors.New("the bodies of all requests together had used up replay_memory: raise it if such requests shall be sent again")

// repetitionError is the error of a request whose connection died, and that was not
// sent again by the transport.
type repetitionError struct{ text string }

func (e *repetitionError) Error() string { return e.text }

// Reason implements what [Options.Transport] says of errors.
func (*repetitionError) Reason() string { return string(ReasonReset) }

// errNotRepeated is why a request whose kept connection died gets no answer.
var errNotRepeated = &repetitionError{"the request may have been carried out, and is not sent again because of its size, of retry.enabled, or because it was already"}

// errTooLate is why a refusal went to the client that was seen.
var errTooLate = errors.New("the answer showed only at its end that it refuses the token, when its beginning had gone to the client: " +
	"raise invalid_token.wait if such requests shall be sent again")

// errNoHelp is why a refusal goes to the client though another token was tried.
var errNoHelp = errors.New("a new token was refused as well, so it may be the request that is refused: see what the credentials may do; " +
	"where a path refuses good tokens, give it an upstream of its own with invalid_token: { status: [] }")

// ErrDefect is wrapped by the error of a request that met a defect of ours.
var ErrDefect = errors.New("this is a defect of authproxy, please report it")

// fail answers a request that got no answer from the upstream.
func (h *handler) fail(_ http.ResponseWriter, r *http.Request, err error) {
	c := callOf(r)
	c.record.Err = err
	var noToken *tokenError
	switch {
	case errors.Is(r.Context().Err(), context.Canceled):
		c.abandon(left(r.Context()))
	case c.tape != nil && c.tape.Broken():
		c.abandon(errBrokenBody)
	case errors.As(err, &noToken):
		h.failToken(c, noToken)
	default:
		h.failUpstream(c, err)
	}
}

// errBrokenBody stands for the errors that quote the client.
var errBrokenBody = errors.New("the body of the request broke off, or breaks the rules of HTTP")

var errClientLeft = errors.New("the client left")

// left returns why a context ended that the server ended: the cause that it
// gave, or that the client left.
func left(ctx context.Context) error {
	if why := context.Cause(ctx); !errors.Is(why, context.Canceled) {
		return why
	}
	return errClientLeft
}

// abandon ends a call whose client is not there to read an answer. The error
// of the transport is not recorded: it may quote either side.
func (c *call) abandon(why error) {
	c.record.Err = why
	if c.written.Load() > 0 {
		c.record.UpstreamError = ReasonCanceled
	}
	panic(http.ErrAbortHandler)
}

func (h *handler) failToken(c *call, err *tokenError) {
	if errors.Is(err, ErrTokenTimeout) {
		c.reject(CodeTokenTimeout, fmt.Sprintf("no token for upstream %q: %v", h.opts.Name, err), 0)
		return
	}
	retryAfter := time.Second
	var later interface{ RetryAfter() time.Duration }
	if errors.As(err, &later) {
		retryAfter = max(retryAfter, later.RetryAfter())
	}
	c.reject(CodeTokenUnavailable, fmt.Sprintf("no token for upstream %q: %v", h.opts.Name, err), retryAfter)
}

// failUpstream answers for an upstream that did not.
func (h *handler) failUpstream(c *call, err error) {
	c.record.UpstreamError = reasonOf(err)
	target := h.opts.Target
	path, _, _ := strings.Cut(cmp.Or(c.path.Opaque, (&url.URL{Path: c.path.Path, RawPath: c.path.RawPath}).EscapedPath()), "?")
	f := h.explain(c.record.UpstreamError, err)
	message := fmt.Sprintf("upstream %q: %s %s://%s%s: %s; %s", h.opts.Name, c.record.Method, target.Scheme, target.Host, printable.Text(path, maxShown), f.What, f.Todo)
	code := CodeUpstreamUnreachable
	if c.record.UpstreamError == ReasonTimeout {
		code = CodeUpstreamTimeout
	}
	c.record.Err = nil // one text for the client and for the log; err may quote what the upstream sent, the token among it
	c.reject(code, message, 0)
}

// maxShown is how many bytes of a path a message shows.
const maxShown = 256

// explain says what kept the upstream from answering, and what to do.
func (h *handler) explain(reason Reason, err error) trouble.Finding {
	unrepeated := new(repetitionError)
	switch {
	case errors.As(err, &unrepeated):
		return trouble.Finding{What: "the other side closed the connection without an answer", Todo: unrepeated.text}
	case reason == ReasonTimeout:
		return trouble.Finding{What: "the answer did not begin in time", Todo: "raise response_header_timeout if the platform needs longer for this"}
	}
	if f, ok := trouble.Find(err, trouble.Side{Scheme: h.opts.Target.Scheme, Host: h.opts.Target.Host, URL: "url", Timeout: "connect_timeout"}); ok {
		return f
	}
	return trouble.Finding{What: "the answer breaks the rules of HTTP", Todo: "check url and protocol; its operator may want to know"}
}

// reasonOf returns why an exchange failed, as the error of the transport itself
// says it or else by its type.
func reasonOf(err error) Reason {
	var says interface{ Reason() string }
	if errors.As(err, &says) && slices.Contains(Reasons(), Reason(says.Reason())) {
		return Reason(says.Reason())
	}
	var op *net.OpError
	var timeout net.Error
	switch isOp := errors.As(err, &op); {
	case errors.Is(err, context.Canceled):
		return ReasonCanceled
	case isTLS(err), isOp && (op.Op == "remote error" || op.Op == "local error"): // an alert, as crypto/tls wraps it
		return ReasonTLS
	case isOp && (op.Op == "dial" || op.Op == "proxyconnect" || op.Op == "socks connect"):
		return ReasonDial
	case errors.As(err, &timeout) && timeout.Timeout(), errors.Is(err, context.DeadlineExceeded):
		return ReasonTimeout
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return ReasonReset
	default:
		return ReasonProtocol
	}
}

func isTLS(err error) bool {
	var (
		record      tls.RecordHeaderError
		certificate *tls.CertificateVerificationError
		alert       tls.AlertError
		authority   x509.UnknownAuthorityError
		hostname    x509.HostnameError
	)
	return errors.As(err, &record) || errors.As(err, &certificate) || errors.As(err, &alert) ||
		errors.As(err, &authority) || errors.As(err, &hostname)
}
