package endpoint

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strconv"
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
	c := &call{endpoint: e, request: r, values: values{}, sent: time.Now().Round(0)}
	maps.Copy(c.values, e.params)
	if e.credentials != nil {
		given, err := e.credentials()
		if err != nil {
			return nil, c.unreadable(err)
		}
		for _, name := range credentialNames() {
			c.values[name] = given[name]
			c.secrets.add(given[name])
		}
		c.secrets.addPair(given["client_id"], given["client_secret"])
	}
	c.values["token"], c.values["refresh_token"] = last.Value, last.Refresh
	c.secrets.add(last.Value)
	c.secrets.add(last.Refresh)
	c.values["now_s"] = strconv.FormatInt(c.sent.Unix(), 10)
	c.values["now_ms"] = strconv.FormatInt(c.sent.UnixMilli(), 10)
	c.values["uuid"] = uuid()
	if e.usesDevice {
		c.values["device_id"] = e.deviceID(last)
	}
	return c, nil
}

// deviceID is the one of the last token, or else one for the life of e.
func (e *Endpoint) deviceID(last tokencache.Token) string {
	if last.DeviceID != "" {
		return last.DeviceID
	}
	return e.newDevice()
}

// exchange sends the request and reads the answer, whatever its status.
func (c *call) exchange(ctx context.Context) (*answer, error) {
	start := time.Now()
	a, err := c.roundTrip(ctx)
	if observe := c.endpoint.observe; observe != nil {
		x := c.record(a, err)
		x.Duration = time.Since(start)
		observe(x)
	}
	return a, err
}

// roundTrip goes to the RoundTripper itself, which follows no redirect.
func (c *call) roundTrip(ctx context.Context) (*answer, error) {
	req, err := c.request.build(ctx, c.values)
	if err != nil {
		return nil, c.unsendable(err)
	}
	resp, err := c.endpoint.transport.RoundTrip(req)
	if err != nil {
		return nil, c.broken(ctx, err)
	}
	a := &answer{status: resp.StatusCode, header: resp.Header}
	body, err := readBody(ctx, resp)
	if err != nil && a.success() {
		return nil, c.broken(ctx, err)
	}
	a.read(body)
	c.secrets.add(a.texts(c.endpoint.response.Token, c.endpoint.response.RefreshToken)...)
	return a, nil
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

// uuid is a random UUID (RFC 9562 section 5.4).
func uuid() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails, by its documentation
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
