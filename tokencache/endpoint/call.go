package endpoint

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"time"

	"authproxy/tokencache"
)

// maxAnswer bounds what is read of an answer, in bytes.
const maxAnswer = 1 << 20

// call is one request to the platform, and what must not be told about it.
type call struct {
	endpoint *Endpoint
	request  *request
	values   values
	secrets  secrets
	sent     time.Time
}

// call reads the credentials and prepares the request r. The sent time has no
// monotonic part: lifetimes go on while a machine sleeps.
func (e *Endpoint) call(r *request, last tokencache.Token) (*call, error) {
	c := &call{endpoint: e, request: r, sent: time.Now().Round(0)}
	var given map[string]string
	if e.credentials != nil {
		var err error
		if given, err = e.credentials(); err != nil {
			return nil, c.unreadable(err)
		}
	}
	c.values = e.values(given, last, c.sent)
	for _, secret := range given {
		c.secrets.add(secret)
	}
	c.secrets.addPair(given[clientID], given[clientSecret])
	c.secrets.add(last.Value, last.Refresh)
	for _, d := range e.derived {
		if d.secret {
			c.secrets.add(c.values[d.Name])
		}
	}
	if e.jwt != nil && r.uses[jwtName] {
		signed, err := e.jwt.make(c.values, c.sent)
		if err != nil {
			return nil, c.unreadable(err)
		}
		c.values[jwtName] = signed
		c.secrets.add(signed)
	}
	return c, nil
}

var errUnfinished = errors.New("the request came to no end; this is a defect of its transport")

// send sends the request and reads the answer, whatever its status, and tells
// the observers.
func (c *call) send(ctx context.Context) (a *answer, err error) {
	start, ended := time.Now(), make(chan Record, 1)
	c.endpoint.observers.Tell(c.start(start), func() Record { return <-ended })
	err = errUnfinished // of a transport that panics
	defer func() { ended <- c.record(a, err, time.Since(start)) }()
	a, err = c.roundTrip(ctx)
	c.show(a, err)
	return a, err
}

// roundTrip goes to the RoundTripper itself, which follows no redirect.
func (c *call) roundTrip(ctx context.Context) (*answer, error) {
	req, err := c.request.build(ctx, c.values)
	if err != nil {
		return nil, c.unsendable(err)
	}
	resp, err := c.exchange(req)
	if err != nil {
		return nil, c.broken(ctx, err)
	}
	a := &answer{status: resp.StatusCode, header: resp.Header, grants: c.request.grants}
	if a.grants {
		a.statuses = c.endpoint.response.Status
	}
	body, err := readBody(ctx, resp)
	if err != nil && a.success() {
		return nil, c.broken(ctx, err)
	}
	a.read(body)
	c.secrets.add(a.tokens(c.endpoint.response.Token, c.endpoint.response.RefreshToken)...)
	return a, nil
}

// exchange sends req, and once more on a new connection when it was sent on a kept
// one and that failed: the other side may have closed it, or have gone, before.
func (c *call) exchange(req *http.Request) (*http.Response, error) {
	kept := false
	trace := &httptrace.ClientTrace{GotConn: func(got httptrace.GotConnInfo) { kept = got.Reused }}
	ctx := req.Context()
	resp, err := c.endpoint.transport.RoundTrip(req.WithContext(httptrace.WithClientTrace(ctx, trace)))
	if err == nil || !kept || ctx.Err() != nil {
		return resp, err
	}
	again, buildErr := c.request.build(ctx, c.values)
	if buildErr != nil {
		return nil, err
	}
	if pool, ok := c.endpoint.transport.(interface{ CloseIdleConnections() }); ok {
		pool.CloseIdleConnections()
	}
	return c.endpoint.transport.RoundTrip(again)
}

// readBody reads up to one byte more than maxAnswer and closes the body; one
// that ends before that has been read to its end, so that its connection is used
// again. The end of ctx ends the reading.
func readBody(ctx context.Context, resp *http.Response) ([]byte, error) {
	if resp.Body == nil {
		return nil, nil
	}
	defer resp.Body.Close()
	if resp.StatusCode < 200 {
		return nil, nil
	}
	stop := context.AfterFunc(ctx, func() { resp.Body.Close() })
	defer stop()
	return io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
}
