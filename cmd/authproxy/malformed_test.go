package main_test

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"authproxy/cmd/authproxy/authproxytest"
	"authproxy/proxy/platformtest"
)

// frame is a frame of HTTP/2 (RFC 9113 section 4.1), of one stream.
func frame(kind, flags byte, stream uint32, payload []byte) []byte {
	head := []byte{byte(len(payload) >> 16), byte(len(payload) >> 8), byte(len(payload)), kind, flags, 0, 0, 0, 0}
	binary.BigEndian.PutUint32(head[5:], stream)
	return append(head, payload...)
}

// fields are header fields without compression (RFC 7541 section 6.2.2).
func fields(pairs ...string) []byte {
	var out []byte
	for i := 0; i < len(pairs); i += 2 {
		out = append(out, 0, byte(len(pairs[i])))
		out = append(out, pairs[i]...)
		out = append(out, byte(len(pairs[i+1])))
		out = append(out, pairs[i+1]...)
	}
	return out
}

// overHTTP2 sends one request of these fields, and returns what comes until the stream, or
// the connection, ends.
func overHTTP2(t *testing.T, url string, pairs ...string) string {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(authproxytest.Patience))
	var out bytes.Buffer
	out.WriteString("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
	out.Write(frame(4, 0, 0, nil))
	out.Write(frame(1, 5, 1, fields(pairs...))) // HEADERS with END_STREAM and END_HEADERS
	if _, err := conn.Write(out.Bytes()); err != nil {
		t.Fatal(err)
	}
	var all []byte
	for {
		head := make([]byte, 9)
		if _, err := io.ReadFull(conn, head); err != nil {
			return string(all)
		}
		payload := make([]byte, int(head[0])<<16|int(head[1])<<8|int(head[2]))
		if _, err := io.ReadFull(conn, payload); err != nil {
			return string(all)
		}
		switch kind := head[3]; {
		case kind == 3: // RST_STREAM
			return string(all) + "RST_STREAM"
		case kind <= 1:
			all = append(all, payload...)
			if head[4]&1 != 0 {
				return string(all)
			}
		}
	}
}

// TestMalformedRequestsStopAtTheDoor: what is no request of HTTP is not sent on, and the
// upstream is not blamed for it.
func TestMalformedRequestsStopAtTheDoor(t *testing.T) {
	t.Parallel()
	platform := platformtest.NewOAuth2(platformtest.Options{})
	url := authproxytest.Serve(t, platform)
	p := authproxytest.Start(t, authproxytest.OAuth2(url, url))
	host := strings.TrimPrefix(p.URL, "http://")
	for name, c := range map[string]struct{ method, scheme, authority, path, want string }{
		"good":                     {"GET", "http", host, "/x", `"path":"/x"`},
		"a request line as method": {"GET /x HTTP/1.1", "http", host, "/x", "method_not_supported"},
		"blanks in the method":     {"GE T", "http", host, "/x", "method_not_supported"},
		"a line break in it":       {"GET\r\nX: y", "http", host, "/x", "refused"},
		"a method in quotes":       {`"GET"`, "http", host, "/x", "method_not_supported"},
		"letters that are none":    {"G\u00cbT", "http", host, "/x", "method_not_supported"},
		"a word behind the port":   {"GET", "http", "localhost:evil", "/x", "host_not_allowed"},
		"a port too large":         {"GET", "http", "localhost:99999", "/x", "host_not_allowed"},
		"two ports":                {"GET", "http", "localhost:80:80", "/x", "host_not_allowed"},
		"a user in the authority":  {"GET", "http", "me@localhost", "/x", "refused"},
		"a blank in the path":      {"GET", "http", host, "/x y", "refused"},
		"a path without a slash":   {"GET", "http", host, "x", "refused"},
		"no path":                  {"GET", "http", host, "", "refused"},
		"a URL as path":            {"GET", "http", host, "http://elsewhere.example/x", "refused"},
		"a method for the path":    {"GET", "http", host, "/x HTTP/1.1\r\nX: y", "refused"},
	} {
		before := platform.Counts().APIRequests
		got := overHTTP2(t, p.URL, ":method", c.method, ":scheme", c.scheme, ":authority", c.authority, ":path", c.path)
		refused := c.want == "refused" && (strings.Contains(got, "RST_STREAM") || got == "" || strings.Contains(got, "ambiguous_path"))
		if !refused && !strings.Contains(got, c.want) || strings.Contains(got, "upstream_unreachable") {
			t.Errorf("%s: %q, want %s", name, got, c.want)
		}
		if sent := platform.Counts().APIRequests - before; (sent > 0) != (name == "good") {
			t.Errorf("%s: %d requests went on", name, sent)
		}
	}
	for _, line := range []string{"GE\x01T / HTTP/1.1", "G(ET / HTTP/1.1", "GET / HTTP/1.1\r\nHost: localhost:evil", "GET x HTTP/1.1"} {
		if !strings.Contains(line, "Host:") {
			line += "\r\nHost: " + host
		}
		got := p.Raw(t, line+"\r\nConnection: close\r\n\r\n")
		if !strings.HasPrefix(got, "HTTP/1.1 4") {
			t.Errorf("%q: %q", line, got)
		}
	}
}
