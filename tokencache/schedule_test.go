package tokencache

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"
)

func TestLife(t *testing.T) {
	now := time.Unix(1_000_000, 0)
	at := func(d time.Duration) time.Time { return now.Add(d) }
	for _, c := range []struct {
		name           string
		issued, expiry time.Time
		want           time.Duration // of the expiry, from now
	}{
		{"as answered", now, at(2 * time.Hour), 2 * time.Hour},
		{"no lifetime", now, time.Time{}, time.Hour},
		{"in the past", now, at(-time.Minute), time.Hour},
		{"no issue", time.Time{}, at(time.Minute), time.Minute},
		{"issued in the future", at(time.Hour), at(2 * time.Hour), time.Hour},
		{"for ever", now, at(1 << 62), 30 * 24 * time.Hour},
		{"a nanosecond", now, at(1), time.Second},
		{"over before it came", at(-20 * time.Second), at(-10 * time.Second), time.Second},
	} {
		issued, expiry, _ := life(c.issued, c.expiry, now, time.Hour)
		if got := expiry.Sub(now); got != c.want || issued.After(now) {
			t.Errorf("%s: expires in %v, want %v; issued %v", c.name, got, c.want, issued.Sub(now))
		}
	}
}

func TestRenewal(t *testing.T) {
	issued := time.Unix(1_000_000, 0)
	for _, c := range []struct {
		life, buffer time.Duration
		share        float64
		want         time.Duration // before the expiry
	}{
		{12 * time.Hour, time.Minute, 0, time.Minute},
		{12 * time.Hour, time.Minute, 0.5, 75 * time.Second},
		{5 * time.Minute, 5 * time.Minute, 0, 30 * time.Second},
		{5 * time.Minute, time.Minute, 1, 45 * time.Second},
		{time.Second, time.Minute, 0, 100 * time.Millisecond},
	} {
		expiry := issued.Add(c.life)
		if got := expiry.Sub(renewal(issued, expiry, c.buffer, c.share)); got != c.want {
			t.Errorf("life %v, buffer %v, share %v: renewed %v ahead, want %v", c.life, c.buffer, c.share, got, c.want)
		}
	}
}

func TestTokenHidesItsSecrets(t *testing.T) {
	tok := Token{Value: "VALUE", Refresh: "REFRESH", Type: "Bearer"}
	js, err := json.Marshal(struct{ T Token }{tok})
	if err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "token", tok, "in", struct{ T *Token }{&tok})
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "token", tok, "in", []Token{tok})
	out := string(js) + log.String()
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x"} {
		out += fmt.Sprintf(verb, tok) + fmt.Sprintf(verb, &tok) + fmt.Sprintf(verb, []Token{tok})
	}
	if strings.Contains(out, "VALUE") || strings.Contains(out, "REFRESH") {
		t.Errorf("printed: %s", out)
	}
	if !strings.Contains(out, tok.Fingerprint()) {
		t.Errorf("no fingerprint in %s", out)
	}
}
