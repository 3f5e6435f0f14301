package http1

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// answers are what upstreams send.
var answers = []string{
	"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi",
	"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi",
	"HTTP/1.1 200 OK\r\n\r\nuntil the end",
	"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi",
	"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nhi",
	"HTTP/1.1 204 No Content\r\nX: 1\r\n\r\n",
	"HTTP/1.1 304 Not Modified\r\nContent-Length: 10\r\n\r\n",
	"HTTP/1.1 205 Reset\r\nContent-Length: 0\r\n\r\n",
	"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
	"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-End\r\n\r\n2;a=b\r\nhi\r\n0\r\nX-End: 1\r\nX-More: 2\r\n\r\n",
	"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n",
	"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n",
	"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhi\r\n0\r\n\r\n",
	"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhiX\r\n0\r\n\r\n",
	"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-2\r\nhi\r\n0\r\n\r\n",
	"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nhi",
	"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
	"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
	"HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\nContent-Length: 2\r\n\r\nhi",
	"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
	"HTTP/1.1 200 OK\r\nTransfer-Encoding : chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
	"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nhi",
	"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nhi!",
	"HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\nhi",
	"HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nhi",
	"HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nhi",
	"HTTP/1.1 200 OK\r\nContent-Length: 0x2\r\n\r\nhi",
	"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nhi",
	"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi and more",
	"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhiHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison",
	"HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 2\r\n\r\nhi",
	"HTTP/1.1 200 OK\r\n X: a\r\nContent-Length: 2\r\n\r\nhi",
	"HTTP/1.1 200 OK\nX: a\nContent-Length: 2\n\nhi",
	"HTTP/1.1 200 OK\r\nX: a\rb\r\nContent-Length: 2\r\n\r\nhi",
	"HTTP/1.1 200 OK\r\nX: a\x00b\r\nContent-Length: 2\r\n\r\nhi",
	"HTTP/1.1 200 OK\r\nX y: a\r\nContent-Length: 2\r\n\r\nhi",
	"HTTP/1.1 200 OK\r\n: a\r\nContent-Length: 2\r\n\r\nhi",
	"HTTP/1.1 200 OK\r\nno colon\r\nContent-Length: 2\r\n\r\nhi",
	"HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nhi",
	"HTTP/1.1 2000 OK\r\nContent-Length: 2\r\n\r\nhi",
	"HTTP/1.1 099 OK\r\nContent-Length: 2\r\n\r\nhi",
	"HTTP/1.1 999 ?\r\nContent-Length: 2\r\n\r\nhi",
	"HTTP/2.0 200 OK\r\nContent-Length: 2\r\n\r\nhi",
	"HTTP/1.7 200 OK\r\nContent-Length: 2\r\n\r\nhi",
	"http/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi",
	"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi",
	"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi",
	"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
	"HTTP/1.1 103 Early Hints\r\n\r\n",
	"HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 2<<20) + "\r\nContent-Length: 2\r\n\r\nhi",
	strings.Repeat("HTTP/1.1 103 Early Hints\r\nX: "+strings.Repeat("x", 1000)+"\r\n\r\n", 1100),
	"<html>no HTTP</html>", "\x15\x03\x01\x00\x02\x02", "", "H", "HTTP/1.1", "\r\n\r\n", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Le",
	"HTTP/1.1 200 OK\r\nTrailer: Content-Length\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
	"HTTP/1.1 200 OK\r\nset-cookie: a\r\nSET-COOKIE: b\r\nContent-Length: 0\r\n\r\n",
}

// wanted tells why the two may judge an answer in different ways; "" for no reason.
func wanted(ours, theirs outcome) string {
	switch {
	case ours.err && !theirs.err && theirs.status < 100:
		return "there is no such status (RFC 9110 section 15)"
	case ours.err && theirs.status == http.StatusSwitchingProtocols:
		return "who has not asked for an upgrade gets none"
	default:
		return ""
	}
}

// outcome is all that can be seen of an answer.
type outcome struct {
	err, readErr bool
	status       int
	header, body string
	trailer      string
	length       int64
	proto        string
	close        bool
	conns        int // for a second request
}

// upstream answers a request with raw, and one that follows at once with an answer
// of its own; then it hangs up.
type upstream struct {
	net.Listener
	raw   []byte
	conns chan int
}

func newUpstream(t testing.TB, raw []byte) *upstream {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	u := &upstream{Listener: l, raw: raw, conns: make(chan int, 1)}
	u.conns <- 0
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			u.conns <- <-u.conns + 1
			go u.serve(c)
		}
	}()
	return u
}

func (u *upstream) serve(c net.Conn) {
	defer c.Close()
	r := bufio.NewReader(c)
	for n := 0; ; n++ {
		if n > 0 {
			_ = c.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
		}
		req, err := http.ReadRequest(r)
		if err != nil {
			return
		}
		_, _ = io.Copy(io.Discard, req.Body)
		if req.URL.Path == "/second" {
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
			continue
		}
		_, _ = c.Write(u.raw)
	}
}

// outcomeOf is what a client sees of the answer by way of rt.
func (u *upstream) outcomeOf(t testing.TB, rt http.RoundTripper, method, body string) (o outcome) {
	var reader io.Reader
	if body != "" {
		reader = strings.NewReader(body)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, "http://"+u.Addr().String()+"/first", reader)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := rt.RoundTrip(req)
	if o.err = err != nil; o.err {
		return o
	}
	text, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	o = outcome{
		readErr: err != nil, status: resp.StatusCode, header: fmt.Sprint(resp.Header), body: string(text), trailer: fmt.Sprint(resp.Trailer),
		length: resp.ContentLength, proto: resp.Proto, close: resp.Close,
	}
	req, _ = http.NewRequestWithContext(ctx, "GET", "http://"+u.Addr().String()+"/second", nil)
	if resp, err := rt.RoundTrip(req); err == nil {
		_ = resp.Body.Close()
	}
	n := <-u.conns
	u.conns <- n
	o.conns = n
	return o
}

func ours(address string) *Transport {
	return New(Options{
		Dial:      func(ctx context.Context) (net.Conn, error) { return new(net.Dialer).DialContext(ctx, "tcp", address) },
		MaxHeader: 1 << 20, Idle: 10, IdleTime: time.Minute, Header: 2 * time.Second,
	})
}

func theirs() *http.Transport {
	return &http.Transport{DisableCompression: true, MaxResponseHeaderBytes: 1 << 20, ResponseHeaderTimeout: 2 * time.Second}
}

// judge compares what the two transports make of an answer.
func judge(t *testing.T, raw []byte, method, body string) {
	t.Helper()
	var both [2]outcome
	for i, make := range []func(u *upstream) http.RoundTripper{
		func(u *upstream) http.RoundTripper { return ours(u.Addr().String()) },
		func(*upstream) http.RoundTripper { return theirs() },
	} {
		u := newUpstream(t, raw)
		rt := make(u)
		both[i] = u.outcomeOf(t, rt, method, body)
		rt.(interface{ CloseIdleConnections() }).CloseIdleConnections()
		_ = u.Close()
	}
	if method == "HEAD" {
		both[0].conns, both[1].conns = 0, 0 // a body that comes all the same is seen by chance
	}
	if both[0].conns > both[1].conns && both[1].conns > 0 {
		both[0].conns = both[1].conns // what comes behind an answer is seen by chance there; see TestKept
	}
	if both[0] != both[1] && wanted(both[0], both[1]) == "" {
		t.Errorf("%s %.200q:\nours   %+v\ntheirs %+v", method, raw, both[0], both[1])
	}
}

// TestAnswersLikeNetHTTP: whatever comes, ours says of it what net/http's says.
func TestAnswersLikeNetHTTP(t *testing.T) {
	for _, raw := range answers {
		for _, method := range []string{"GET", "HEAD", "POST"} {
			body := ""
			if method == "POST" {
				body = "x=1"
			}
			judge(t, []byte(raw), method, body)
		}
		judge(t, []byte(raw), "POST", strings.Repeat("long ", 16<<10))
	}
}

// TestKept: a connection is used again behind each answer whose end is known.
func TestKept(t *testing.T) {
	for _, raw := range []string{
		answers[0], answers[4], answers[5], answers[8], answers[9],
		"HTTP/1.1 304 Not Modified\r\nContent-Length: 10\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
		"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi",
	} {
		for _, body := range []string{"", "x=1", strings.Repeat("long ", 16<<10)} {
			method := "POST"
			if body == "" {
				method = "GET"
			}
			u := newUpstream(t, []byte(raw))
			if got := u.outcomeOf(t, ours(u.Addr().String()), method, body); got.conns != 1 {
				t.Errorf("%s %q: %d connections", method, raw, got.conns)
			}
			_ = u.Close()
		}
	}
}

func FuzzAnswersLikeNetHTTP(f *testing.F) {
	for _, raw := range answers {
		if len(raw) < 1000 {
			f.Add([]byte(raw), false)
		}
	}
	f.Fuzz(func(t *testing.T, raw []byte, post bool) {
		if post {
			judge(t, raw, "POST", "x=1")
			return
		}
		judge(t, raw, "GET", "")
	})
}
