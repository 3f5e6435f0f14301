package refusal

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"authproxy/internal/jsonpath"
)

const envelopeText = `{"code":"INVALID_ACCESS_TOKEN","requestId":"79e7","message":"access token verify failed: jwt expired"}`

// inBody are rules for one place.
func inBody(path string, values ...string) Rules {
	return Rules{Body: [][]Match{{{Path: jsonpath.MustParse(path), Values: values}}}}
}

func testDetector() *Detector {
	return New(Refusal{Rules: inBody("code", "INVALID_ACCESS_TOKEN"), Wait: time.Second})
}

func answerOf(contentType string, length int64, body io.Reader) *http.Response {
	return &http.Response{
		StatusCode: 200, ContentLength: length, Body: io.NopCloser(body),
		Header: http.Header{"Content-Type": {contentType}},
	}
}

// examine is Examine, with the answer that goes on in the place of resp.
func examine(d *Detector, resp *http.Response, late Late) Trigger {
	passed, by := d.Examine(resp, late)
	*resp = *passed
	return by
}

// FuzzLook: whatever arrives, and however it is cut, the look returns every
// byte of it, and its verdict is that of a plain reading.
func FuzzLook(f *testing.F) {
	f.Add([]byte(envelopeText), true, uint8(1), "")
	f.Add([]byte(`{"code":"x"}{"code":"INVALID_ACCESS_TOKEN"}`), false, uint8(3), "")
	f.Add([]byte("[1,2"), true, uint8(0), "gzip")
	f.Add(bytes.Repeat([]byte("{"), lookLimit+5), true, uint8(200), "zstd")
	f.Fuzz(func(t *testing.T, body []byte, chunked bool, cut uint8, encoding string) {
		r := testDetector()
		length := int64(len(body))
		if chunked {
			length = -1
		}
		resp := answerOf("application/json", length, pieces{bytes.NewReader(body), int(cut) + 1})
		resp.Header.Set("Content-Encoding", encoding)
		trigger := examine(r, resp, nil)
		got, err := io.ReadAll(resp.Body)
		if err != nil || !bytes.Equal(got, body) {
			t.Errorf("%d of %d bytes came back: %v", len(got), len(body), err)
		}
		if trigger == TriggerBody && !bytes.Contains(body, []byte(`\`)) && encoding == "" && !bytes.Contains(body, []byte("INVALID_ACCESS_TOKEN")) {
			t.Errorf("found in %q", body)
		}
		if err := resp.Body.Close(); err != nil {
			t.Error(err)
		}
		if n, err := resp.Body.Read(make([]byte, 1)); n != 0 || err == nil {
			t.Errorf("after Close: %d, %v", n, err)
		}
	})
}

// pieces reads at most n bytes at a time.
type pieces struct {
	r io.Reader
	n int
}

func (p pieces) Read(b []byte) (int, error) { return p.r.Read(b[:min(len(b), p.n)]) }

func FuzzJSONPath(f *testing.F) {
	f.Add("code", []byte(envelopeText))
	f.Add("a.b[0].c", []byte(`{"a":{"b":[{"c":"INVALID_ACCESS_TOKEN"}]}}`))
	f.Add("[-1]['x-y']", []byte(`[{"x-y":true}]`))
	f.Add("..*", []byte(`{"a":[[[1]]]}`))
	f.Fuzz(func(t *testing.T, path string, doc []byte) {
		expr, err := jsonpath.Parse(path)
		if err != nil {
			return
		}
		r := New(Refusal{Rules: Rules{Body: [][]Match{{{Path: expr, Values: []string{"INVALID_ACCESS_TOKEN", "1", "true"}}}}}})
		r.read(doc)
	})
}

func TestStreamIsNotHeldBack(t *testing.T) {
	for name, c := range map[string]struct {
		contentType string
		first       string
		held        time.Duration // at most
	}{
		"values in JSON":      {"application/json", `{"event":1}` + "\n", 0},
		"the code is another": {"application/json", `{"code":"OK"}`, 0},
		"half a value":        {"application/json", `{"items":[`, time.Second},
		"an array":            {"application/json", `[{"code":`, 0},
		"a text":              {"application/json", `"abc`, 0},
		"a value and more":    {"application/json", envelopeText + envelopeText[:9], 0},
		"not an object":       {"text/plain", `{ hello`, 0},
		"no JSON":             {"text/plain", "hello", 0},
		"nothing yet":         {"application/json", "", time.Second},
		"white space":         {"", " \n", time.Second},
		"zipped text":         {"text/html", zipped("<html>" + strings.Repeat("<p>some text", 99)), 0},
		"an event stream":     {"text/event-stream", "data: 1\n\n", 0},
		"lines of JSON":       {"application/x-ndjson", `{"event":1}` + "\n", 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				pr, pw := io.Pipe()
				go func() {
					_, _ = io.WriteString(pw, c.first)
					time.Sleep(time.Hour)
					_, _ = io.WriteString(pw, "rest")
					pw.Close()
				}()
				start := time.Now()
				resp := answerOf(c.contentType, -1, pr)
				if strings.HasPrefix(c.first, "\x1f") {
					resp.Header.Set("Content-Encoding", "gzip")
				}
				if trigger := examine(testDetector(), resp, nil); trigger != "" {
					t.Errorf("refused by %s", trigger)
				}
				got := make([]byte, len(c.first))
				if _, err := io.ReadFull(resp.Body, got); err != nil || string(got) != c.first {
					t.Errorf("read %q, %v", got, err)
				}
				if d := time.Since(start); d > c.held {
					t.Errorf("held back for %v", d)
				}
				if rest, err := io.ReadAll(resp.Body); err != nil || string(rest) != "rest" {
					t.Errorf("the rest: %q, %v", rest, err)
				}
			})
		})
	}
}

// A body that trickles without pausing for long is let go all the same.
func TestTrickleIsLetGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pr, pw := io.Pipe()
		go func() {
			_, _ = io.WriteString(pw, `{"x":"`)
			for range 2000 {
				time.Sleep(lookQuiet / 2)
				_, _ = io.WriteString(pw, "x")
			}
			pw.Close()
		}()
		start := time.Now()
		resp := answerOf("application/json", -1, pr)
		examine(testDetector(), resp, nil)
		if d := time.Since(start); d > time.Second {
			t.Errorf("held back for %v", d)
		}
		if got, err := io.ReadAll(resp.Body); len(got) != 2006 || err != nil {
			t.Errorf("%d bytes, %v", len(got), err)
		}
	})
}

func TestEnvelopeInPieces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pr, pw := io.Pipe()
		go func() { // a keep-alive connection: the body's end is not announced by an end of file
			for _, c := range []byte(envelopeText) {
				_, _ = pw.Write([]byte{c})
			}
			time.Sleep(time.Hour)
			pw.Close()
		}()
		resp := answerOf("application/json", -1, pr)
		if trigger := examine(testDetector(), resp, nil); trigger != TriggerBody {
			t.Error("not found")
		}
		if got, err := io.ReadAll(resp.Body); err != nil || string(got) != envelopeText {
			t.Errorf("%q, %v", got, err)
		}
	})
}

func TestLookPassesOnHowTheBodyBroke(t *testing.T) {
	broken := errors.New("reset")
	for _, length := range []int64{-1, 100} {
		resp := answerOf("application/json", length, io.MultiReader(strings.NewReader(`{"co`), iotest.ErrReader(broken)))
		examine(testDetector(), resp, nil)
		if got, err := io.ReadAll(resp.Body); string(got) != `{"co` || !errors.Is(err, broken) {
			t.Errorf("length %d: %q, %v", length, got, err)
		}
	}
	resp := answerOf("application/json", 100, strings.NewReader(`{"co`))
	examine(testDetector(), resp, nil)
	if got, err := io.ReadAll(resp.Body); string(got) != `{"co` || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("short: %q, %v", got, err)
	}
}

func BenchmarkLook(b *testing.B) {
	for name, body := range map[string]string{
		"small":  `{"data":{"id":1,"name":"x"},"requestId":"79e7c0fc8286e"}`,
		"large":  `{"data":"` + strings.Repeat("x", 60<<10) + `"}`,
		"refuse": envelopeText,
	} {
		for _, chunked := range []bool{false, true} {
			b.Run(fmt.Sprint(name, "/chunked=", chunked), func(b *testing.B) {
				r := testDetector()
				req := httptest.NewRequest("GET", "/", nil)
				b.ReportAllocs()
				for b.Loop() {
					length := int64(len(body))
					if chunked {
						length = -1
					}
					resp := answerOf("application/json", length, strings.NewReader(body))
					resp.Request = req
					examine(r, resp, nil)
					_, _ = io.Copy(io.Discard, resp.Body)
					resp.Body.Close()
				}
			})
		}
	}
}
