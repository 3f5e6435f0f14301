package platformtest_test

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"authproxy/proxy/platformtest"
	"authproxy/proxy/rawtest"
)

// call is one request, written to the wire exactly as it stands.
type call struct {
	method, target string
	headers        []string
	body           string
}

func (c call) with(headers ...string) call {
	c.headers = append(append([]string{}, c.headers...), headers...)
	return c
}

func (c call) wire() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: platform.test\r\n", c.method, c.target)
	for _, h := range c.headers {
		b.WriteString(h + "\r\n")
	}
	if c.body != "" {
		fmt.Fprintf(&b, "Content-Length: %d\r\n", len(c.body))
	}
	return b.String() + "\r\n" + c.body
}

type reply struct {
	status int
	header http.Header
	body   string
}

func (r reply) field(t *testing.T, name string) string {
	t.Helper()
	var fields map[string]any
	if err := json.Unmarshal([]byte(r.body), &fields); err != nil {
		t.Fatalf("%d %s: %v", r.status, r.body, err)
	}
	return fmt.Sprint(fields[name])
}

type site struct {
	*platformtest.Platform
	addr string
}

func start(t *testing.T, p *platformtest.Platform) site {
	t.Helper()
	server := httptest.NewServer(p)
	t.Cleanup(server.Close)
	return site{p, server.Listener.Addr().String()}
}

func (s site) dial(t *testing.T) net.Conn {
	t.Helper()
	return rawtest.Dial(t, s.addr, "")
}

func (s site) do(t *testing.T, c call) reply {
	t.Helper()
	conn := rawtest.Dial(t, s.addr, c.wire())
	defer conn.Close()
	return receive(t, bufio.NewReader(conn), c.method)
}

func receive(t *testing.T, from *bufio.Reader, method string) reply {
	t.Helper()
	res, err := http.ReadResponse(from, &http.Request{Method: method})
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return reply{res.StatusCode, res.Header, string(body)}
}

func (s site) token(t *testing.T, c call) string {
	t.Helper()
	r := s.do(t, c)
	if r.status != 200 {
		t.Fatalf("no token: %d %s", r.status, r.body)
	}
	return r.field(t, "access_token")
}

func echo(t *testing.T, r reply) platformtest.Echo {
	t.Helper()
	e, err := platformtest.DecodeEcho([]byte(r.body))
	if err != nil || r.status != 200 {
		t.Fatalf("not accepted: %d %s: %v", r.status, r.body, err)
	}
	return e
}

// row is a request and what must come of it.
type row struct {
	name   string
	call   call
	status int
	want   string // in the body
}

func (s site) table(t *testing.T, rows []row) {
	t.Helper()
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			r := s.do(t, row.call)
			if r.status != row.status || !strings.Contains(r.body, row.want) {
				t.Errorf("got %d %s, want %d with %q", r.status, r.body, row.status, row.want)
			}
		})
	}
}

func basic(pair string) string {
	return "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(pair))
}

const (
	jsonType = "Content-Type: application/json"
	formType = "Content-Type: application/x-www-form-urlencoded"
)
