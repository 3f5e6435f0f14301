package proxy

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
)

// says is an error of a transport that knows why it failed.
type says string

func (s says) Error() string  { return "x" }
func (s says) Reason() string { return string(s) }

// TestReasonOf: what the transport says counts, where it is one of our words;
// of other errors the type, and never the text, which may be the other side's.
func TestReasonOf(t *testing.T) {
	for _, c := range []struct {
		err  error
		want Reason
	}{
		{says("tls"), ReasonTLS},
		{fmt.Errorf("%w, %w", says("reset"), context.Canceled), ReasonReset},
		{says("weather"), ReasonProtocol},
		{fmt.Errorf("%w, %w", says(""), io.EOF), ReasonReset},
		{&net.OpError{Op: "dial", Err: context.Canceled}, ReasonCanceled},
		{&net.OpError{Op: "dial", Err: os.ErrDeadlineExceeded}, ReasonDial},
		{&net.OpError{Op: "proxyconnect", Err: errors.New("x")}, ReasonDial},
		{&net.OpError{Op: "socks connect", Err: errors.New("x")}, ReasonDial},
		{&net.OpError{Op: "remote error", Err: errors.New("tls: handshake failure")}, ReasonTLS},
		{tls.RecordHeaderError{}, ReasonTLS},
		{&tls.CertificateVerificationError{Err: errors.New("x")}, ReasonTLS},
		{fmt.Errorf("x: %w", x509.UnknownAuthorityError{}), ReasonTLS},
		{&net.OpError{Op: "read", Err: os.ErrDeadlineExceeded}, ReasonTimeout},
		{context.DeadlineExceeded, ReasonTimeout},
		{&net.OpError{Op: "read", Err: syscall.ECONNRESET}, ReasonReset},
		{syscall.EPIPE, ReasonReset},
		{io.ErrUnexpectedEOF, ReasonReset},
		{errors.New("tls: x"), ReasonProtocol},
		{errors.New("http: server closed idle connection"), ReasonProtocol},
	} {
		if got := reasonOf(c.err); got != c.want {
			t.Errorf("%v: %s, want %s", c.err, got, c.want)
		}
	}
}
