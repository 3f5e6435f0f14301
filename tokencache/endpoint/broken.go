package endpoint

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"syscall"

	"authproxy/internal/trouble"
	"authproxy/tokencache"
)

// unreadable is the error of a call whose credentials cannot be read.
func (c *call) unreadable(err error) error {
	what := fmt.Sprintf("was not sent, because the credentials cannot be read (%v)", err)
	return unsent(c.fail(tokencache.ReasonCredentials, nil, what, "check the files or variables that hold them", err))
}

// unsendable is the error of a call whose values make no request.
func (c *call) unsendable(err error) error {
	return unsent(c.fail(tokencache.ReasonCredentials, nil, "was not sent: "+err.Error(), "check "+c.credentials(), err))
}

// unsent returns e, of a request that did not reach the platform.
func unsent(e *tokencache.FetchError) *tokencache.FetchError {
	e.Unsent = true
	return e
}

// broken is the error of a call that got no answer, or not all of it.
func (c *call) broken(ctx context.Context, err error) error {
	var network net.Error
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return c.timeout(ctx.Err())
	case ctx.Err() != nil:
		return c.fail(tokencache.ReasonNetwork, nil, "was cancelled", "ask again", ctx.Err())
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &network) && network.Timeout():
		return c.timeout(nil)
	}
	side := trouble.Side{URL: "the URL", Timeout: "timeout"}
	if u, err := url.Parse(c.request.shown); err == nil {
		side.Scheme, side.Host = u.Scheme, u.Host
	}
	f, ok := trouble.Find(err, side)
	cause := shareable(err)
	if !ok {
		f, cause = trouble.Finding{What: "the connection failed, or the answer is not HTTP", Todo: "check host and port in the URL, and the proxy"}, nil
	}
	if c.secrets.in(f.What) {
		f.What, cause = "the connection failed", nil
	}
	return c.fail(tokencache.ReasonNetwork, nil, "got no answer: "+f.What, f.Todo, cause)
}

func (c *call) timeout(cause error) error {
	return c.fail(tokencache.ReasonTimeout, nil, "was not answered in time",
		"check that the host can be reached from here, or raise the timeout", cause)
}

// shareable returns the part of a transport's error that may be handed on. Others may
// quote the URL, or what the other side sent.
func shareable(err error) error {
	var (
		name *net.DNSError
		cert *tls.CertificateVerificationError
		op   *net.OpError
		code syscall.Errno
	)
	switch {
	case errors.As(err, &name):
		return name
	case errors.As(err, &cert):
		return cert
	case errors.As(err, &op):
		return op
	case errors.As(err, &code):
		return code
	}
	return nil
}
