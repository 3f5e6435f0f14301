package refusal

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/klauspost/compress/gzip"
)

func TestMoreRefusals(t *testing.T) {
	match := func(path string, values ...string) Refusal {
		rules := inBody(path, values...)
		rules.Status = []int{401}
		return Refusal{Rules: rules, Wait: time.Second}
	}
	for name, c := range map[string]struct {
		refusal Refusal
		header  http.Header
		body    string
		want    Trigger
	}{
		"header":     {Refusal{Rules: Rules{Header: map[string][]string{"Grpc-Status": {"16"}}}}, http.Header{"Grpc-Status": {"16"}}, "", TriggerHeader},
		"not header": {Refusal{Rules: Rules{Header: map[string][]string{"Grpc-Status": {"16"}}}}, http.Header{"Grpc-Status": {"7"}}, "", ""},
		"slash":      {match("code", "a/b"), nil, `{"code":"a\/b"}`, TriggerBody},
		"false":      {match("ok", "false"), nil, `{"ok":false}`, TriggerBody},
		"true":       {match("ok", "false"), nil, `{"ok":true,"x":"false"}`, ""},
		"GZIP":       {match("code", "X"), http.Header{"Content-Encoding": {" GZIP "}}, zipped(`{"code":"X"}`), TriggerBody},
		"large":      {match("code", "X"), nil, `{"code":"X","x":"` + strings.Repeat("x", lookLimit) + `"}`, ""},
	} {
		resp := answerOf("application/json", int64(len(c.body)), strings.NewReader(c.body))
		for k, v := range c.header {
			resp.Header[k] = v
		}
		if got := examine(New(c.refusal), resp, nil); got != c.want {
			t.Errorf("%s: %q", name, got)
		}
	}
	if tokenIsGood([]string{`Bearer realm="\", error=insufficient_scope , x", error="invalid_token"`}) {
		t.Error("a quoted text was taken for a parameter")
	}
}

func TestLookEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pr, pw := io.Pipe()
		go func() { _, _ = pw.Write([]byte(`["` + strings.Repeat("x", lookLimit))) }()
		start := time.Now()
		examine(testDetector(), answerOf("application/json", -1, pr), nil)
		if time.Since(start) != 0 {
			t.Errorf("more than an envelope was held back for %v", time.Since(start))
		}
		pr.Close()

		pr, pw = io.Pipe()
		taken := 0
		go func() {
			for {
				if _, err := pw.Write([]byte("hello")); err != nil {
					return
				}
				taken++
			}
		}()
		resp := answerOf("text/plain", -1, pr)
		examine(testDetector(), resp, nil)
		synctest.Wait()
		if taken > 100 { // the goroutine may be a little ahead of its release
			t.Errorf("%d pieces were read ahead of the client", taken)
		}
		resp.Body.Close()
		pr.Close()

		pr, pw = io.Pipe()
		go func() {
			for i := 0; i < len(envelopeText); i += 30 {
				_, _ = io.WriteString(pw, envelopeText[i:min(i+30, len(envelopeText))])
				time.Sleep(200 * time.Millisecond)
			}
			pw.Close()
		}()
		if examine(testDetector(), answerOf("application/json", -1, pr), nil) != TriggerBody {
			t.Error("an envelope in slow pieces was missed")
		}
		pr.Close()
		time.Sleep(time.Second)

		resp = answerOf("application/json", 100, strings.NewReader(""))
		examine(testDetector(), resp, nil)
		if _, err := io.ReadAll(resp.Body); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("nothing of 100 bytes: %v", err)
		}
	})
}

// TestLookClosedWhileRead: as discard does when the rest of a refused answer does not come.
func TestLookClosedWhileRead(t *testing.T) {
	d := testDetector()
	d.wait = 100 * time.Millisecond // in which the text comes also on a busy machine
	for range 5 {
		pr, pw := io.Pipe()
		go func() { _, _ = io.WriteString(pw, envelopeText) }()
		resp := answerOf("application/json", -1, nil)
		resp.Body = lingerer{pr}
		if examine(d, resp, nil) != TriggerBody {
			t.Fatal("not found")
		}
		done := make(chan struct{})
		go func() { defer close(done); _, _ = io.Copy(io.Discard, resp.Body) }()
		time.Sleep(5 * time.Millisecond)
		resp.Body.Close() // as discard's timer does
		<-done
	}
}

// TestEveryMatchOfAPathCounts: a path may lead to several places.
func TestEveryMatchOfAPathCounts(t *testing.T) {
	r := New(Refusal{Rules: inBody("errors[*].code", "BAD")})
	if r.read([]byte(`{"errors":[{"code":"X"},{"code":"BAD"}]}`)) != refuses {
		t.Error("only the first is looked at")
	}
}

// lingerer is a body whose Close takes a moment, like that of a connection.
type lingerer struct{ *io.PipeReader }

func (l lingerer) Close() error {
	err := l.PipeReader.Close()
	time.Sleep(20 * time.Millisecond)
	return err
}

func zipped(text string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = io.WriteString(w, text)
	_ = w.Close()
	return b.String()
}
