package proxy

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/textproto"
	"strings"
	"testing"
	"time"

	"authproxy/proxy/rawtest"
)

// rawUpstream answers each connection by a script: it gets the connection and
// the request that was read from it.
func rawUpstream(t *testing.T, script func(c net.Conn, r *http.Request)) (address string) {
	t.Helper()
	return rawtest.Listen(t, func(c net.Conn, in *bufio.Reader) {
		if r, err := http.ReadRequest(in); err == nil {
			script(c, r)
		}
	})
}

// dial opens a connection to f and sends text on it.
func (f *front) dial(t *testing.T, text string) net.Conn {
	t.Helper()
	return rawtest.Dial(t, f.Listener.Addr().String(), text)
}

func to(address string) func(*Options) {
	return func(o *Options) { o.Target.Host = address; o.Upgrades = []string{"websocket"} }
}

const handshake = "GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"

func TestUpgradeWithARetryAndBytesInTheSamePacket(t *testing.T) {
	address := rawUpstream(t, func(c net.Conn, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer t2" {
			_, _ = io.WriteString(c, "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n")
			return
		}
		_, _ = io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade, X-Hop\r\nUpgrade: websocket\r\nX-Hop: 1\r\nKeep-Alive: 5\r\nX-Kept: 1\r\n\r\n")
		_, _ = io.Copy(c, c)
	})
	f := newFront(t, http.NotFoundHandler(), to(address))
	c := f.dial(t, handshake+"first frame")
	in := bufio.NewReader(c)
	resp, err := http.ReadResponse(in, nil)
	if err != nil || resp.StatusCode != 101 || resp.Header.Get("X-Hop")+resp.Header.Get("Keep-Alive") != "" || resp.Header.Get("X-Kept") != "1" {
		t.Fatalf("%v %+v", err, resp)
	}
	_, _ = io.WriteString(c, ", second")
	got := make([]byte, len("first frame, second"))
	if _, err := io.ReadFull(in, got); err != nil || string(got) != "first frame, second" {
		t.Errorf("echoed %q, %v", got, err)
	}
	c.Close()
	if rec := <-f.records.arrived; rec.Status != 101 || rec.Outcome != OutcomeRecovered {
		t.Errorf("recorded %+v", rec)
	}
}

func TestSwitchThatNobodyAskedFor(t *testing.T) {
	for name, c := range map[string]struct{ request, answer string }{
		"unasked":          {"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "Connection: Upgrade\r\nUpgrade: websocket"},
		"another protocol": {handshake, "Connection: Upgrade\r\nUpgrade: h2c"},
		"unnamed":          {handshake, "Connection: Upgrade"},
	} {
		t.Run(name, func(t *testing.T) {
			closed := make(chan struct{})
			f := newFront(t, http.NotFoundHandler(), to(rawUpstream(t, func(conn net.Conn, _ *http.Request) {
				_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\n"+c.answer+"\r\n\r\n")
				_, _ = io.Copy(io.Discard, conn)
				close(closed)
			})))
			resp, err := http.ReadResponse(bufio.NewReader(f.dial(t, c.request)), nil)
			if err != nil || resp.StatusCode != 502 || resp.Header.Get("X-Authproxy-Error") != string(CodeUpstreamUnreachable) {
				t.Errorf("%v %+v", err, resp)
			}
			<-closed // the connection did not stay behind
		})
	}
}

func TestOtherUpgradesAreDroppedAndTheRequestGoesOn(t *testing.T) {
	f := newFront(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, r.Header["Upgrade"], r.Header["Connection"], r.Header["Http2-Settings"])
	}), func(o *Options) { o.Upgrades = []string{"websocket"} })
	c := f.dial(t, "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n\r\n")
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	if body, _ := io.ReadAll(resp.Body); resp.StatusCode != 200 || string(body) != "[] [] []" {
		t.Errorf("%d %s", resp.StatusCode, body)
	}
}

func TestRequestTrailers(t *testing.T) {
	for _, good := range []string{"t1", "t2"} { // as sent at once, and sent again
		f := newFront(t, refuseOld(good, func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			w.WriteHeader(401)
		}), nil)
		f.upstream.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			if r.Header.Get("Authorization") != "Bearer "+good {
				w.WriteHeader(401)
				return
			}
			fmt.Fprintf(w, "%s %s", body, r.Trailer.Get("X-Sum"))
		})
		req, _ := http.NewRequest("POST", f.URL, io.MultiReader(strings.NewReader("body")))
		req.Trailer = http.Header{"X-Sum": {"abc"}}
		if _, body, _ := f.call(t, req); body != "body abc" {
			t.Errorf("good=%s: %q", good, body)
		}
	}
}

func TestExpectContinue(t *testing.T) {
	for name, c := range map[string]struct {
		refuseEarly bool // before the body was asked for
		secondHas   string
	}{
		"refused before the body was asked for": {true, "100-continue"},
		"refused after the body":                {false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			var expects []string
			f := newFront(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				expects = append(expects, r.Header.Get("Expect"))
				refused := r.Header.Get("Authorization") != "Bearer t2"
				if refused && c.refuseEarly {
					w.WriteHeader(401)
					return
				}
				body, _ := io.ReadAll(r.Body)
				if refused {
					w.WriteHeader(401)
					return
				}
				_, _ = w.Write(body)
			}), nil)
			conn := f.dial(t, "POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n")
			in := bufio.NewReader(conn)
			line, err := in.ReadString('\n')
			if err != nil || !strings.HasPrefix(line, "HTTP/1.1 100 ") {
				t.Fatalf("%q, %v", line, err)
			}
			_, _ = in.ReadString('\n')
			_, _ = io.WriteString(conn, "body")
			resp, err := http.ReadResponse(in, nil) // a second 100 would show here
			if err != nil {
				t.Fatal(err)
			}
			body, _ := io.ReadAll(resp.Body)
			if resp.StatusCode != 200 || string(body) != "body" || len(expects) != 2 || expects[1] != c.secondHas {
				t.Errorf("%d %q, Expect upstream %q", resp.StatusCode, body, expects)
			}
		})
	}
}

// TestAnswerBeforeTheUploadEnds: the client sends a part of its body and then
// waits for an answer; it gets it.
func TestAnswerBeforeTheUploadEnds(t *testing.T) {
	const size = 100_000 // more than the server keeps back until the handler has ended
	for name, sent := range map[string]string{
		"short": "Content-Length: 1000\r\n\r\nsome", "long": "Content-Length: 1000000\r\n\r\nsome", "chunked": "Transfer-Encoding: chunked\r\n\r\n4\r\nsome\r\n",
	} {
		for _, status := range []int{401, 413, 200} {
			address := rawUpstream(t, func(c net.Conn, r *http.Request) {
				fmt.Fprintf(c, "HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n%s", status, size, text(size))
				_, _ = io.Copy(io.Discard, c)
			})
			f := newFront(t, http.NotFoundHandler(), to(address))
			f.tokens.none = io.ErrNoProgress
			conn := f.dial(t, "POST / HTTP/1.1\r\nHost: x\r\n"+sent)
			resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil || resp.StatusCode != status || !resp.Close {
				t.Fatalf("%s, status %d: %v %+v", name, status, err, resp)
			}
			if n, err := io.Copy(io.Discard, resp.Body); n != size || err != nil {
				t.Errorf("%s, status %d: %d bytes, %v", name, status, n, err)
			}
		}
	}
}

// TestOwnAnswerToAStalledUpload: the client has sent a part of its body and
// waits; authproxy turns the request down and does not wait for the rest.
func TestOwnAnswerToAStalledUpload(t *testing.T) {
	f := newFront(t, http.NotFoundHandler(), nil)
	f.tokens.err = io.ErrNoProgress
	conn := f.dial(t, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nsome")
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil || resp.StatusCode != 503 {
		t.Fatalf("%v %+v", err, resp)
	}
}

func TestClientDiesInTheMiddleOfItsUpload(t *testing.T) {
	gone := make(chan error, 1)
	f := newFront(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, err := io.Copy(io.Discard, r.Body)
		gone <- err
	}), nil)
	f.dial(t, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\nsome").Close()
	if err := <-gone; err == nil {
		t.Error("the upstream took the broken body for a whole one")
	}
	if rec := <-f.records.arrived; rec.Status != statusClientLeft {
		t.Errorf("recorded %+v", rec)
	}
}

func TestUpstreamThatFails(t *testing.T) {
	closed := rawUpstream(t, func(net.Conn, *http.Request) {})
	garbage := rawUpstream(t, func(c net.Conn, _ *http.Request) { _, _ = io.WriteString(c, "SMTP 220 hello\r\n\r\n") })
	silent := rawUpstream(t, func(c net.Conn, _ *http.Request) { _, _ = io.Copy(io.Discard, c) })
	nobody, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody.Close()
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	for name, c := range map[string]struct {
		change func(*Options)
		code   Code
		reason Reason
	}{
		"nobody listens": {to(nobody.Addr().String()), CodeUpstreamUnreachable, ReasonDial},
		"closes at once": {to(closed), CodeUpstreamUnreachable, ReasonReset},
		"speaks no HTTP": {to(garbage), CodeUpstreamUnreachable, ReasonProtocol},
		"speaks no TLS":  {func(o *Options) { o.Target.Scheme = "https" }, CodeUpstreamUnreachable, ReasonTLS},
		"answers nothing": {func(o *Options) {
			to(silent)(o)
			o.Transport.(*http.Transport).ResponseHeaderTimeout = 50 * time.Millisecond
		}, CodeUpstreamTimeout, ReasonTimeout},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFront(t, http.NotFoundHandler(), c.change)
			resp, body, rec := f.get(t, "/x?secret=1")
			if resp.StatusCode != c.code.Status() || rec.Rejected != c.code || rec.UpstreamError != c.reason || strings.Contains(body, "secret") {
				t.Errorf("%d %s, recorded %+v", resp.StatusCode, body, rec)
			}
		})
	}
}

// TestRedirectsAreNotFollowed: the client gets them as they are, and the token
// does not go where they lead to.
func TestRedirectsAreNotFollowed(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("%s was followed with %q", r.Method, r.Header.Get("Authorization"))
	}))
	defer elsewhere.Close()
	for _, status := range []int{301, 302, 303, 307, 308} {
		for _, to := range []string{elsewhere.URL + "/x", "/here"} {
			f := newFront(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != "/" {
					t.Errorf("%s %s was followed", r.Method, r.URL)
				}
				w.Header().Set("Location", to)
				w.WriteHeader(status)
			}), nil)
			for _, method := range []string{"GET", "POST"} {
				req, _ := http.NewRequest(method, f.URL, strings.NewReader("body"))
				resp, _, rec := f.call(t, req)
				if resp.StatusCode != status || resp.Header.Get("Location") != to || rec.Attempts != 1 {
					t.Errorf("%s: %d %v, recorded %+v", method, resp.StatusCode, resp.Header, rec)
				}
			}
		}
	}
}

func TestRefusedMethods(t *testing.T) {
	f := newFront(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("sent") }), nil)
	for _, line := range []string{"TRACE / HTTP/1.1", "CONNECT x:1 HTTP/1.1"} {
		resp, err := http.ReadResponse(bufio.NewReader(f.dial(t, line+"\r\nHost: x\r\n\r\n")), nil)
		if err != nil || resp.StatusCode != 405 || resp.Header.Get("X-Authproxy-Error") != string(CodeMethodNotSupported) || resp.Header.Get("Allow") == "" {
			t.Errorf("%s: %v %+v", line, err, resp)
		}
	}
}

func TestOverload(t *testing.T) {
	release, inside := make(chan struct{}), make(chan struct{})
	f := newFront(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { inside <- struct{}{}; <-release }), func(o *Options) { o.MaxInFlight = 2 })
	for range 2 {
		go func() {
			if resp, err := http.Get(f.URL); err == nil {
				resp.Body.Close()
			}
		}()
		<-inside
	}
	resp, _, rec := f.get(t, "/")
	if resp.StatusCode != 503 || rec.Rejected != CodeOverloaded || resp.Header.Get("Retry-After") != "1" {
		t.Errorf("%d %+v", resp.StatusCode, rec)
	}
	close(release)
	<-f.records.arrived
	<-f.records.arrived
	go func() { <-inside }()
	if resp, _, _ := f.get(t, "/"); resp.StatusCode != 200 {
		t.Errorf("afterwards: %d", resp.StatusCode)
	}
}

func TestClientLeavesTheUpstreamIsTold(t *testing.T) {
	told, inside := make(chan struct{}), make(chan struct{})
	f := newFront(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(inside)
		<-r.Context().Done()
		close(told)
	}), nil)
	ctx, cancel := context.WithCancel(t.Context())
	req, _ := http.NewRequestWithContext(ctx, "GET", f.URL, nil)
	go func() { <-inside; cancel() }()
	if _, err := http.DefaultClient.Do(req); err == nil {
		t.Error("answered")
	}
	<-told
	if rec := <-f.records.arrived; rec.Status != statusClientLeft || rec.UpstreamError != ReasonCanceled {
		t.Errorf("recorded %+v", rec)
	}
}

func TestInformationalAnswersAndAnswersWithoutBody(t *testing.T) {
	f := newFront(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/hints":
			w.Header().Set("Link", "</x>; rel=preload")
			w.WriteHeader(103)
			w.WriteHeader(200)
		case "/204":
			w.WriteHeader(204)
		case "/304":
			w.Header().Set("ETag", `"x"`)
			w.WriteHeader(304)
		default:
			w.Header().Add("Set-Cookie", "a=1")
			w.Header().Add("Set-Cookie", "b=2")
			w.Header().Set("Alt-Svc", "h3")
			w.Header().Set("Strict-Transport-Security", "max-age=1")
			w.Header().Set("X-Empty", "")
			_, _ = io.WriteString(w, "body")
		}
	}), nil)
	var hints textproto.MIMEHeader
	req, _ := http.NewRequest("GET", f.URL+"/hints", nil)
	req = req.WithContext(httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{Got1xxResponse: func(_ int, h textproto.MIMEHeader) error { hints = h; return nil }}))
	if resp, _, _ := f.call(t, req); resp.StatusCode != 200 || hints.Get("Link") == "" {
		t.Errorf("103: %v", hints)
	}
	for path, want := range map[string]int{"/204": 204, "/304": 304} {
		if resp, body, _ := f.get(t, path); resp.StatusCode != want || body != "" || resp.Header.Get("Content-Type") != "" {
			t.Errorf("%s: %+v", path, resp)
		}
	}
	req, _ = http.NewRequest("HEAD", f.URL, nil)
	resp, _, _ := f.call(t, req)
	if resp.ContentLength != 4 || len(resp.Header["Set-Cookie"]) != 2 || len(resp.Header["X-Empty"]) != 1 {
		t.Errorf("HEAD: %+v", resp)
	}
	if resp.Header.Get("Alt-Svc")+resp.Header.Get("Strict-Transport-Security") != "" {
		t.Errorf("passed: %v", resp.Header)
	}
}

// TestHeadersOnlyOverHTTP2: an answer without a body, as gRPC gives its errors,
// ends with its headers. Were these flushed before its end is known, an empty
// DATA frame would follow, and gRPC clients lose the status (golang/go#56317).
func TestHeadersOnlyOverHTTP2(t *testing.T) {
	f := newFront(t, http.NotFoundHandler(), func(o *Options) {
		o.Transport = roundTrip(func(r *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 200, Body: io.NopCloser(slowReader{time.Millisecond}), Request: r, Header: http.Header{"Content-Type": {"application/grpc"}, "Grpc-Status": {"7"}}}, nil
		})
	})
	server := httptest.NewUnstartedServer(f.Config.Handler)
	server.Config.Protocols = new(http.Protocols)
	server.Config.Protocols.SetUnencryptedHTTP2(true)
	server.Start()
	defer server.Close()
	client := &http.Transport{Protocols: server.Config.Protocols}
	defer client.CloseIdleConnections()
	for range 10 {
		req, _ := http.NewRequest("POST", server.URL, nil)
		resp, err := client.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.ContentLength != 0 || resp.Header.Get("Grpc-Status") != "7" { // -1 means that the headers did not end it
			t.Errorf("%+v", resp)
		}
	}
}

// TestNothingOfOurOwn compares the request as the upstream receives it with
// what the client sent.
func TestNothingOfOurOwn(t *testing.T) {
	got := make(chan string, 1)
	address := rawtest.Listen(t, func(c net.Conn, in *bufio.Reader) {
		var all bytes.Buffer
		for b := make([]byte, 4096); !strings.HasSuffix(all.String(), "the body"); {
			n, err := in.Read(b)
			all.Write(b[:n])
			if err != nil {
				return
			}
		}
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
		got <- all.String()
	})
	f := newFront(t, http.NotFoundHandler(), to(address))
	f.dial(t, "POST /a//b/%2F;x/..%2f?q=1;2&%zz=%&& HTTP/1.1\r\nHost: x\r\nX-A: 1\r\nX-A: 2\r\nX-Empty:\r\n"+
		"Connection: keep-alive, Authorization, X-Mine\r\nX-Mine: 1\r\nAuthorization: Basic mine\r\nX-Forwarded-For: 9.9.9.9\r\nContent-Length: 8\r\n\r\nthe body")
	want := "POST /a//b/%2F;x/..%2f?q=1;2&%zz=%&& HTTP/1.1\r\nHost: " + address + "\r\nContent-Length: 8\r\n" +
		"Authorization: Bearer t1\r\nX-A: 1\r\nX-A: 2\r\nX-Empty: \r\nX-Forwarded-For: 9.9.9.9\r\n\r\nthe body"
	if text := <-got; text != want {
		t.Errorf("the upstream got\n%s\nwant\n%s", text, want)
	}
}
