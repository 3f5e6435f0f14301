package refusal

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestToldOnce: of an answer that goes on, it is told once that it passed, as soon as
// that is known, or that it was too late; of a refusal nothing.
func TestToldOnce(t *testing.T) {
	const refusal = `{"code":"INVALID_ACCESS_TOKEN"}`
	for name, c := range map[string]struct {
		status int
		media  string
		pieces []string // with two seconds between them
		now    told     // when the answer goes on
		end    told
	}{
		"whole":                      {200, "", []string{`{"code":"OK"}`}, told{passed: 1}, told{passed: 1}},
		"no JSON":                    {200, "", []string{"hello", "hello"}, told{passed: 1}, told{passed: 1}},
		"a file":                     {200, "image/png", []string{refusal}, told{passed: 1}, told{passed: 1}},
		"empty":                      {204, "", nil, told{passed: 1}, told{passed: 1}},
		"by status":                  {401, "", []string{"{"}, told{}, told{}},
		"by body":                    {200, "", []string{refusal}, told{}, told{}},
		"a late one":                 {200, "", []string{refusal[:9], refusal[9:]}, told{}, told{late: 1}},
		"late, and none":             {200, "", []string{`{"code":`, `"OK"}`}, told{}, told{passed: 1}},
		"late, and something behind": {200, "", []string{refusal[:9], refusal[9:], " {}"}, told{}, told{passed: 1}},
		"no byte in time":            {200, "", []string{"", refusal}, told{}, told{late: 1}},
	} {
		for _, sized := range []bool{true, false} {
			synctest.Test(t, func(t *testing.T) {
				text := strings.Join(c.pieces, "")
				resp := answerOf(c.media, -1, inPieces(c.pieces, 2*time.Second))
				if resp.StatusCode = c.status; sized {
					resp.ContentLength = int64(len(text))
				}
				d := testDetector()
				d.refused.status = []int{401}
				var got told
				examine(d, resp, &got)
				if got != c.now {
					t.Errorf("%s, sized %v: told %+v at once, want %+v", name, sized, got, c.now)
				}
				if body, err := io.ReadAll(resp.Body); string(body) != text || err != nil || got != c.end {
					t.Errorf("%s, sized %v: %q, %v; told %+v, want %+v", name, sized, body, err, got, c.end)
				}
				resp.Body.Close()
			})
		}
	}
}

// inPieces is a body that comes in pieces with a pause between them.
func inPieces(pieces []string, pause time.Duration) io.Reader {
	pr, pw := io.Pipe()
	go func() {
		for i, piece := range pieces {
			if i > 0 {
				time.Sleep(pause)
			}
			_, _ = io.WriteString(pw, piece)
		}
		pw.Close()
	}()
	return pr
}

// TestFirstLineOfAStream is no refusal, however long the next one takes within the
// time: a request that was executed would be executed twice.
func TestFirstLineOfAStream(t *testing.T) {
	for _, coding := range []string{"", "gzip", "br"} {
		for _, pause := range []time.Duration{time.Millisecond, 5 * time.Millisecond, 300 * time.Millisecond, 999 * time.Millisecond} {
			synctest.Test(t, func(t *testing.T) {
				pieces := []string{`{"code":"INVALID_ACCESS_TOKEN"}` + "\n", `{"code":"OK"}`}
				switch coding {
				case "gzip":
					pieces = []string{zipped(pieces[0]), zipped(pieces[1])}
				case "br":
					both := brotlied(pieces[0] + strings.Repeat(pieces[1], 50))
					pieces = []string{both[:len(both)-4], both[len(both)-4:]}
				}
				resp := answerOf("", -1, inPieces(pieces, pause))
				resp.Header.Set("Content-Encoding", coding)
				var late told
				if got := examine(testDetector(), resp, &late); got != "" || late.late > 0 {
					t.Errorf("%q after %v: %q, told %+v", coding, pause, got, late)
				}
				if body, err := io.ReadAll(resp.Body); string(body) != strings.Join(pieces, "") || err != nil || late != (told{passed: 1}) {
					t.Errorf("%q after %v: %q, %v, told %+v", coding, pause, body, err, late)
				}
			})
		}
	}
}

// withTrailer is a body that does at its end what net/http does: it puts trailers
// into the answer.
type withTrailer struct {
	io.Reader
	resp *http.Response
}

func (w withTrailer) Read(p []byte) (int, error) {
	n, err := w.Reader.Read(p)
	if err != nil {
		if w.resp.Trailer == nil {
			w.resp.Trailer = http.Header{}
		}
		w.resp.Trailer["X-End"] = []string{"1"}
	}
	return n, err
}

func (withTrailer) Close() error { return nil }

// TestTrailers come with the end of the body, whenever that is read ahead, to who
// reads it and in its own time.
func TestTrailers(t *testing.T) {
	for _, announced := range []http.Header{nil, {"X-End": nil}} {
		for _, body := range []string{`{"code":"OK"}`, "hello", `{"co`} {
			resp := answerOf("", -1, nil)
			resp.Trailer = announced.Clone()
			ended := make(chan struct{})
			pr, pw := io.Pipe()
			go func() {
				_, _ = io.WriteString(pw, body)
				<-ended
				pw.Close()
			}()
			resp.Body = withTrailer{pr, resp}
			d := testDetector()
			d.wait = time.Millisecond
			passed, _ := d.Examine(resp, nil)
			close(ended)
			for range 100 {
				if len(passed.Trailer["X-End"]) > 0 || len(passed.Trailer) != len(announced) {
					t.Fatalf("%s: trailers %v before the end", body, passed.Trailer)
				}
			}
			if got, err := io.ReadAll(passed.Body); string(got) != body || err != nil || passed.Trailer.Get("X-End") != "1" {
				t.Errorf("%s: %q, %v, trailers %v", body, got, err, passed.Trailer)
			}
		}
	}
}
