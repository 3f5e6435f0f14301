package proxy

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"authproxy/proxy/rawtest"
)

// dying answers the first request on each connection, and closes it at the next
// one when that has come whole. seen counts the requests.
func dying(t *testing.T, seen *atomic.Int64) string {
	return rawtest.Listen(t, func(c net.Conn, in *bufio.Reader) {
		for i := range 2 {
			req, err := http.ReadRequest(in)
			if err != nil {
				return
			}
			_, _ = io.Copy(io.Discard, req.Body)
			seen.Add(1)
			if i == 0 {
				_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
			}
		}
	})
}

// TestRepetitionOfTheTransport, on a kept connection that dies without an answer: it
// holds to retry.enabled and to the method, and is told of.
func TestRepetitionOfTheTransport(t *testing.T) {
	key := http.Header{"Idempotency-Key": {"1"}}
	large := strings.Repeat("x", 1<<20)
	for name, c := range map[string]struct {
		method, body string
		header       http.Header
		disabled     bool
		status, sent int
	}{
		"GET":                          {"GET", "", nil, false, 200, 2},
		"GET, retries off":             {"GET", "", nil, true, 502, 1},
		"HEAD, retries off":            {"HEAD", "", nil, true, 502, 1},
		"POST":                         {"POST", "body", nil, false, 502, 1},
		"DELETE":                       {"DELETE", "", nil, false, 502, 1},
		"POST with a key":              {"POST", "body", key, false, 200, 2},
		"POST with a key, retries off": {"POST", "body", key, true, 502, 1},
		"empty POST, retries off":      {"POST", "", key, true, 502, 1},
		"other key, retries off":       {"POST", "", http.Header{"X-Idempotency-Key": {"1"}}, true, 502, 1},
		"more than is kept":            {"POST", large, key, false, 502, 1},
	} {
		t.Run(name, func(t *testing.T) {
			var seen atomic.Int64
			address := dying(t, &seen)
			f := newFront(t, http.NotFoundHandler(), func(o *Options) {
				o.Target, o.Retry = &url.URL{Scheme: "http", Host: address}, Retry{Disabled: c.disabled, BodyLimit: 1 << 10}
			})
			f.get(t, "/first")
			req, _ := http.NewRequest(c.method, f.URL+"/second", strings.NewReader(c.body))
			for name, values := range c.header {
				req.Header[name] = values
			}
			resp, body, rec := f.call(t, req)
			if got := int(seen.Load()) - 1; resp.StatusCode != c.status || got != c.sent || rec.Attempts != c.sent {
				t.Errorf("%d %s after %d, recorded %+v", resp.StatusCode, body, got, rec)
			}
			if c.status != 200 && rec.UpstreamError != ReasonReset {
				t.Errorf("recorded %+v", rec)
			}
		})
	}
}

// TestKeyGoesOut: what keeps the transport from repeating changes nothing else.
func TestKeyGoesOut(t *testing.T) {
	f := newFront(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.Method+" "+r.Header.Get("Idempotency-Key")+strings.Join(r.TransferEncoding, ""))
	}), func(o *Options) { o.Retry.Disabled = true })
	for _, method := range []string{"GET", "POST"} {
		req, _ := http.NewRequest(method, f.URL, nil)
		req.Header.Set("Idempotency-Key", "the-key")
		if _, body, _ := f.call(t, req); body != method+" the-key" {
			t.Error(body)
		}
	}
}

// TestRefusedStreamIsRepeatedTwice: a POST over HTTP/2 that the upstream refuses to
// look at.
func TestRefusedStreamIsRepeatedOnce(t *testing.T) {
	var seen atomic.Int64
	address := rawtest.Listen(t, func(c net.Conn, in *bufio.Reader) {
		_, _ = io.ReadFull(in, make([]byte, 24))          // the preface, RFC 9113 section 3.4
		_, _ = c.Write([]byte{0, 0, 0, 4, 0, 0, 0, 0, 0}) // empty SETTINGS
		for {
			head := make([]byte, 9)
			if _, err := io.ReadFull(in, head); err != nil {
				return
			}
			_, _ = io.CopyN(io.Discard, in, int64(head[0])<<16|int64(head[1])<<8|int64(head[2]))
			if head[3] == 1 { // HEADERS: RST_STREAM with REFUSED_STREAM
				seen.Add(1)
				_, _ = c.Write(append([]byte{0, 0, 4, 3, 0}, head[5], head[6], head[7], head[8], 0, 0, 0, 7))
			}
		}
	})
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	f := newFront(t, http.NotFoundHandler(), func(o *Options) {
		o.Target = &url.URL{Scheme: "http", Host: address}
		o.Transport = &http.Transport{Protocols: protocols}
	})
	req, _ := http.NewRequest("POST", f.URL, strings.NewReader("body"))
	resp, body, rec := f.call(t, req)
	if got := seen.Load(); resp.StatusCode != 502 || got != 3 || rec.Attempts != 3 {
		t.Errorf("%d %s after %d, recorded %+v", resp.StatusCode, body, got, rec)
	}
}
