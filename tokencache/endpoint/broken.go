package endpoint

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"

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
	text, todo, cause := explain(err)
	if c.secrets.in(text) {
		text, cause = "the connection failed", nil
	}
	return c.fail(tokencache.ReasonNetwork, nil, "got no answer ("+text+")", todo, cause)
}

func (c *call) timeout(cause error) error {
	return c.fail(tokencache.ReasonTimeout, nil, "was not answered in time",
		"check that the host can be reached from here, or raise the timeout", cause)
}

// explain says what is known of a transport's error. Only errors of the network
// and of TLS speak for themselves, and may be handed on; others may quote the
// URL, or what the other side sent.
func explain(err error) (text, todo string, cause error) {
	var (
		name *net.DNSError
		op   *net.OpError
		cert *tls.CertificateVerificationError
		rec  tls.RecordHeaderError
		code syscall.Errno
	)
	switch {
	case errors.As(err, &name):
		return plain(name.Error()), "check the host in the URL, and the name server", name
	case errors.As(err, &cert):
		return plain(cert.Err.Error()), "check the host in the URL, or give the platform's CA in tls.ca_file", cert
	case errors.As(err, &rec):
		return "the other side does not speak TLS", "check the port and http or https in the URL", nil
	case errors.As(err, &op):
		return plain(op.Error()), "check the host and port in the URL, the proxy and the firewall", op
	case errors.As(err, &code):
		return code.Error(), "check the host and port in the URL, the proxy and the firewall", code
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "the connection was closed", "check the host and port in the URL", nil
	}
	return "the connection failed, or the answer is not HTTP", "check the host and port in the URL, and the proxy", nil
}

// plain is text in printable ASCII, of at most 300 bytes.
func plain(text string) string {
	text = strings.Map(func(r rune) rune {
		if r < 0x20 || r > 0x7e {
			return '?'
		}
		return r
	}, text)
	return text[:min(len(text), 300)]
}
