package dial

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"syscall"
	"testing"
	"time"

	"authproxy/proxy"
	"authproxy/proxy/rawtest"
)

func TestReasons(t *testing.T) {
	timeout := &net.OpError{Op: "read", Err: os.ErrDeadlineExceeded}
	for _, c := range []struct {
		want string
		err  error
	}{
		{reasonCanceled, context.Canceled},
		{reasonCanceled, fmt.Errorf("x: %w", context.Canceled)},
		{reasonCanceled, &net.OpError{Op: "dial", Err: context.Canceled}},
		{reasonDial, &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}},
		{reasonDial, &net.OpError{Op: "dial", Err: os.ErrDeadlineExceeded}},
		{reasonDial, &net.OpError{Op: "proxyconnect", Err: errors.New("x")}},
		{reasonDial, &net.OpError{Op: "socks connect", Err: errors.New("x")}},
		{reasonTLS, tls.RecordHeaderError{Msg: "x"}},
		{reasonTLS, &tls.CertificateVerificationError{Err: errors.New("x")}},
		{reasonTLS, tls.AlertError(40)},
		{reasonTLS, x509.UnknownAuthorityError{}},
		{reasonTLS, fmt.Errorf("x: %w", x509.HostnameError{Certificate: &x509.Certificate{}, Host: "h"})},
		{reasonTLS, &net.OpError{Op: "remote error", Err: errors.New("tls: handshake failure")}},
		{reasonTLS, errors.New("tls: server selected unsupported protocol version 301")},
		{reasonTLS, errors.New("net/http: TLS handshake timeout")},
		{reasonTimeout, timeout},
		{reasonTimeout, fmt.Errorf("x: %w", context.DeadlineExceeded)},
		{reasonReset, &net.OpError{Op: "read", Err: syscall.ECONNRESET}},
		{reasonReset, &net.OpError{Op: "write", Err: syscall.EPIPE}},
		{reasonReset, fmt.Errorf("x: %w", io.EOF)},
		{reasonReset, io.ErrUnexpectedEOF},
		{reasonReset, errors.New("http: server closed idle connection")},
		{reasonProtocol, errors.New("x tls: y")},
		{reasonProtocol, errors.New("x http: server closed idle connection y")},
		{reasonProtocol, fmt.Errorf("tls: %w", errors.New("x"))},
	} {
		if got := reasonOf(c.err); got != c.want {
			t.Errorf("%v: %s, want %s", c.err, got, c.want)
		}
	}
}

// TestReasonsAreThoseOfTheProxy: it would not understand others.
func TestReasonsAreThoseOfTheProxy(t *testing.T) {
	for _, reason := range []string{reasonDial, reasonTLS, reasonTimeout, reasonReset, reasonProtocol, reasonCanceled} {
		if !slices.Contains(proxy.Reasons(), proxy.Reason(reason)) {
			t.Errorf("%s is none", reason)
		}
	}
}

// TestErrorsOfTheTransport: what net/http says of the other side, and says in
// its own words of what that sent.
func TestErrorsOfTheTransport(t *testing.T) {
	for name, c := range map[string]struct{ scheme, answer, want string }{
		"closes at once":                   {"http", "", reasonReset},
		"speaks no HTTP":                   {"http", "SMTP 220 hello\r\n\r\n", reasonProtocol},
		"quotes what looks like TLS":       {"http", "HTTP/1.1 200 OK\r\n tls: secret\r\n\r\n", reasonProtocol},
		"quotes what looks like a reset":   {"http", "HTTP/1.1 200 OK\r\n server closed idle connection\r\n\r\n", reasonProtocol},
		"its first line looks like an EOF": {"http", "EOF\r\n\r\n", reasonProtocol},
		"speaks no TLS":                    {"https", "HTTP/1.1 400 Bad Request\r\n\r\n", reasonTLS},
	} {
		address := rawtest.Listen(t, func(conn net.Conn, in *bufio.Reader) {
			_, _ = in.ReadByte()
			_, _ = io.WriteString(conn, c.answer)
		})
		for _, std := range []bool{true, false} {
			pool := mustMake(t, Options{Scheme: c.scheme, Host: address, Connect: 5 * time.Second, Std: std})
			req, _ := http.NewRequestWithContext(t.Context(), "GET", c.scheme+"://"+address, nil)
			_, err := pool.RoundTrip(req)
			var says *Error
			if !errors.As(err, &says) || says.Reason() != c.want || errors.Unwrap(says) == nil || says.Error() != errors.Unwrap(says).Error() {
				t.Errorf("%s, std %v: %v, want %s", name, std, err, c.want)
			}
		}
	}
}

// TestHandshakeThatTakesTooLong is of TLS, and no upstream that answers late.
func TestHandshakeThatTakesTooLong(t *testing.T) {
	address := rawtest.Listen(t, func(_ net.Conn, in *bufio.Reader) { _, _ = io.Copy(io.Discard, in) })
	for _, std := range []bool{true, false} {
		pool := mustMake(t, Options{Scheme: "https", Host: address, Connect: 10 * time.Millisecond, Std: std})
		req, _ := http.NewRequestWithContext(t.Context(), "GET", "https://"+address, nil)
		_, err := pool.RoundTrip(req)
		var says *Error
		if !errors.As(err, &says) || says.Reason() != reasonTLS {
			t.Errorf("std %v: %v", std, err)
		}
	}
}

func TestCanceledIsStillCanceled(t *testing.T) {
	address := rawtest.Listen(t, func(_ net.Conn, in *bufio.Reader) { _, _ = io.Copy(io.Discard, in) })
	for _, std := range []bool{true, false} {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(20*time.Millisecond, cancel)
		req, _ := http.NewRequestWithContext(ctx, "GET", "http://"+address, nil)
		_, err := mustMake(t, Options{Scheme: "http", Host: address, Std: std}).RoundTrip(req)
		var says *Error
		if !errors.Is(err, context.Canceled) || !errors.As(err, &says) || says.Reason() != reasonCanceled {
			t.Errorf("std %v: %v", std, err)
		}
	}
}
