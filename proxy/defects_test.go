package proxy

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	stdlog "log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"
)

// slowTokens takes its time to replace.
type slowTokens struct {
	*tokens
	d time.Duration
}

func (s slowTokens) Replace(ctx context.Context, rejected string) (Token, error) {
	time.Sleep(s.d)
	return s.tokens.Replace(ctx, rejected)
}

type slowReader struct{ d time.Duration }

func (s slowReader) Read([]byte) (int, error) { time.Sleep(s.d); return 0, io.EOF }

// TestSlowTokenRequestDuringAnUpload: the recording does not run over
// while another token is asked for.
func TestSlowTokenRequestDuringAnUpload(t *testing.T) {
	const size = 4 << 20
	f := newFront(t, http.NotFoundHandler(), func(o *Options) {
		o.Target.Host = rawUpstream(t, func(c net.Conn, r *http.Request) {
			if r.Header.Get("Authorization") == "Bearer t1" {
				_, _ = io.CopyN(io.Discard, r.Body, 10)
				_, _ = io.WriteString(c, "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n")
				_, _ = io.Copy(io.Discard, c)
				return
			}
			n, _ := io.Copy(io.Discard, r.Body)
			fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n%d", n)
		})
		o.Retry.BodyLimit = 64 << 10
		o.Tokens = slowTokens{o.Tokens.(*tokens), 900 * time.Millisecond}
	})
	body := io.MultiReader(bytes.NewReader(text(40000)), slowReader{300 * time.Millisecond}, bytes.NewReader(text(size)))
	req, _ := http.NewRequest("POST", f.URL, body)
	resp, got, rec := f.call(t, req)
	if resp.StatusCode != 200 || got != fmt.Sprint(40000+size) {
		t.Errorf("%d %q %+v", resp.StatusCode, got, rec)
	}
}

// TestContinueAndRefusalInOneBurst: the client is told once to continue.
func TestContinueAndRefusalInOneBurst(t *testing.T) {
	bad := 0
	for range 10 {
		f := newFront(t, http.NotFoundHandler(), to(rawUpstream(t, func(c net.Conn, r *http.Request) {
			if r.Header.Get("Authorization") == "Bearer t1" {
				_, _ = io.WriteString(c, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 401 Unauthorized\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
				time.Sleep(50 * time.Millisecond)
				return
			}
			if r.Header.Get("Expect") != "" {
				_, _ = io.WriteString(c, "HTTP/1.1 100 Continue\r\n\r\n")
			}
			n, _ := io.Copy(io.Discard, r.Body)
			fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n%d", n)
		})))
		conn := f.dial(t, "POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n")
		in := bufio.NewReader(conn)
		line, _ := in.ReadString('\n')
		_, _ = in.ReadString('\n')
		_, _ = io.WriteString(conn, "body")
		resp, err := http.ReadResponse(in, nil)
		if err != nil || resp.StatusCode != 200 {
			bad++
			if bad == 1 {
				t.Errorf("%q %v %+v", line, err, resp)
			}
		}
	}
}

// TestOneContinue: the upstream and the server may both say it; the client hears it once.
func TestOneContinue(t *testing.T) {
	f := newFront(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, _ := io.Copy(io.Discard, r.Body)
		fmt.Fprint(w, n)
	}), nil)
	twice := 0
	for range 500 {
		c := f.dial(t, "POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n")
		in := bufio.NewReader(c)
		if line, err := in.ReadString('\n'); err != nil || line != "HTTP/1.1 100 Continue\r\n" {
			t.Fatal(line, err)
		}
		_, _ = in.ReadString('\n')
		_, _ = io.WriteString(c, "body")
		resp, err := http.ReadResponse(in, nil)
		if err != nil {
			t.Fatal(err)
		}
		if resp.StatusCode == 100 {
			twice++
		}
		c.Close()
	}
	if twice > 0 {
		t.Errorf("%d of 500 clients were told twice to continue", twice)
	}
}

// TestErrorsDoNotQuoteTheUpstream: net/http quotes what it cannot read, and
// an upstream may echo the token.
func TestErrorsDoNotQuoteTheUpstream(t *testing.T) {
	bearer, query := bearer(), newInQuery("access_token")
	for name, c := range map[string]struct {
		answer string // %s stands for what the upstream echoes
		place  Authorizer
	}{
		"first line":   {"GET %s HTTP/1.1\r\n\r\n", query},
		"header line":  {"HTTP/1.1 200 OK\r\nyour %s\r\n\r\n", bearer},
		"like TLS":     {"HTTP/1.1 200 OK\r\n tls: %s\r\n\r\n", bearer},
		"like a reset": {"HTTP/1.1 200 OK\r\n server closed idle connection %s\r\n\r\n", bearer},
		"length":       {"HTTP/1.1 200 OK\r\nContent-Length: %s\r\n\r\n", bearer},
		"te":           {"HTTP/1.1 200 OK\r\nTransfer-Encoding: %s\r\n\r\n", bearer},
		"upgrade":      {"HTTP/1.1 101 OK\r\nConnection: Upgrade\r\nUpgrade: %s\r\n\r\n", bearer},
	} {
		t.Run(name, func(t *testing.T) {
			address := rawUpstream(t, func(conn net.Conn, r *http.Request) {
				echoed := r.Header.Get("Authorization")
				if c.place == query {
					echoed = r.RequestURI
				}
				fmt.Fprintf(conn, c.answer, echoed)
			})
			f := newFront(t, http.NotFoundHandler(), func(o *Options) { to(address)(o); o.Authorizer = c.place })
			f.tokens.n.Store(777666)
			resp, body, rec := f.get(t, "/")
			if strings.Contains(body+fmt.Sprint(rec.Err), "t777666") {
				t.Errorf("%d %s\n%v", resp.StatusCode, body, rec.Err)
			}
		})
	}
}

// TestLocationDoesNotBecomeAnotherHost: a path that begins with two slashes
// would name one.
func TestLocationDoesNotBecomeAnotherHost(t *testing.T) {
	target, _ := url.Parse("http://up/base")
	l := newAddresses(Options{Target: target})
	client := httptest.NewRequest("GET", "http://local:1/", nil)
	for _, address := range []string{"/base//evil.example/x", `/base/\evil.example/x`, "/base/.//evil.example/x", "/base/a/..//evil.example"} {
		if got := l.local(address, client); strings.HasPrefix(got, "//") || strings.HasPrefix(got, `/\`) {
			t.Errorf("%s became %s", address, got)
		}
	}
	client.Host = ""
	if got := l.local("http://up/base/x", client); got != "/x" {
		t.Errorf("for a client without Host: %s", got)
	}
	target.Path = ""
	l = newAddresses(Options{Target: target})
	for _, address := range []string{"http://up//evil.example", `http://up/\evil.example`} {
		if got := l.local(address, client); !strings.HasPrefix(got, "/./") {
			t.Errorf("for a client without Host %s became %s", address, got)
		}
	}
}

// TestAlertsAreOfTLS: the server speaks TLS and turns us down.
func TestAlertsAreOfTLS(t *testing.T) {
	up := httptest.NewUnstartedServer(http.NotFoundHandler())
	up.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert}
	up.StartTLS()
	defer up.Close()
	u, _ := url.Parse(up.URL)
	f := newFront(t, http.NotFoundHandler(), func(o *Options) {
		o.Target = u
		o.Transport = &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	})
	_, body, rec := f.get(t, "/")
	if rec.UpstreamError != ReasonTLS {
		t.Errorf("%s %v %s", rec.UpstreamError, rec.Err, body)
	}
	f = newFront(t, http.NotFoundHandler(), func(o *Options) {
		o.Target = u
		o.Transport = &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS10, MinVersion: tls.VersionTLS10}}
	})
	_, body, rec = f.get(t, "/")
	if rec.UpstreamError != ReasonTLS {
		t.Errorf("%s %v %s", rec.UpstreamError, rec.Err, body)
	}
}

// TestProxyThatIsNotThere: counts as not reached.
func TestProxyThatIsNotThere(t *testing.T) {
	l, _ := net.Listen("tcp", "127.0.0.1:0")
	l.Close()
	p, _ := url.Parse("http://" + l.Addr().String())
	f := newFront(t, http.NotFoundHandler(), func(o *Options) {
		o.Transport = &http.Transport{Proxy: http.ProxyURL(p)}
	})
	_, body, rec := f.get(t, "/")
	if rec.UpstreamError != ReasonDial {
		t.Errorf("%s %v %s", rec.UpstreamError, rec.Err, body)
	}
}

// TestAnswerBrokenInTheMiddle: is recorded as an error of the upstream.
func TestAnswerBrokenInTheMiddle(t *testing.T) {
	f := newFront(t, http.NotFoundHandler(), to(rawUpstream(t, func(c net.Conn, _ *http.Request) {
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\nsome")
	})))
	resp, err := http.Get(f.URL)
	if err == nil {
		_, err = io.ReadAll(resp.Body)
	}
	if err == nil {
		t.Error("taken for whole")
	}
	if rec := <-f.records.arrived; rec.UpstreamError == "" {
		t.Errorf("%+v", rec)
	}
}

// TestEarlyRefusalOverHTTP2: bodies are sent again there as well.
func TestEarlyRefusalOverHTTP2(t *testing.T) {
	up := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer t2" {
			_, _ = io.CopyN(io.Discard, r.Body, 100)
			w.WriteHeader(401)
			return
		}
		n, _ := io.Copy(io.Discard, r.Body)
		fmt.Fprintf(w, "%s %d", r.Proto, n)
	}))
	up.EnableHTTP2 = true
	up.StartTLS()
	defer up.Close()
	u, _ := url.Parse(up.URL)
	f := newFront(t, http.NotFoundHandler(), func(o *Options) {
		o.Target = u
		o.Transport = &http.Transport{DisableCompression: true, ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	})
	for _, size := range []int{0, 10, 100000, 900000} {
		f.tokens.n.Store(1)
		req, _ := http.NewRequest("POST", f.URL, io.MultiReader(bytes.NewReader(text(size))))
		resp, got, rec := f.call(t, req)
		if resp.StatusCode != 200 || got != fmt.Sprint("HTTP/2.0 ", size) {
			t.Errorf("%d: %d %q %+v", size, resp.StatusCode, got, rec)
		}
	}
}

// TestClientWhoseBodyIsBroken: that is no failure of the upstream.
func TestClientWhoseBodyIsBroken(t *testing.T) {
	f := newFront(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }), nil)
	f.dial(t, "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")
	if rec := <-f.records.arrived; rec.Status != statusClientLeft || rec.UpstreamError != ReasonCanceled {
		t.Errorf("recorded %+v", rec)
	}
}

// TestNothingQuotesEitherSide: what breaks the rules of HTTP is told of, and not
// shown, since it may hold the token or the caller's own secret.
func TestNothingQuotesEitherSide(t *testing.T) {
	var log bytes.Buffer
	stdlog.SetOutput(&log)
	defer stdlog.SetOutput(os.Stderr)
	const chunks = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n"
	for name, c := range map[string]struct{ request, answer string }{
		"a trailer of the answer":  {"GET / HTTP/1.1\r\nHost: x\r\n\r\n", chunks + "no trailer, but a secret\r\n\r\n"},
		"a status of two digits":   {"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 099 secret\r\nContent-Length: 0\r\n\r\n"},
		"a trailer of the request": {"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nno trailer, but a secret\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n"},
	} {
		f := newFront(t, http.NotFoundHandler(), to(rawUpstream(t, func(conn net.Conn, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			_, _ = io.WriteString(conn, c.answer)
		})))
		answer, _ := io.ReadAll(f.dial(t, strings.Replace(c.request, "Host: x", "Host: x\r\nConnection: close", 1)))
		rec := <-f.records.arrived
		if rec.UpstreamError == "" || errors.Is(rec.Err, ErrDefect) {
			t.Errorf("%s: recorded %+v", name, rec)
		}
		if all := fmt.Sprint(string(answer), rec, log.String()); strings.Contains(all, "secret") {
			t.Errorf("%s: %s", name, all)
		}
	}
}

// TestTheErrorOfACallThatWasLeftQuotesNobody: the client goes just as the
// upstream answers with what is no HTTP.
func TestTheErrorOfACallThatWasLeftQuotesNobody(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var rec Record
	h, err := New(Options{
		Name: "up", Target: &url.URL{Scheme: "http", Host: "up"}, Tokens: newTokens(), Authorizer: bearer(),
		Observers: []Observer{observe(func(r *Record) { rec = *r })},
		Transport: transport(func(*http.Request) (*http.Response, error) {
			cancel()
			return nil, errors.New("malformed HTTP response \"secret\"")
		}),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if recover() != http.ErrAbortHandler || rec.Status != statusClientLeft || rec.Err == nil || strings.Contains(rec.Err.Error(), "secret") {
			t.Errorf("recorded %+v", rec)
		}
	}()
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(ctx, "GET", "/", nil))
}

// TestContentLengthThatIsNone: HTTP/2 takes any text for one, and the server
// would log it.
func TestContentLengthThatIsNone(t *testing.T) {
	f := newFront(t, http.NotFoundHandler(), func(o *Options) {
		o.Transport = transport(func(r *http.Request) (*http.Response, error) {
			return &http.Response{Request: r, StatusCode: 200, ContentLength: -1, Header: http.Header{"Content-Length": {"secret"}}, Body: io.NopCloser(strings.NewReader("ok"))}, nil
		})
	})
	var log bytes.Buffer
	f.Config.ErrorLog = stdlog.New(&log, "", 0)
	if _, body, _ := f.get(t, "/"); body != "ok" || log.Len() > 0 {
		t.Errorf("%s, logged %s", body, &log)
	}
}

// transport is a function that answers.
type transport func(*http.Request) (*http.Response, error)

func (t transport) RoundTrip(r *http.Request) (*http.Response, error) { return t(r) }

// TestPanic: the client's connection is cut, the record says where, and the
// value, which may hold a secret, is nowhere.
func TestPanic(t *testing.T) {
	for _, after := range []string{"", "some"} {
		var log bytes.Buffer
		h, err := New(Options{
			Name: "up", Target: &url.URL{Scheme: "http", Host: "up"}, Tokens: newTokens(), Observers: []Observer{observe(func(r *Record) {
				if r.Status != map[string]int{"": 500, "some": 200}[after] || !errors.Is(r.Err, ErrDefect) || !strings.Contains(r.Err.Error(), "panicking.Read") && !strings.Contains(r.Err.Error(), "panicking.RoundTrip") {
					t.Errorf("%+v", r)
				}
				fmt.Fprintln(&log, r.Err)
			})},
			Authorizer: bearer(), Transport: panicking{after},
		})
		if err != nil {
			t.Fatal(err)
		}
		server := httptest.NewUnstartedServer(h)
		server.Config.ErrorLog = stdlog.New(&log, "", 0)
		server.Start()
		resp, err := http.Get(server.URL)
		if err == nil {
			var got []byte
			if got, err = io.ReadAll(resp.Body); string(got) != after {
				t.Errorf("came: %q", got)
			}
		}
		if err == nil {
			t.Error("the client took it for an answer")
		}
		server.Close()
		if text := log.String(); !strings.Contains(text, "defects_test.go:") || strings.Contains(text, "secret") {
			t.Errorf("logged: %s", text)
		}
	}
}

// observe is an Observer of what is finished.
type observe func(*Record)

func (o observe) Observe(*http.Request) func(*Record) { return o }

// panicking is a transport with a defect, before or after the answer's begin.
type panicking struct{ after string }

func (p panicking) RoundTrip(r *http.Request) (*http.Response, error) {
	if p.after == "" {
		panic("secret")
	}
	return &http.Response{Request: r, StatusCode: 200, Header: http.Header{}, ContentLength: -1, Body: io.NopCloser(io.MultiReader(strings.NewReader(p.after), p))}, nil
}

func (panicking) Read([]byte) (int, error) { panic(errors.New("secret")) }
