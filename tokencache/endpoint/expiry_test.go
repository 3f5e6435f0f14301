package endpoint

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestExpiry(t *testing.T) {
	sent := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	none := time.Duration(0)
	tests := []struct {
		json, unit string
		want       time.Duration // after sent; 0: unusable
	}{
		{`7200`, "s", 7200 * time.Second}, {`"43199"`, "", 43199 * time.Second}, {`" 60 "`, "s", time.Minute},
		{`1.5`, "s", 1500 * time.Millisecond}, {`7.2e3`, "s", 2 * time.Hour}, {`0.5`, "s", 500 * time.Millisecond},
		{`0`, "s", none}, {`-1`, "s", none}, {`-1e400`, "s", none}, {`"NaN"`, "s", none}, {`"Inf"`, "s", none}, {`"0x1p9"`, "s", none},
		{`"1_000"`, "s", none}, {`"abc"`, "s", none}, {`""`, "s", none}, {`true`, "s", none}, {`null`, "s", none},
		{`{}`, "s", none}, {`[1]`, "s", none}, {`"1h"`, "s", none}, {`1e-300`, "s", none},
		{`1e300`, "s", maxLifetime}, {`1e400`, "s", maxLifetime}, {`99999999999999999999`, "s", maxLifetime}, {`9223372036854775807`, "ms", maxLifetime},
		{`7200000`, "ms", 2 * time.Hour}, {`"250"`, "ms", 250 * time.Millisecond},
		{`1772604427`, "epoch_s", time.Hour + time.Minute}, {`"1772600768"`, "epoch_s", time.Second},
		{`1772600767`, "epoch_s", none}, {`3600`, "epoch_s", none}, {`-5`, "epoch_s", none}, {`1e300`, "epoch_s", maxLifetime}, {`1e400`, "epoch_s", maxLifetime},
		{`1772600767001`, "epoch_ms", time.Millisecond}, {`1772600767`, "epoch_ms", none}, {`9e18`, "epoch_ms", maxLifetime},
		{`"2026-03-04T06:06:07Z"`, "rfc3339", time.Hour}, {`"2026-03-04T05:06:07.5+00:00"`, "rfc3339", 500 * time.Millisecond},
		{`"2026-03-04T05:06:07Z"`, "rfc3339", none}, {`"9999-12-31T23:59:59Z"`, "rfc3339", maxLifetime},
		{`"0000-01-01T00:00:00Z"`, "rfc3339", none}, {`7200`, "rfc3339", none}, {`"tomorrow"`, "rfc3339", none},
	}
	for _, tt := range tests {
		a := &answer{header: http.Header{}}
		a.read([]byte(`{"e":` + tt.json + `}`))
		got, problem := a.expiry(Response{ExpiresIn: at("e"), ExpiresUnit: tt.unit}, "", sent)
		want := time.Time{}
		if tt.want != 0 {
			want = sent.Add(tt.want)
		}
		if !got.Equal(want) {
			t.Errorf("%s %s: %v, want %v", tt.json, tt.unit, got, want)
		}
		if (problem == "") != (tt.want != 0) {
			t.Errorf("%s %s: told %q", tt.json, tt.unit, problem)
		}
	}
	for place, told := range map[string]bool{"expires_in": false, "data.ttl": true} { // the standard allows it to be missing
		if got, problem := (&answer{}).expiry(Response{ExpiresIn: at(place)}, "", sent); !got.IsZero() || (problem != "") != told {
			t.Errorf("missing %s: %v, told %q", place, got, problem)
		}
	}
}

// TestLifetimeInAnotherUnit is unknown, and the problem names the unit.
func TestLifetimeInAnotherUnit(t *testing.T) {
	sent := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	for _, c := range []struct{ text, unit, problem string }{
		{"1795722462", "", "what stands there, as s, is years ahead; it looks like a time of day (epoch): set expires_unit: epoch_s"},
		{"1795722462.5", "s", "set expires_unit: epoch_s"},
		{"1772600000", "s", "set expires_unit: epoch_s"}, // it has passed
		{"1795722462000", "s", "set expires_unit: epoch_ms"},
		{"1.795722462e12", "ms", "as ms, is years ahead; it looks like a time of day (epoch): set expires_unit: epoch_ms"},
		{"1795722462000", "epoch_s", "as epoch_s, is years ahead; it looks like a time of day (epoch): set expires_unit: epoch_ms"},
		{"1795722462", "epoch_ms", "is no time ahead; it looks like a time of day (epoch): set expires_unit: epoch_s"},
		{"1795722462000000", "s", "a unit that no expires_unit has"},
		{"1795722462000000000", "ms", "a unit that no expires_unit has"},
		{"3600", "epoch_s", "is no time ahead; it looks like a time from now on: set expires_unit: s"},
		{"3600", "epoch_ms", "set expires_unit: s"},
		{"3600", "rfc3339", "is no time such as 2006-01-02T15:04:05Z; it looks like a time from now on: set expires_unit: s"},
		{"1795722462", "rfc3339", "set expires_unit: epoch_s"},
		{"2026-11-26T21:07:42Z", "s", "is no number; it looks like a date: set expires_unit: rfc3339"},
		{"2026-11-26T21:07:42.123+08:00", "epoch_ms", "it looks like a date: set expires_unit: rfc3339"},
		{"2026-11-26 21:07:42", "s", `it looks like a date: set expires_unit: { time: "2006-01-02 15:04:05", zone: ... }`},
		{"2026-11-26", "rfc3339", `set expires_unit: { time: "2006-01-02", zone: ... }`},
		{"Thu, 26 Nov 2026 21:07:42 GMT", "s", `set expires_unit: { time: "Mon, 02 Jan 2006 15:04:05 GMT"`},
	} {
		end, problem := expiry(c.text, c.unit, sent)
		if !end.IsZero() || !strings.Contains(problem, c.problem) {
			t.Errorf("%s as %s: %v, told %q", c.text, c.unit, end, problem)
		}
	}
	for text, unit := range map[string]string{
		"86400": "s", "315360000": "s", "2147483647": "s", "4294967295": "s", "9223372036854775807": "s", // as long as can be
		"1795722462": "ms", "1728000000": "ms", // three weeks
		"1795722463": "epoch_s", "1795722463000": "epoch_ms", "4102444800": "epoch_s", "9999-12-31T23:59:59Z": "rfc3339",
	} {
		if end, problem := expiry(text, unit, sent); !end.After(sent) || problem != "" {
			t.Errorf("%s as %s: %v, told %q", text, unit, end, problem)
		}
	}
	if end, problem := expiry("2147483647", "s", sent.AddDate(8, 0, 0)); end.IsZero() || problem != "" {
		t.Errorf("the longest lifetime: %v, told %q", end, problem)
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	for text, want := range map[string]time.Duration{
		"": 0, "0": 0, "-5": 0, "120": 2 * time.Minute, "1e300": maxRetryAfter, "x": 0, "99999999999999999999": maxRetryAfter,
		"Wed, 04 Mar 2026 05:07:07 GMT": time.Minute, "Wed, 04 Mar 2020 05:07:07 GMT": 0, "Wed, 04 Mar 9020 05:07:07 GMT": maxRetryAfter,
	} {
		if got := retryAfter(text, now); got != want {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
}

// TestWrittenEndings: minutes, a platform's own layout with its zone, and the token's own exp.
func TestWrittenEndings(t *testing.T) {
	sent := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	shanghai, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		t.Fatal(err)
	}
	token := func(claims string) string {
		coded := base64.RawURLEncoding
		return coded.EncodeToString([]byte(`{"alg":"RS256","typ":"JWT"}`)) + "." + coded.EncodeToString([]byte(claims)) + ".c2ln"
	}
	for name, c := range map[string]struct {
		response Response
		body     string
		token    string
		want     time.Duration // after sent; 0: none
		problem  string
	}{
		"minutes":               {Response{ExpiresIn: at("e"), ExpiresUnit: "min"}, `{"e":"120"}`, "", 2 * time.Hour, ""},
		"a layout":              {Response{ExpiresIn: at("e"), ExpiresLayout: time.DateTime, ExpiresZone: shanghai}, `{"e":" 2026-03-04 14:06:07"}`, "", time.Hour, ""},
		"a layout of UTC":       {Response{ExpiresIn: at("e"), ExpiresLayout: time.DateTime}, `{"e":"2026-03-04 06:06:07"}`, "", time.Hour, ""},
		"a layout with a zone":  {Response{ExpiresIn: at("e"), ExpiresLayout: "2006-01-02T15:04:05Z0700", ExpiresZone: shanghai}, `{"e":"2026-03-04T06:06:07+0000"}`, "", time.Hour, ""},
		"the past":              {Response{ExpiresIn: at("e"), ExpiresLayout: time.DateTime, ExpiresZone: shanghai}, `{"e":"2026-03-04 06:06:07"}`, "", 0, "no time ahead"},
		"another layout":        {Response{ExpiresIn: at("e"), ExpiresLayout: time.DateTime}, `{"e":"04.03.2026"}`, "", 0, "no time in the layout"},
		"far away":              {Response{ExpiresIn: at("e"), ExpiresLayout: time.DateTime}, `{"e":"9999-03-04 06:06:07"}`, "", maxLifetime, ""},
		"a date in other words": {Response{ExpiresIn: at("e"), ExpiresUnit: "s"}, `{"e":"2026-03-04 14:06:07"}`, "", 0, `set expires_unit: { time: "2006-01-02 15:04:05", zone: ... }`},
		"its own":               {Response{ExpiresJWT: true}, `{}`, token(fmt.Sprintf(`{"exp":%d}`, sent.Add(time.Hour).Unix())), time.Hour, ""},
		"its own, without":      {Response{ExpiresJWT: true}, `{}`, token(`{}`), 0, "no JWT with an exp"},
		"its own, no number":    {Response{ExpiresJWT: true}, `{}`, token(`{"exp":"soon"}`), 0, "no JWT"},
		"its own, absurd":       {Response{ExpiresJWT: true}, `{}`, token(`{"exp":1e300}`), 0, ""},
		"opaque":                {Response{ExpiresJWT: true}, `{}`, "abc", 0, "no JWT"},
	} {
		a := &answer{header: http.Header{}}
		a.read([]byte(c.body))
		got, problem := a.expiry(c.response, c.token, sent)
		if c.want != 0 && !got.Equal(sent.Add(c.want)) || c.want == 0 && !got.IsZero() && problem != "" || !strings.Contains(problem, c.problem) {
			t.Errorf("%s: %v, %q", name, got, problem)
		}
		if !got.IsZero() && (got.Before(sent) || got.After(sent.Add(maxLifetime))) {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// TestCookies: of those that an answer sets, the last of a name counts, and one that is taken back is none.
func TestCookies(t *testing.T) {
	a := &answer{header: http.Header{"Set-Cookie": {"S=first; Path=/", "other=x", "S=second; HttpOnly", "S=; Max-Age=0"}}}
	if got, ok := a.find(Selector{Cookie: "S"}); got != "second" || !ok {
		t.Errorf("%v %v", got, ok)
	}
	if got, ok := a.find(Selector{Cookie: "s"}); ok {
		t.Errorf("%v", got)
	}
}
