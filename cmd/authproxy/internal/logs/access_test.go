package logs

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"authproxy/proxy"
)

// lines runs f with an access log in fake time and returns what it wrote.
func lines(t *testing.T, mode string, level slog.Level, f func(l *Access)) []string {
	t.Helper()
	var text bytes.Buffer
	synctest.Test(t, func(*testing.T) {
		l := NewAccess(slog.New(slog.NewTextHandler(&text, &slog.HandlerOptions{Level: level})), mode, func(r *http.Request) string { return r.RemoteAddr })
		f(l)
		l.Close()
		synctest.Wait()
	})
	return strings.Split(strings.TrimSuffix(text.String(), "\n"), "\n")
}

func failedRequest(path string) *proxy.Record {
	return &proxy.Record{Upstream: "up", Method: "GET", Path: path, Status: 502, Rejected: proxy.CodeUpstreamUnreachable, UpstreamError: proxy.ReasonDial, Err: errors.New("refused")}
}

// TestAnOutageIsNoFlood: equal errors are a line in ten seconds, and none is
// forgotten.
func TestAnOutageIsNoFlood(t *testing.T) {
	got := lines(t, "errors", slog.LevelInfo, func(l *Access) {
		for i := range 4286 { // half a minute
			l.finished(failedRequest(fmt.Sprint("/", i)))
			time.Sleep(7 * time.Millisecond)
		}
		time.Sleep(time.Hour)
		l.finished(failedRequest("/late"))
		time.Sleep(time.Second)
		l.finished(failedRequest("/later")) // told of at the end
	})
	counted := 0
	for _, line := range got {
		n := 1
		if _, text, ok := strings.Cut(line, " repeated="); ok {
			more := 0
			_, _ = fmt.Sscan(text, &more)
			n += more
		}
		counted += n
	}
	if len(got) != 6 || counted != 4288 {
		t.Errorf("%d lines of %d requests: %s", len(got), counted, strings.Join(got, "\n"))
	}
	for i, path := range []string{"/0 ", "/1428 ", "/2857 ", "/4285 ", "/late ", "/later "} {
		if i < len(got) && !strings.Contains(got[i], "path="+path) {
			t.Errorf("line %d: %s", i, got[i])
		}
	}
}

// TestPathsThatAreNotAllowed are told apart, but not without end.
func TestPathsThatAreNotAllowed(t *testing.T) {
	got := lines(t, "errors", slog.LevelInfo, func(l *Access) {
		for range 2 {
			for i := range 1000 {
				l.finished(&proxy.Record{Upstream: "up", Method: "GET", Path: fmt.Sprint("/", i), Status: 403, Rejected: proxy.CodeNotAllowed})
			}
		}
		time.Sleep(time.Minute)
		if l.finished(&proxy.Record{Upstream: "up", Path: "/new", Status: 403, Rejected: proxy.CodeNotAllowed}); len(l.seen) > 2 {
			t.Errorf("%d are remembered", len(l.seen))
		}
	})
	// 20 paths and one for the rest, each of them once more when the time has
	// come, and the new one.
	if len(got) != 2*(maxRequests+1)+1 {
		t.Errorf("%d lines", len(got))
	}
}

// TestHostsThatAreNotAllowed are told apart: each may have to be added.
func TestHostsThatAreNotAllowed(t *testing.T) {
	got := strings.Join(lines(t, "errors", slog.LevelInfo, func(l *Access) {
		for i := range 9 {
			l.finished(&proxy.Record{Method: "GET", Path: "/", Status: 421, Rejected: proxy.CodeHostNotAllowed, Err: fmt.Errorf("the Host %c", 'a'+i%3)})
		}
	}), "\n")
	for _, host := range []string{"a", "b", "c"} {
		if n := strings.Count(got, "the Host "+host); n != 2 { // the first, and the latest with the others
			t.Errorf("%d lines about %s: %s", n, host, got)
		}
	}
}

// TestStrangersDoNotFillTheLog that has a line for each request.
func TestStrangersDoNotFillTheLog(t *testing.T) {
	for _, code := range []proxy.Code{proxy.CodeCrossSite, proxy.CodeHostNotAllowed, proxy.CodeCallerUnknown} {
		got := lines(t, "all", slog.LevelInfo, func(l *Access) {
			for i := range 1000 {
				l.finished(&proxy.Record{Method: "GET", Path: fmt.Sprint("/", i, strings.Repeat("x", 100_000)), Status: code.Status(), Rejected: code})
				time.Sleep(10 * time.Millisecond)
			}
		})
		if size := len(strings.Join(got, "\n")); size > 10*4<<10 {
			t.Errorf("%s: %d bytes in ten seconds", code, size)
		}
	}
}

func TestWhatIsLogged(t *testing.T) {
	for name, c := range map[string]struct {
		record proxy.Record
		want   string // for none, errors and all at level info, and for errors at level debug
	}{
		"good":          {proxy.Record{Status: 200}, "- - INFO -"},
		"the platform":  {proxy.Record{Status: 404}, "- - INFO -"},
		"its trouble":   {proxy.Record{Status: 503}, "- WARN WARN WARN"},
		"ours":          {proxy.Record{Status: 404, Rejected: proxy.CodeNoRoute}, "- WARN WARN WARN"},
		"a cut answer":  {proxy.Record{Status: 200, UpstreamError: proxy.ReasonReset}, "- WARN WARN WARN"},
		"recovered":     {proxy.Record{Status: 200, Trigger: proxy.TriggerBody, Outcome: proxy.OutcomeRecovered}, "- - INFO DEBUG"},
		"still refused": {proxy.Record{Status: 401, Trigger: proxy.TriggerStatus, Outcome: proxy.OutcomeStillRefused}, "- WARN WARN WARN"},
		"a defect":      {proxy.Record{Status: 500, Err: fmt.Errorf("%w: x", proxy.ErrDefect)}, "ERROR ERROR ERROR ERROR"},
	} {
		var got []string
		for _, mode := range []string{"none", "errors", "all", "errors at debug"} {
			level := slog.LevelInfo
			mode, debug := strings.CutSuffix(mode, " at debug")
			if debug {
				level = slog.LevelDebug
			}
			line := lines(t, mode, level, func(l *Access) { l.finished(&c.record) })[0]
			_, word, _ := strings.Cut(line, "level=")
			word, _, _ = strings.Cut(word+"-", " ")
			got = append(got, word)
		}
		if text := strings.Join(got, " "); text != c.want {
			t.Errorf("%s: %s, want %s", name, text, c.want)
		}
	}
}
