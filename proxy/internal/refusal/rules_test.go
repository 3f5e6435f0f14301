package refusal

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/andybalholm/brotli"

	"authproxy/internal/jsonpath"
)

func match(path string, values ...string) Match {
	return Match{Path: jsonpath.MustParse(path), Values: values}
}

func brotlied(text string) string {
	var b strings.Builder
	w := brotli.NewWriter(&b)
	_, _ = io.WriteString(w, text)
	_ = w.Close()
	return b.String()
}

// TestLabelsAreHints: whatever an answer is called, a refusal in it is seen, except
// in what is a stream, a file or nothing of which errors are made.
func TestLabelsAreHints(t *testing.T) {
	for _, c := range []struct {
		media, encoding, disposition string
		want                         Trigger
	}{
		{"application/json", "", "", TriggerBody},
		{"text/json", "", "", TriggerBody},
		{"text/html", "", "", TriggerBody},
		{"application/json charset=utf-8", "", "", TriggerBody},
		{"", "", "", TriggerBody},
		{"application/octet-stream", "", "", TriggerBody},
		{"application/javascript", "", "inline", TriggerBody},
		{"text/plain;;;", "none", "", TriggerBody},
		{"application/json", "UTF-8", "", TriggerBody},
		{"application/json", "aws-chunked", "", TriggerBody},
		{"application/json", "identity", "", TriggerBody},
		{"application/json", "gzip", "", TriggerBody}, // and is none
		{"text/event-stream", "", "", ""},
		{"Application/X-NDJSON; charset=utf-8", "", "", ""},
		{"application/geo+json-seq", "", "", ""},
		{"application/grpc+json", "", "", ""},
		{"application/grpc-web-text", "", "", ""},
		{"application/connect+json", "", "", ""},
		{"application/x-ldjson", "", "", ""},
		{"application/json-lines", "", "", ""},
		{"text/x-ndjson", "", "", ""},
		{"application/vnd.api.v2.JSONL", "", "", ""},
		{"application/json;stream=watch", "", "", ""},
		{"application/json; charset=utf-8; Stream = \"watch\"", "", "", ""},
		{"application/vnd.docker.raw-stream", "", "", ""},
		{"application/vnd.amazon.eventstream", "", "", ""},
		{"application/octet-stream; x=1", "", "", TriggerBody},
		{"binary/octet-stream", "", "", TriggerBody},
		{"application/json; streams=2", "", "", TriggerBody},
		{"application/streamlined+json", "", "", TriggerBody},
		{"multipart/mixed; boundary=x", "", "", ""},
		{"image/svg+xml", "", "", ""},
		{"application/json", "", `Attachment; filename="x.json"`, ""},
	} {
		resp := answerOf(c.media, int64(len(envelopeText)), strings.NewReader(envelopeText))
		if c.media == "" {
			resp.Header.Del("Content-Type")
		}
		resp.Header.Set("Content-Encoding", c.encoding)
		resp.Header.Set("Content-Disposition", c.disposition)
		if got := examine(testDetector(), resp, nil); got != c.want {
			t.Errorf("%+v: %q", c, got)
		}
		if body, err := io.ReadAll(resp.Body); err != nil || string(body) != envelopeText {
			t.Errorf("%+v: %q, %v", c, body, err)
		}
	}
}

func TestCodings(t *testing.T) {
	for label, body := range map[string]string{"": zipped(envelopeText), "utf-8": zipped(envelopeText), "gzip;q=1": zipped(envelopeText), "br": brotlied(envelopeText), "gzip": zipped(envelopeText), "gzip, br": brotlied(zipped(envelopeText)), "x-gzip": zipped(envelopeText)} {
		for _, length := range []int64{-1, int64(len(body))} {
			resp := answerOf("application/json", length, iotest.OneByteReader(strings.NewReader(body)))
			if resp.Header.Set("Content-Encoding", label); label == "" {
				resp.Header.Del("Content-Encoding")
			}
			if got := examine(testDetector(), resp, nil); got != TriggerBody {
				t.Errorf("%s, length %d: %q", label, length, got)
			}
			if got, err := io.ReadAll(resp.Body); err != nil || string(got) != body {
				t.Errorf("%s: other bytes, %v", label, err)
			}
		}
	}
}

// TestRules: which bodies, headers and statuses refuse the token.
func TestRules(t *testing.T) {
	envelope := Rules{Body: [][]Match{{match("code", "BAD", "4*"), match("requestId", "*")}, {match("error", "unauthenticated")}}}
	header := Rules{Header: map[string][]string{"www-authenticate": {"*invalid_token*"}}}
	not := Refusal{Rules: Rules{Status: []int{401, 403}, Body: [][]Match{{match("code", "BAD")}}},
		Not: Rules{Status: []int{500}, Body: [][]Match{{match("sub", "QUOTA")}}, Header: map[string][]string{"X-Ok": {"*"}}}}
	for name, c := range map[string]struct {
		refusal Refusal
		status  int
		header  http.Header
		body    string
		want    Trigger
	}{
		"the whole envelope":     {Refusal{Rules: envelope}, 200, nil, `{"code":"BAD","requestId":"1"}`, TriggerBody},
		"half of it":             {Refusal{Rules: envelope}, 200, nil, `{"code":"BAD","message":"wrong password"}`, ""},
		"the id is null":         {Refusal{Rules: envelope}, 200, nil, `{"code":"BAD","requestId":null}`, ""},
		"the other one":          {Refusal{Rules: envelope}, 200, nil, `{"error":"unauthenticated"}`, TriggerBody},
		"a star in a number":     {Refusal{Rules: envelope}, 200, nil, `{"code":4001,"requestId":7}`, TriggerBody},
		"something behind":       {Refusal{Rules: envelope}, 200, nil, `{"error":"unauthenticated"} {}`, ""},
		"a line of a log":        {Refusal{Rules: envelope}, 200, nil, "{\"error\":\"unauthenticated\"}\nnext", ""},
		"white space behind":     {Refusal{Rules: envelope}, 200, nil, "{\"error\":\"unauthenticated\"}\r\n \n", TriggerBody},
		"only stars":             {Refusal{Rules: Rules{Body: [][]Match{{match("fault", "*")}}}}, 200, nil, `{"fault":0}`, TriggerBody},
		"line feed in a value":   {Refusal{Rules: inBody("msg", "a\nb")}, 200, nil, `{"msg":"a\nb"}`, TriggerBody},
		"quote in a value":       {Refusal{Rules: inBody("msg", `a"b\c`)}, 200, nil, `{"msg":"a\"b\\c"}`, TriggerBody},
		"escapes":                {Refusal{Rules: inBody("msg", "过期")}, 200, nil, `{"msg":"\u8fc7\u671f"}`, TriggerBody},
		"escaped slash":          {Refusal{Rules: inBody("msg", "*a/b*")}, 200, nil, `{"msg":"xa\/by"}`, TriggerBody},
		"a JSON string":          {Refusal{Rules: inBody("$", "token*")}, 200, nil, `"token expired"`, TriggerBody},
		"a number":               {Refusal{Rules: inBody("$", "401")}, 200, nil, "401", TriggerBody},
		"an array":               {Refusal{Rules: inBody("[0].errorCode", "INVALID_SESSION_ID")}, 200, nil, `[{"errorCode":"INVALID_SESSION_ID"}]`, TriggerBody},
		"a header":               {Refusal{Rules: header}, 200, http.Header{"Www-Authenticate": {"Basic", `Bearer error="invalid_token"`}}, "", TriggerHeader},
		"another header":         {Refusal{Rules: header}, 401, http.Header{"Www-Authenticate": {"Basic"}}, "", ""},
		"not by status":          {not, 500, nil, `{"code":"BAD"}`, ""},
		"not by header":          {not, 401, http.Header{"X-Ok": {"1"}}, ``, ""},
		"not by body":            {not, 401, nil, `{"code":"BAD","sub":"QUOTA"}`, ""},
		"not by body, body rule": {not, 200, nil, `{"code":"BAD","sub":"QUOTA"}`, ""},
		"no exception":           {not, 401, nil, `{"code":"X","sub":"OTHER"}`, TriggerStatus},
		"no exception, body":     {not, 200, nil, `{"code":"BAD","sub":"OTHER"}`, TriggerBody},
		"no exception, no JSON":  {not, 403, nil, `<html>`, TriggerStatus},
	} {
		c.refusal.Wait = time.Second
		for _, length := range []int64{-1, int64(len(c.body))} {
			resp := answerOf("application/json", length, strings.NewReader(c.body))
			resp.StatusCode = c.status
			for k, v := range c.header {
				resp.Header[k] = v
			}
			if got := examine(New(c.refusal), resp, nil); got != c.want {
				t.Errorf("%s, length %d: %q, want %q", name, length, got, c.want)
			}
			if got, err := io.ReadAll(resp.Body); err != nil || string(got) != c.body {
				t.Errorf("%s: %q, %v", name, got, err)
			}
		}
	}
}

// told counts what a Late is told.
type told struct{ passed, late int }

func (t *told) TooLate() { t.late++ }
func (t *told) Passed()  { t.passed++ }

// TestHeldUpToWait: with a length and without, a refusal that comes within the time
// is seen, and one that comes later is told of when it has been read.
func TestHeldUpToWait(t *testing.T) {
	const first = 20
	for _, c := range []struct {
		pause    time.Duration // before the first byte, and behind the first bytes
		encoding string
		trigger  Trigger
		late     int
	}{
		{60 * time.Millisecond, "", TriggerBody, 0},
		{499 * time.Millisecond, "", TriggerBody, 0},
		{501 * time.Millisecond, "", "", 1},
		{time.Minute, "", "", 1},
		{60 * time.Millisecond, "gzip", TriggerBody, 0},
		{time.Minute, "gzip", "", 1},
	} {
		body := envelopeText
		if c.encoding != "" {
			body = zipped(envelopeText)
		}
		for _, length := range []int64{-1, int64(len(body))} {
			synctest.Test(t, func(t *testing.T) {
				pr, pw := io.Pipe()
				go func() {
					time.Sleep(c.pause)
					_, _ = io.WriteString(pw, body[:first])
					time.Sleep(c.pause)
					_, _ = io.WriteString(pw, body[first:])
					pw.Close()
				}()
				resp := answerOf("text/html", length, pr)
				resp.Header.Set("Content-Encoding", c.encoding)
				var late told
				start := time.Now()
				if got := examine(testDetector(), resp, &late); got != c.trigger || time.Since(start) > time.Second {
					t.Errorf("%+v, length %d: %q after %v", c, length, got, time.Since(start))
				}
				if got, err := io.ReadAll(resp.Body); err != nil || string(got) != body || late != (told{late: c.late}) {
					t.Errorf("%+v, length %d: %q, %v; told %+v", c, length, got, err, late)
				}
				if err := resp.Body.Close(); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

// TestWholeValueIsNotHeld, also when more was announced; only a refusal is, until it
// is known whether something stands behind it.
func TestWholeValueIsNotHeld(t *testing.T) {
	for body, c := range map[string]struct {
		length int64
		held   time.Duration
		want   Trigger
	}{
		`{"code":"OK"}`:                      {100, 0, ""},
		`{"code":"OK"} `:                     {-1, 0, ""},
		`{"code":"INVALID_ACCESS_TOKEN"}`:    {-1, time.Second, TriggerBody},
		`{"code":"INVALID_ACCESS_TOKEN"} `:   {100, time.Second, ""},
		`{"code":"INVALID_ACCESS_TOKEN"} no`: {100, 0, ""},
	} {
		synctest.Test(t, func(t *testing.T) {
			pr, pw := io.Pipe()
			go func() {
				_, _ = io.WriteString(pw, body)
				time.Sleep(time.Hour)
				pw.Close()
			}()
			start := time.Now()
			resp := answerOf("application/json", c.length, pr)
			if got := examine(testDetector(), resp, nil); got != c.want || time.Since(start) != c.held {
				t.Errorf("%s: %q after %v", body, got, time.Since(start))
			}
			_, _ = io.Copy(io.Discard, resp.Body)
		})
	}
}

// TestCodedStreamThatPauses: what is flushed is seen, though the coding has not ended.
func TestCodedStreamThatPauses(t *testing.T) {
	for text, want := range map[string]time.Duration{`{"event":1}`: lookQuiet, "hello": lookQuiet, `{"eve`: time.Second} {
		synctest.Test(t, func(t *testing.T) {
			pr, pw := io.Pipe()
			go func() {
				w := brotli.NewWriter(pw)
				_, _ = io.WriteString(w, text)
				_ = w.Flush()
				time.Sleep(time.Hour)
				_ = w.Close()
				pw.Close()
			}()
			start := time.Now()
			resp := answerOf("application/json", -1, pr)
			resp.Header.Set("Content-Encoding", "br")
			if got := examine(testDetector(), resp, nil); got != "" || time.Since(start) > want {
				t.Errorf("%s: %q after %v", text, got, time.Since(start))
			}
			if _, err := io.ReadAll(resp.Body); err != nil {
				t.Error(err)
			}
		})
	}
}

// FuzzScanner: however the text is cut, the scanner says of a JSON value that it is
// whole exactly where encoding/json says so.
func FuzzScanner(f *testing.F) {
	f.Add(`{"a":[1,{"b":"}\""}]} `)
	f.Add(`"a\\" x`)
	f.Add(`[]]`)
	f.Add(`12 3`)
	f.Fuzz(func(t *testing.T, text string) {
		all := Rules{Body: [][]Match{{match("$", "*"), match("a", "*"), match("[0]", "*")}}}
		d := New(Refusal{Rules: all})
		d.begins['{'], d.begins['['] = true, true
		once, bytewise := scanner{begins: &d.begins}, scanner{begins: &d.begins}
		at := once.follow([]byte(text))
		for i := range text {
			bytewise.follow([]byte(text[:i]))
		}
		if got := bytewise.follow([]byte(text)); got != at {
			t.Errorf("%q: %v at once, %v bytewise", text, at, got)
		}
		if valid := jsonValid(text); valid && at != whole && !(at == partly && once.scalar) {
			t.Errorf("%q is JSON and taken for %v", text, at)
		}
	})
}

func jsonValid(text string) bool {
	text, _ = strings.CutPrefix(text, string(byteOrderMark))
	return json.Valid([]byte(text))
}
