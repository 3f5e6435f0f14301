package logs

import (
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"authproxy/proxy"
)

// from is a request with these header fields, of one peer.
func from(fields ...string) *http.Request {
	r := &http.Request{Header: http.Header{}, RemoteAddr: "127.0.0.1:40000"}
	for i := 0; i < len(fields); i += 2 {
		r.Header.Set(fields[i], fields[i+1])
	}
	return r
}

const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"

// TestOrigins: a line says where its request came from, as far as that is known, cut and escaped.
func TestOrigins(t *testing.T) {
	for name, c := range map[string]struct {
		request *http.Request
		want    string
	}{
		"all":             {from("traceparent", traceparent, "X-Request-Id", "r-1", "User-Agent", "Legacy/1.0"), " trace_id=0af7651916cd43dd8448eb211c80319c request_id=r-1 peer=127.0.0.1:40000 user_agent=Legacy/1.0"},
		"nothing":         {from(), " peer=127.0.0.1:40000"},
		"no trace":        {from("traceparent", "token=abc"), " peer=127.0.0.1:40000"},
		"no request":      {nil, ""},
		"somebody's line": {from("X-Request-Id", "a\nlevel=ERROR"), ` request_id="a\\u000alevel=ERROR" peer=127.0.0.1:40000`},
	} {
		got := lines(t, "all", slog.LevelInfo, func(l *Access) { l.finished(&proxy.Record{Status: 200, Request: c.request}) })
		if _, rest, _ := strings.Cut(got[0], " token=\"\""); len(got) != 1 || rest != c.want {
			t.Errorf("%s: %q, want %q", name, rest, c.want)
		}
	}
	long := lines(t, "all", slog.LevelInfo, func(l *Access) {
		l.finished(&proxy.Record{Status: 200, Request: from("X-Request-Id", strings.Repeat("x", 100_000), "User-Agent", strings.Repeat("y", 100_000))})
	})
	if len(long[0]) > 4*maxWord {
		t.Errorf("%d bytes", len(long[0]))
	}
}

// TestOriginsOfRepetitions: the line about what was counted says where the latest came from, and does not
// keep its request.
func TestOriginsOfRepetitions(t *testing.T) {
	got := lines(t, "errors", slog.LevelInfo, func(l *Access) {
		for i := range 5 {
			r := failedRequest("/a")
			r.Request = from("X-Request-Id", fmt.Sprint("r-", i))
			l.finished(r)
		}
		for _, rep := range l.seen {
			if rep.last.Request != nil {
				t.Error("a request is kept")
			}
		}
	})
	if len(got) != 2 || !strings.Contains(got[0], "request_id=r-0") || !strings.Contains(got[1], "request_id=r-4") {
		t.Errorf("%q", got)
	}
}
