package admin

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"authproxy/internal/httpsyntax"
	"authproxy/internal/trouble"
)

// healthcheckTimeout holds when the caller's context has no deadline.
const healthcheckTimeout = 3 * time.Second

// ErrNoURL says that [Healthcheck] got something else than a URL.
var ErrNoURL = errors.New("write the whole URL, such as http://127.0.0.1:9090/readyz, or unix:/run/authproxy/admin.sock")

// Healthcheck asks the /readyz of a running program, by its whole URL, or by unix: and
// the path of the admin listener's socket. It
// returns nil on 200 alone; any other error says what came instead, and is
// [ErrNoURL] when there was nothing to ask. It gives up at the deadline of ctx,
// or after three seconds without one, follows no redirect, and uses no proxy
// from the environment.
func Healthcheck(ctx context.Context, address string) error {
	transport, asked := &http.Transport{DisableKeepAlives: true}, address
	if path, ok := httpsyntax.UnixPath(address); ok {
		transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", path)
		}
		address = "http://localhost/readyz"
	}
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return ErrNoURL // address stays out of it: it may hold a password
	}
	if _, limited := ctx.Deadline(); !limited {
		limit, cancel := context.WithTimeout(ctx, healthcheckTimeout)
		defer cancel()
		ctx = limit
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return fmt.Errorf("healthcheck: %w", err)
	}
	client := &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	resp, err := client.Do(req)
	if err != nil {
		if f, ok := trouble.Find(err, trouble.Side{Scheme: u.Scheme, Host: u.Host, URL: "admin.listen", Timeout: "time"}); ok && !errors.Is(err, context.DeadlineExceeded) {
			return fmt.Errorf("healthcheck: %s: %s; is authproxy running, and is this its admin.listen?", place(asked, u), f.What)
		}
		return fmt.Errorf("healthcheck: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("healthcheck: %s answered %s: %q", req.URL.Redacted(), resp.Status, firstLine(resp.Body))
	}
	return nil
}

// place is what was asked, without a password.
func place(asked string, u *url.URL) string {
	if httpsyntax.IsUnix(asked) {
		return asked
	}
	return u.Redacted()
}

// firstLine returns at most 256 bytes; what comes is for a person to read, and
// no reason to fail.
func firstLine(body io.Reader) string {
	line, _ := bufio.NewReader(io.LimitReader(body, 256)).ReadString('\n')
	return strings.TrimSpace(line)
}
