package proxy

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// What the tests of httputil.ReverseProxy ask of it is asked here of our
// handler, as far as http_test.go and its neighbours do not ask it already.

// exchanged sends a request as it stands and returns what the upstream read and
// what the client got.
func exchanged(t *testing.T, request, reply string, change func(*Options)) (*http.Request, *http.Response) {
	t.Helper()
	seen := make(chan *http.Request, 1)
	address := rawUpstream(t, func(c net.Conn, r *http.Request) {
		seen <- r
		_, _ = io.WriteString(c, reply)
	})
	f := newFront(t, http.NotFoundHandler(), func(o *Options) {
		o.Target.Host = address
		if change != nil {
			change(o)
		}
	})
	resp, err := http.ReadResponse(bufio.NewReader(f.dial(t, request)), nil)
	if err != nil {
		t.Fatal(err)
	}
	return <-seen, resp
}

const ok = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"

// Of an answer whose Connection names "close" as well, net/http takes the field
// away before anybody can read the other names in it.
func TestHopByHopHeaders(t *testing.T) {
	named := []string{"X-One", "X-Two", "X-Three"}
	fields := "X-One: 1\r\nX-Two: 2\r\nX-Three: 3\r\nX-Stays: 4\r\n"
	hops := "Keep-Alive: a\r\nProxy-Authenticate: b\r\nProxy-Authorization: c\r\nProxy-Connection: d\r\nTrailers: e\r\nTe: gzip\r\n"
	for name, connection := range map[string]string{
		"one line":          "Connection: X-One, X-Two,X-Three\r\n",
		"several lines":     "Connection: x-one\r\nConnection: keep-alive, X-TWO\r\nConnection: \tX-Three ,\r\n",
		"ours among them":   "Connection: Authorization, X-One, X-Two, X-Three, Content-Length, Host\r\n",
		"empty, and others": "Connection: \r\nConnection: ,,\r\nConnection: X-One, X-Two, X-Three\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			r, resp := exchanged(t, "GET / HTTP/1.1\r\nHost: x\r\n"+connection+fields+hops+"\r\n",
				"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n"+connection+fields+hops+"\r\n", nil)
			for side, h := range map[string]http.Header{"upstream": r.Header, "client": resp.Header} {
				for _, name := range append(named, "Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization", "Proxy-Connection", "Te") {
					if v, passed := h[name]; passed {
						t.Errorf("%s: %s passed to the %s", name, v, side)
					}
				}
				if h.Get("X-Stays") != "4" {
					t.Errorf("X-Stays did not pass to the %s", side)
				}
			}
			if got := r.Header["Authorization"]; !slices.Equal(got, []string{"Bearer t1"}) {
				t.Errorf("Authorization: %q", got)
			}
		})
	}
}

func TestHeadersThatProxiesLikeToChange(t *testing.T) {
	for _, header := range []string{
		"", // above all: nothing is added
		"User-Agent: explicit UA\r\n",
		"X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Host: a\r\nX-Forwarded-Proto: https\r\nForwarded: for=b\r\nVia: 1.1 c\r\n",
		"Accept-Encoding: br\r\n", "Cache-Control: no-store\r\n", "Cookie: a=1; b\r\nCookie: c\r\n", "Referer: http://x/\r\n", "Range: bytes=1-\r\n",
	} {
		r, _ := exchanged(t, "GET / HTTP/1.1\r\nHost: x\r\n"+header+"\r\n", ok, nil)
		want, err := http.ReadRequest(bufio.NewReader(strings.NewReader("GET / HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer t1\r\n" + header + "\r\n")))
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(r.Header, want.Header) {
			t.Errorf("the upstream got %v, want %v", r.Header, want.Header)
		}
	}
}

// A request without a body is one for the upstream too: no length, no chunks.
func TestNoBodyStaysNoBody(t *testing.T) {
	for _, method := range []string{"GET", "DELETE", "OPTIONS"} {
		r, _ := exchanged(t, method+" / HTTP/1.1\r\nHost: x\r\n\r\n", ok, nil)
		if r.ContentLength != 0 || r.TransferEncoding != nil || r.Header.Get("Content-Length") != "" {
			t.Errorf("%s: length %d, %v", method, r.ContentLength, r.TransferEncoding)
		}
	}
}

// TestQueriesAreNotParsed: what one parser takes for two parameters and another
// for one goes as it is, also when a parameter is set or taken out beside it.
func TestQueriesAreNotParsed(t *testing.T) {
	const smuggled = "a=1;b=2&%zz=1&c&=&&d=%&e=1;access_token=evil&access%5Ftoken=evil&f"
	for name, c := range map[string]struct {
		change func(*Options)
		want   string
	}{
		"nothing":      {nil, smuggled},
		"set":          {func(o *Options) { o.Query.Set = map[string]string{"g": "x y"} }, smuggled + "&g=x+y"},
		"dropped":      {func(o *Options) { o.Query.Drop = []string{"access_token"} }, "a=1;b=2&%zz=1&c&=&&d=%&e=1;f"},
		"token inside": {place(newInQuery("access_token")), "a=1;b=2&%zz=1&c&=&&d=%&e=1;f&access_token=t1"},
	} {
		r, _ := exchanged(t, "GET /?"+smuggled+" HTTP/1.1\r\nHost: x\r\n\r\n", ok, c.change)
		if _, query, _ := strings.Cut(r.RequestURI, "?"); query != c.want {
			t.Errorf("%s: ?%s, want ?%s", name, query, c.want)
		}
	}
}

// TestBasePathIsNotLeft: what ReverseProxy would join to a base path as it
// stands is refused, and nothing is sent.
func TestBasePathIsNotLeft(t *testing.T) {
	f := newFront(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("sent") }), func(o *Options) { o.Target.Path = "/base" })
	for _, path := range []string{"/../admin", "/%2e%2e/admin", "/a/..%2f..%2fadmin", "/a/%2E./%2e%2E/x", `/..\admin`, "/..;/admin", "/%00"} {
		resp, err := http.ReadResponse(bufio.NewReader(f.dial(t, "GET "+path+" HTTP/1.1\r\nHost: x\r\n\r\n")), nil)
		if err != nil || resp.StatusCode != 400 || resp.Header.Get("X-Authproxy-Error") != string(CodeAmbiguousPath) {
			t.Errorf("%s: %v %+v", path, err, resp)
		}
	}
}

// The request of the server is not changed: a handler around ours may look at
// it afterwards.
func TestClientsRequestIsLeftAlone(t *testing.T) {
	f := newFront(t, http.NotFoundHandler(), func(o *Options) {
		o.Headers = Headers{Drop: []string{"X-A"}, Set: map[string]string{"X-B": "{header.X-C}"}}
		o.Query = Query{Drop: []string{"q"}}
	})
	inner, checked := f.Config.Handler, make(chan struct{})
	f.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer close(checked)
		before := r.Clone(context.Background())
		inner.ServeHTTP(w, r)
		if !reflect.DeepEqual(r.Header, before.Header) || *r.URL != *before.URL || r.Host != before.Host {
			t.Errorf("now %v %v, was %v %v", r.URL, r.Header, before.URL, before.Header)
		}
	})
	req, _ := http.NewRequest("GET", f.URL+"/a%2Fb?q=1&r", nil)
	req.Header = http.Header{"X-A": {"1"}, "X-C": {"2"}, "Connection": {"X-D"}, "X-D": {"3"}, "Authorization": {"mine"}}
	f.call(t, req)
	<-checked
}

// TestAnswerBreaksOff: the client gets what has come, and sees that it is not
// all; a later request is served.
func TestAnswerBreaksOff(t *testing.T) {
	for name, head := range map[string]string{"known length": "Content-Length: 100\r\n\r\nsome", "chunked": "Transfer-Encoding: chunked\r\n\r\n4\r\nsome\r\n"} {
		t.Run(name, func(t *testing.T) {
			address := rawUpstream(t, func(c net.Conn, _ *http.Request) { _, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nX-A: 1\r\n"+head) })
			f := newFront(t, http.NotFoundHandler(), to(address))
			for range 2 {
				resp, err := http.ReadResponse(bufio.NewReader(f.dial(t, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")), nil)
				if err != nil {
					t.Fatal(err)
				}
				body, err := io.ReadAll(resp.Body)
				if resp.Header.Get("X-A") != "1" || string(body) != "some" || !errors.Is(err, io.ErrUnexpectedEOF) {
					t.Errorf("%v, %q, %v", resp.Header, body, err)
				}
				if rec := <-f.records.arrived; rec.Status != 200 || rec.BytesOut != 4 {
					t.Errorf("recorded %+v", rec)
				}
			}
		})
	}
}

// The rest of a request body that nobody has read is no request of its own.
func TestRestOfABodyIsNoRequest(t *testing.T) {
	f := newFront(t, http.NotFoundHandler(), to(rawUpstream(t, func(c net.Conn, _ *http.Request) { _, _ = io.WriteString(c, ok) })))
	conn := f.dial(t, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 300000\r\n\r\n")
	_, _ = io.WriteString(conn, strings.Repeat("GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n", 10000)[:300000])
	_ = conn.(*net.TCPConn).CloseWrite()
	in := bufio.NewReader(conn)
	if resp, err := http.ReadResponse(in, nil); err == nil {
		_, _ = io.Copy(io.Discard, resp.Body)
	}
	if resp, err := http.ReadResponse(in, nil); err == nil {
		t.Errorf("a second answer: %+v", resp)
	}
	if n := len(f.records.arrived); n > 1 {
		t.Errorf("%d requests", n)
	}
}

// TestHalfClosedSwitch: after a switch each direction ends by itself.
func TestHalfClosedSwitch(t *testing.T) {
	switched := "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
	t.Run("the client ends first", func(t *testing.T) {
		f := newFront(t, http.NotFoundHandler(), to(rawUpstream(t, func(c net.Conn, _ *http.Request) {
			_, _ = io.WriteString(c, switched)
			all, _ := io.ReadAll(c) // until the client's end has come through
			_, _ = fmt.Fprintf(c, "after %s", all)
		})))
		conn := f.dial(t, handshake+"bye")
		in := bufio.NewReader(conn)
		if resp, err := http.ReadResponse(in, nil); err != nil || resp.StatusCode != 101 {
			t.Fatalf("%v %+v", err, resp)
		}
		_ = conn.(*net.TCPConn).CloseWrite()
		if rest, err := io.ReadAll(in); string(rest) != "after bye" || err != nil {
			t.Errorf("%q, %v", rest, err)
		}
	})
	t.Run("the upstream ends first", func(t *testing.T) {
		got := make(chan string, 1)
		f := newFront(t, http.NotFoundHandler(), to(rawUpstream(t, func(c net.Conn, _ *http.Request) {
			_, _ = io.WriteString(c, switched+"bye")
			_ = c.(*net.TCPConn).CloseWrite()
			all, _ := io.ReadAll(c)
			got <- string(all)
		})))
		conn := f.dial(t, handshake)
		in := bufio.NewReader(conn)
		if resp, err := http.ReadResponse(in, nil); err != nil || resp.StatusCode != 101 {
			t.Fatalf("%v %+v", err, resp)
		}
		if rest, err := io.ReadAll(in); string(rest) != "bye" || err != nil {
			t.Errorf("%q, %v", rest, err)
		}
		_, _ = io.WriteString(conn, "after bye")
		conn.Close()
		if text := <-got; text != "after bye" {
			t.Errorf("the upstream got %q", text)
		}
	})
}

// A switched connection whose client vanishes is closed on the other side too.
func TestSwitchEndsWithItsClient(t *testing.T) {
	ended := make(chan struct{})
	f := newFront(t, http.NotFoundHandler(), to(rawUpstream(t, func(c net.Conn, _ *http.Request) {
		_, _ = io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: WebSocket\r\n\r\n")
		_, _ = io.Copy(io.Discard, c)
		close(ended)
	})))
	conn := f.dial(t, handshake)
	if resp, err := http.ReadResponse(bufio.NewReader(conn), nil); err != nil || resp.StatusCode != 101 {
		t.Fatalf("%v %+v", err, resp)
	}
	_ = conn.(*net.TCPConn).SetLinger(0) // a reset, as of a process that is killed
	conn.Close()
	<-ended
}

// TestInformationalHeadersStayWithTheirAnswer: what stands in a 1xx is not
// repeated in what follows.
func TestInformationalHeadersStayWithTheirAnswer(t *testing.T) {
	f := newFront(t, http.NotFoundHandler(), to(rawUpstream(t, func(c net.Conn, _ *http.Request) {
		_, _ = io.WriteString(c, "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nX-Hint: 1\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </b>\r\n\r\n"+
			"HTTP/1.1 102 Processing\r\n\r\n"+"HTTP/1.1 200 OK\r\nLink: </c>\r\nContent-Length: 0\r\n\r\n")
	})))
	var got []string
	req, _ := http.NewRequest("GET", f.URL, nil)
	req = req.WithContext(httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{Got1xxResponse: func(code int, h textproto.MIMEHeader) error {
		got = append(got, fmt.Sprintf("%d%v%v", code, h["Link"], h["X-Hint"]))
		return nil
	}}))
	resp, _, _ := f.call(t, req)
	if want := []string{"103[</a>][1]", "103[</b>][]", "102[][]"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if resp.Header.Get("X-Hint") != "" || !slices.Equal(resp.Header["Link"], []string{"</c>"}) {
		t.Errorf("the answer holds %v", resp.Header)
	}
}

// TestContinueAndThenNonsense: an upstream that says 100 and then no HTTP is an
// error and not a wait.
func TestContinueAndThenNonsense(t *testing.T) {
	for _, reply := range []string{"HTTP/1.1 100 Continue\r\n\r\nnonsense\r\n\r\n", "HTTP/1.1 100 Contin\r\n\r\n", "HTTP/1.1 101 Switching Protocols\r\n\r\n", "nonsense\r\n\r\n"} {
		f := newFront(t, http.NotFoundHandler(), to(rawUpstream(t, func(c net.Conn, _ *http.Request) { _, _ = io.WriteString(c, reply) })))
		conn := f.dial(t, "POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n")
		in := bufio.NewReader(conn)
		resp, err := http.ReadResponse(in, nil)
		if err == nil && resp.StatusCode == 100 {
			_, _ = io.WriteString(conn, "body")
			resp, err = http.ReadResponse(in, nil)
		}
		if err != nil || resp.StatusCode != 502 {
			t.Errorf("%q: %v %+v", reply, err, resp)
		}
	}
}

// TestCookiesCanBeKeptFromTheClient: they would be set for all of localhost.
func TestCookiesCanBeKeptFromTheClient(t *testing.T) {
	_, resp := exchanged(t, "GET / HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
		func(o *Options) { o.Headers.DropResponse = []string{"set-cookie"} })
	if got := resp.Header["Set-Cookie"]; got != nil {
		t.Errorf("%q", got)
	}
}

// TestHintsAreFiltered: what does not pass in an answer does not pass in a 103
// before it either.
func TestHintsAreFiltered(t *testing.T) {
	const fields = "Alt-Svc: h3=\":443\"\r\nStrict-Transport-Security: max-age=1\r\nAccess-Control-Allow-Origin: *\r\nSet-Cookie: a=1\r\nX-Stays: 1\r\n"
	_, resp := exchanged(t, "GET / HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 103 Early Hints\r\n"+fields+"\r\n"+ok,
		func(o *Options) { o.Headers.DropResponse = []string{"set-cookie"} })
	if want := (http.Header{"X-Stays": {"1"}}); resp.StatusCode != 103 || !reflect.DeepEqual(resp.Header, want) {
		t.Errorf("%d %v, want %v", resp.StatusCode, resp.Header, want)
	}
}

// TestTwinsWithUnderscores: behind CGI X_Auth_Token is X-Auth-Token.
func TestTwinsWithUnderscores(t *testing.T) {
	r, _ := exchanged(t, "GET / HTTP/1.1\r\nHost: x\r\nX_Auth_Token: a\r\nX-Auth_Token: b\r\nX_Role: c\r\nX_Gone: d\r\nX_Stays: e\r\n\r\n", ok, func(o *Options) {
		o.Authorizer = inHeaderOf("X-Auth-Token", "")
		o.Headers = Headers{Set: map[string]string{"X-Role": "user"}, Drop: []string{"X-Gone"}}
	})
	if want := (http.Header{"X-Auth-Token": {"t1"}, "X-Role": {"user"}, "X_stays": {"e"}}); !reflect.DeepEqual(r.Header, want) {
		t.Errorf("%v, want %v", r.Header, want)
	}
}
