package platformtest_test

import (
	"bufio"
	"compress/gzip"
	"compress/zlib"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"authproxy/proxy/platformtest"
)

// early are the platforms that judge a token before they read the body, each
// with a bad token.
func early() map[string]struct {
	platform *platformtest.Platform
	auth     string
} {
	type site = struct {
		platform *platformtest.Platform
		auth     string
	}
	return map[string]site{
		"gongjiangyun": {platformtest.NewGongjiangyun(platformtest.Options{}), "Authorization: bearer x"},
		"oauth2":       {platformtest.NewOAuth2(platformtest.Options{}), "Authorization: Bearer x"},
	}
}

func TestRefusesWhileTheUploadStreams(t *testing.T) {
	for name, e := range early() {
		t.Run(name, func(t *testing.T) {
			s := start(t, e.platform)
			conn := s.dial(t)
			from := bufio.NewReader(conn)
			upload := call{"PUT", "/a", []string{e.auth, "Transfer-Encoding: chunked"}, ""}.wire()
			_, _ = io.WriteString(conn, upload+"3\r\nabc\r\n")
			if r := receive(t, from, "PUT"); r.status != 401 {
				t.Fatalf("%d %s", r.status, r.body)
			}
			_, _ = io.WriteString(conn, "3\r\ndef\r\n0\r\n\r\n"+upload+"0\r\n\r\n")
			if r := receive(t, from, "PUT"); r.status != 401 {
				t.Fatalf("second request on the connection: %d", r.status)
			}
			if seen := s.APIRequests()[0]; string(seen.Body) != "abcdef" || !seen.BodyComplete {
				t.Errorf("%q %v", seen.Body, seen.BodyComplete)
			}
		})
	}
}

func TestRefusesALargeUploadEarly(t *testing.T) {
	for name, e := range early() {
		t.Run(name, func(t *testing.T) {
			s := start(t, e.platform)
			conn := s.dial(t)
			_, _ = io.WriteString(conn, call{"PUT", "/a", []string{e.auth, "Content-Length: 10000000"}, ""}.wire()+"abc")
			if r := receive(t, bufio.NewReader(conn), "PUT"); r.status != 401 {
				t.Fatalf("%d %s", r.status, r.body)
			}
		})
	}
}

func TestChunkedRefusalWhileTheUploadStreams(t *testing.T) {
	s := start(t, platformtest.NewOAuth2(platformtest.Options{}))
	s.SetChunked(true)
	conn := s.dial(t)
	upload := call{"PUT", "/a", []string{"Authorization: Bearer x", "Transfer-Encoding: chunked"}, ""}.wire()
	_, _ = io.WriteString(conn, upload+"3\r\nabc\r\n")
	if r := receive(t, bufio.NewReader(conn), "PUT"); r.status != 401 || r.body == "" || r.header.Get("Content-Length") != "" {
		t.Fatalf("%+v", r)
	}
}

func TestRefusesWithoutContinue(t *testing.T) {
	s := start(t, platformtest.NewOAuth2(platformtest.Options{}))
	conn := s.dial(t)
	_, _ = io.WriteString(conn, call{"PUT", "/a", []string{"Expect: 100-continue", "Content-Length: 3"}, ""}.wire())
	if r := receive(t, bufio.NewReader(conn), "PUT"); r.status != 401 {
		t.Fatalf("%d", r.status)
	}
}

func TestSmallRefusedBodiesKeepTheConnection(t *testing.T) {
	for name, e := range early() {
		t.Run(name, func(t *testing.T) {
			s := start(t, e.platform)
			conn := s.dial(t)
			from := bufio.NewReader(conn)
			for range 3 {
				_, _ = io.WriteString(conn, call{"PUT", "/a", []string{e.auth}, strings.Repeat("x", 60000)}.wire())
				if r := receive(t, from, "PUT"); r.status != 401 {
					t.Fatalf("%d", r.status)
				}
			}
			if all := s.APIRequests(); len(all) != 3 || all[0].RemoteAddr != all[2].RemoteAddr || all[2].BodyLength != 60000 {
				t.Error("not one connection with whole bodies")
			}
		})
	}
}

func TestWeDaReadsTheBodyFirst(t *testing.T) {
	s := start(t, platformtest.NewWeDa(platformtest.Options{}))
	conn := s.dial(t)
	_, _ = io.WriteString(conn, call{"POST", "/weda/a", []string{jsonType, "Content-Length: 2"}, ""}.wire())
	_ = conn.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	if n, err := conn.Read(make([]byte, 1)); err == nil {
		t.Fatalf("%d bytes before the body was there", n)
	}
	_ = conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	_, _ = io.WriteString(conn, "{}")
	if r := receive(t, bufio.NewReader(conn), "POST"); r.field(t, "code") != "INVALID_ACCESS_TOKEN" {
		t.Error(r.body)
	}
}

func TestEncodings(t *testing.T) {
	s := start(t, platformtest.NewWeDa(platformtest.Options{}))
	auth := "Authorization: Bearer " + s.token(t, wedaTokenCall)
	readers := map[string]func(io.Reader) (io.Reader, error){
		"gzip":    func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) },
		"deflate": func(r io.Reader) (io.Reader, error) { return zlib.NewReader(r) },
		"":        func(r io.Reader) (io.Reader, error) { return r, nil },
	}
	check := func(t *testing.T, encoding, auth, want string) {
		r := s.do(t, call{"GET", "/weda/a", []string{auth}, ""})
		if r.header.Get("Content-Encoding") != encoding {
			t.Fatalf("want %q: %v", encoding, r.header)
		}
		reader, err := readers[encoding](strings.NewReader(r.body))
		if err != nil {
			t.Fatal(err)
		}
		if plain, err := io.ReadAll(reader); err != nil || !strings.Contains(string(plain), want) {
			t.Errorf("%s %v", plain, err)
		}
	}
	for encoding := range readers {
		s.SetEncoding(encoding)
		check(t, encoding, auth, "sha256")
		check(t, encoding, "Authorization: Bearer x", "INVALID_ACCESS_TOKEN")
		s.SetAPIFault(&platformtest.Fault{Status: 500, Body: "down"})
		check(t, encoding, auth, "down")
		s.SetAPIFault(nil)
		s.token(t, wedaTokenCall)
	}
}

func TestChunked(t *testing.T) {
	s := start(t, platformtest.NewOAuth2(platformtest.Options{}))
	plain := s.do(t, call{"GET", "/a", nil, ""})
	s.SetChunked(true)
	chunked := s.do(t, call{"GET", "/a", []string{"Authorization: Bearer x"}, ""})
	if plain.header.Get("Content-Length") != "0" || chunked.header.Get("Content-Length") != "" || chunked.body == "" {
		t.Error(plain.header, chunked.header, chunked.body)
	}
}

func TestSeen(t *testing.T) {
	s := start(t, platformtest.NewOAuth2(platformtest.Options{}))
	if s.LastAPIRequest() != nil || s.LastTokenRequest() != nil {
		t.Fatal("seen before anything came")
	}
	auth := "Authorization: Bearer " + s.token(t, oauth2TokenCall)
	trailed := call{"POST", "/a%2Fb?c", []string{auth, "x-odd: 1", "Trailer: X-Sum", "Transfer-Encoding: chunked"}, ""}
	conn := s.dial(t)
	_, _ = io.WriteString(conn, trailed.wire()+"1\r\nz\r\n0\r\nX-Sum: 7\r\n\r\n")
	got := echo(t, receive(t, bufio.NewReader(conn), "POST"))
	seen := s.LastAPIRequest()
	if seen.Number != 2 || seen.Method != "POST" || seen.RequestURI != "/a%2Fb?c" || seen.Host != "platform.test" ||
		seen.Header.Get("X-Odd") != "1" || string(seen.Body) != "z" || seen.Trailer.Get("X-Sum") != "7" || seen.ContentLength != -1 {
		t.Errorf("%+v", seen)
	}
	if got.BodySHA256 != seen.BodySHA256 || got.Path != "/a%2Fb" || got.Query != "c" {
		t.Errorf("%+v", got)
	}
	if token := s.LastTokenRequest(); token.Number != 1 || string(token.Body) != oauth2TokenCall.body {
		t.Errorf("%+v", token)
	}
	seen.Header.Set("X-Odd", "2")
	if s.LastAPIRequest().Header.Get("X-Odd") != "1" {
		t.Error("a Seen shares its headers with the platform")
	}
}

func TestSeenKeepsTheLast(t *testing.T) {
	s := start(t, platformtest.NewOAuth2(platformtest.Options{}))
	for range 40 {
		res, err := http.Get("http://" + s.addr + "/a")
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
	}
	if all := s.APIRequests(); len(all) != 32 || all[31].Number != 40 || all[0].Number != 9 {
		t.Errorf("%d, from %d to %d", len(all), all[0].Number, all[len(all)-1].Number)
	}
}
