package logs

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestNetHTTPIsNoFlood: of equal lines one in ten seconds, however many strangers call
// forth, and in whatever words; the others are counted.
func TestNetHTTPIsNoFlood(t *testing.T) {
	var text bytes.Buffer
	synctest.Test(t, func(*testing.T) {
		l := NetHTTP(slog.New(slog.NewTextHandler(&text, nil)))
		for i := range 300 {
			l.Printf("http2: server: error reading preface from client 127.0.0.1:%d: bogus greeting", i)
			l.Printf("%c%c: a stranger's own words", 'a'+i%26, 'a'+i/26)
		}
		time.Sleep(time.Minute)
		l.Printf("http2: server: error reading preface from client 127.0.0.1:9: bogus greeting")
		time.Sleep(time.Minute)
	})
	got := strings.TrimSpace(text.String())
	if lines := strings.Count(got, "\n") + 1; lines > 2*maxNetHTTP+2 || !strings.Contains(got, "repeated=299") || strings.Count(got, "bogus greeting") != 2 {
		t.Errorf("%d lines:\n%s", lines, got)
	}
	total := 0
	for line := range strings.Lines(got) {
		n := 1
		if _, count, ok := strings.Cut(line, "repeated="); ok {
			_, _ = fmt.Sscan(count, &n)
		}
		total += n
	}
	if total != 601 {
		t.Errorf("%d of 601 are told of:\n%s", total, got)
	}
}
