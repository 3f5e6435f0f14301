package listen

import (
	"bytes"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
)

// TestTell: what is not HTTP is told of once for each connection, and HTTP is not; nothing
// is taken from either.
func TestTell(t *testing.T) {
	for begin, want := range map[string]string{
		"GET / HTTP/1.1\r\n\r\n":           "",
		"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n": "",
		"\r\nGET / HTTP/1.1\r\n\r\n":       "",
		"PROPFIND / HTTP/1.1\r\n\r\n":      "",
		"\x16\x03\x01\x02\x00":             "TLS",
		"\x05\x01\x00":                     "SOCKS",
		"\x04\x01":                         "SOCKS",
		"PROXY TCP4 192.0.2.1":             "the PROXY protocol of load balancers",
		"\r\n\r\n\x00\r\nQUIT\n!":          "the PROXY protocol of load balancers",
		"\x00\x01":                         "another protocol than HTTP",
		"\xff\xfe":                         "another protocol than HTTP",
	} {
		for _, network := range []string{"tcp", "unix"} {
			address := "127.0.0.1:0"
			if network == "unix" {
				address = filepath.Join(t.TempDir(), "s")
			}
			raw, err := net.Listen(network, address)
			if err != nil {
				t.Fatal(err)
			}
			defer raw.Close()
			var told []string
			l := Watch(raw, Watched{Heads: NewHeads(func() {}), Told: func(o Other) { told = append(told, o.Protocol) }, TLS: new(atomic.Pointer[TLS])})
			go func() {
				c, err := net.Dial(network, raw.Addr().String())
				if err != nil {
					return
				}
				_, _ = io.WriteString(c, begin)
				_ = c.(interface{ CloseWrite() error }).CloseWrite()
			}()
			c, err := l.Accept()
			if err != nil {
				t.Fatal(err)
			}
			got, _ := io.ReadAll(c)
			_ = c.Close()
			if !bytes.Equal(got, []byte(begin)) {
				t.Errorf("%q was read as %q", begin, got)
			}
			if s := strings.Join(told, "|"); s != want {
				t.Errorf("%q on %s: told %q, want %q", begin, network, s, want)
			}
			if _, ok := c.(io.ReaderFrom); !ok && network == "tcp" {
				t.Error("a file is copied to be sent")
			}
		}
	}
}

// TestTellOfTLS: by a real client.
func TestTellOfTLS(t *testing.T) {
	raw, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	told := make(chan Other, 9)
	s := &http.Server{Handler: http.NotFoundHandler()}
	defer s.Close()
	go func() {
		_ = s.Serve(Watch(raw, Watched{Heads: NewHeads(func() {}), Told: func(o Other) { told <- o }, TLS: new(atomic.Pointer[TLS])}))
	}()
	if _, err := tls.Dial("tcp", raw.Addr().String(), &tls.Config{InsecureSkipVerify: true}); err == nil {
		t.Error("TLS was spoken")
	}
	if o := <-told; !o.TLS {
		t.Errorf("told of %q", o.Protocol)
	}
}
