package dial

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"
)

// Reasons of an [Error].
const (
	reasonDial     = "dial"
	reasonTLS      = "tls"
	reasonTimeout  = "timeout"
	reasonReset    = "reset"
	reasonProtocol = "protocol"
	reasonCanceled = "canceled"
)

// Error is the error of an exchange that says why it failed.
type Error struct {
	reason string
	err    error
}

// Error implements error with the text of the error that e wraps. That of
// reason protocol may quote the other side.
func (e *Error) Error() string { return e.err.Error() }

// Unwrap returns the error of the transport.
func (e *Error) Unwrap() error { return e.err }

// Reason returns dial, tls, timeout, reset, protocol or canceled.
func (e *Error) Reason() string { return e.reason }

// reasonOf classifies an error of net/http's transport. Some of these have no
// exported type and no value, and are known by their text alone.
func reasonOf(err error) string {
	var op *net.OpError
	var timeout net.Error
	var says interface{ Reason() string }
	switch {
	case errors.As(err, &says): // that of a body, which knows best
		return says.Reason()
	case errors.Is(err, context.Canceled):
		return reasonCanceled
	case isTLS(err):
		return reasonTLS
	case errors.As(err, &op) && (op.Op == "dial" || op.Op == "proxyconnect" || op.Op == "socks connect"):
		return reasonDial
	case errors.As(err, &timeout) && timeout.Timeout(), errors.Is(err, context.DeadlineExceeded):
		return reasonTimeout
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), errors.Is(err, io.EOF),
		errors.Is(err, io.ErrUnexpectedEOF), innermost(err) == "http: server closed idle connection":
		return reasonReset
	default:
		return reasonProtocol
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
		errors.As(err, &authority) || errors.As(err, &hostname) ||
		innermost(err) == "net/http: TLS handshake timeout" || strings.HasPrefix(innermost(err), "tls: ")
}

// innermost returns the text of the error that err wraps in the end. Texts
// around it, or behind its beginning, may quote the other side.
func innermost(err error) string {
	for in := errors.Unwrap(err); in != nil; in = errors.Unwrap(err) {
		err = in
	}
	return err.Error()
}
