package proxy

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"

	"authproxy/internal/jsonpath"
)

// tokens is a TokenSource whose n'th token is "t<n>".
type tokens struct {
	n        atomic.Int64
	replaced atomic.Int64
	accepted atomic.Int64
	err      error // of Token
	none     error // of Replace
	mu       sync.Mutex
	asked    chan struct{} // closed at the first Replace
	futile   atomic.Int64
	done     chan struct{} // one for each Replace
}

func newTokens() *tokens {
	t := &tokens{asked: make(chan struct{}), done: make(chan struct{}, 1000)}
	t.n.Store(1)
	return t
}

func (t *tokens) token() Token {
	v := fmt.Sprint("t", t.n.Load())
	return Token{Value: v, Type: "bearer", Fingerprint: "fp-" + v}
}

func (t *tokens) Token(context.Context) (Token, error) {
	if t.err != nil {
		return Token{}, t.err
	}
	return t.token(), nil
}

func (t *tokens) Replace(_ context.Context, rejected string) (Token, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	defer func() { t.done <- struct{}{} }()
	if t.replaced.Add(1) == 1 {
		close(t.asked)
	}
	if t.none != nil {
		return Token{}, t.none
	}
	if t.token().Value == rejected {
		t.n.Add(1)
	}
	return t.token(), nil
}

func (t *tokens) ReplaceWhenDue(ctx context.Context, rejected string) (Token, error) {
	return t.Replace(ctx, rejected)
}

func (t *tokens) Accept(string) { t.accepted.Add(1) }

func (t *tokens) Cured(Token) { t.accepted.Add(1) }

func (t *tokens) Futile(Token) { t.futile.Add(1) }

// records is an Observer that keeps what it is told.
type records struct {
	mu      sync.Mutex
	started int
	all     []Record
	arrived chan Record
}

func newRecords() *records { return &records{arrived: make(chan Record, 10000)} }

func (r *records) Observe(*http.Request) func(*Record) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.started++
	return r.finished
}

func (r *records) finished(rec *Record) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = append(r.all, *rec)
	r.arrived <- *rec
}

// front is a proxy under test before an upstream, each a real server.
type front struct {
	*httptest.Server
	tokens   *tokens
	records  *records
	upstream *httptest.Server
}

func newFront(t *testing.T, upstream http.Handler, change func(*Options)) *front {
	t.Helper()
	f := &front{tokens: newTokens(), records: newRecords(), upstream: httptest.NewServer(upstream)}
	t.Cleanup(f.upstream.Close)
	target, err := url.Parse(f.upstream.URL)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{DisableCompression: true, ExpectContinueTimeout: 10 * time.Second}
	t.Cleanup(transport.CloseIdleConnections)
	opts := Options{
		Name: "up", Target: target, Tokens: f.tokens, Observers: []Observer{f.records}, Transport: transport,
		Authorizer: bearer(),
		Refusal:    Refusal{Rules: Rules{Status: []int{401}, Body: [][]Match{{{Path: jsonpath.MustParse("code"), Values: []string{"INVALID_ACCESS_TOKEN", "4711"}}}}}, Wait: time.Second},
		Retry:      Retry{BodyLimit: 1 << 20},
	}
	if change != nil {
		change(&opts)
	}
	faster(&opts, transport)
	h, err := New(opts)
	if err != nil {
		t.Fatal(err)
	}
	f.Server = httptest.NewServer(h)
	t.Cleanup(f.Close)
	return f
}

// inHeaderOf is InHeader for names of fields.
func inHeaderOf(name, scheme string) Authorizer {
	a, err := InHeader(name, scheme)
	if err != nil {
		panic(err)
	}
	return a
}

func bearer() Authorizer { return inHeaderOf("Authorization", "Bearer") }

// place has the token go where a has it.
func place(a Authorizer) func(*Options) { return func(o *Options) { o.Authorizer = a } }

// call sends a request and returns the answer, read whole, and its record.
func (f *front) call(t *testing.T, req *http.Request) (*http.Response, string, Record) {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableCompression: true}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	defer client.CloseIdleConnections()
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(body), <-f.records.arrived
}

func (f *front) get(t *testing.T, path string) (*http.Response, string, Record) {
	t.Helper()
	req, err := http.NewRequest(http.MethodGet, f.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	return f.call(t, req)
}

const envelopeText = `{"code":"INVALID_ACCESS_TOKEN","requestId":"79e7","message":"access token verify failed: jwt expired"}`

// refuseOld answers refusal to every token but good.
func refuseOld(good string, refusal http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+good {
			refusal(w, r)
			return
		}
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %s", r.Method, body)
	}
}

func status(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
}

func encode(t *testing.T, encoding, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	var w io.WriteCloser
	switch encoding {
	case "gzip":
		w = gzip.NewWriter(&b)
	case "deflate":
		w = zlib.NewWriter(&b)
	case "raw deflate":
		w, _ = flate.NewWriter(&b, 1)
	case "zstd":
		w, _ = zstd.NewWriter(&b)
	case "br":
		w = brotli.NewWriter(&b)
	default:
		return []byte(text)
	}
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// envelope answers text as a JSON body.
func envelope(t *testing.T, code int, contentType, encoding, text string, chunked bool) http.HandlerFunc {
	body := encode(t, encoding, text)
	return func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", contentType)
		if encoding != "" {
			w.Header().Set("Content-Encoding", strings.TrimPrefix(encoding, "raw "))
		}
		w.WriteHeader(code)
		if chunked {
			w.(http.Flusher).Flush()
		}
		_, _ = w.Write(body)
	}
}

func TestRefusedAndSentAgain(t *testing.T) {
	type row struct {
		name    string
		refusal http.HandlerFunc
		trigger Trigger
	}
	rows := []row{{"401", status(401), TriggerStatus}}
	for _, code := range []int{200, 401, 403, 500} {
		for _, encoding := range []string{"", "gzip", "deflate", "raw deflate", "zstd", "br", "none"} {
			for _, chunked := range []bool{false, true} {
				want := TriggerBody
				if code == 401 {
					want = TriggerStatus
				}
				rows = append(rows, row{fmt.Sprint(code, " ", encoding, " chunked=", chunked), envelope(t, code, "application/json", encoding, envelopeText, chunked), want})
			}
		}
	}
	for _, contentType := range []string{"application/json; charset=utf-8", "application/problem+json", "text/plain; charset=utf-8", "application/json;utf-8", "text/html", "text/json", "x"} {
		rows = append(rows, row{contentType, envelope(t, 200, contentType, "", envelopeText, false), TriggerBody})
	}
	rows = append(rows,
		row{"number", envelope(t, 200, "application/json", "", `{"code":4711}`, false), TriggerBody},
		row{"escaped", envelope(t, 200, "application/json", "", `{"code":"INVALID\u005fACCESS_TOKEN"}`, false), TriggerBody},
		row{"byte order mark", envelope(t, 200, "application/json", "", "\xef\xbb\xbf"+envelopeText, false), TriggerBody},
		row{"padded", envelope(t, 200, "application/json", "", " \n\t"+envelopeText, true), TriggerBody})
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE"} {
				f := newFront(t, refuseOld("t2", r.refusal), nil)
				req, _ := http.NewRequest(method, f.URL+"/x", strings.NewReader("the body"))
				resp, body, rec := f.call(t, req)
				if resp.StatusCode != 200 || body != method+" the body" {
					t.Errorf("%s: %d %q", method, resp.StatusCode, body)
				}
				if rec.Trigger != r.trigger || rec.Outcome != OutcomeRecovered || rec.Attempts != 2 || rec.Token != "fp-t2" {
					t.Errorf("%s: recorded %+v", method, rec)
				}
			}
		})
	}
}

func TestNotRefused(t *testing.T) {
	scope := func(challenge string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("WWW-Authenticate", challenge)
			w.WriteHeader(401)
		}
	}
	for name, answer := range map[string]http.HandlerFunc{
		"insufficient_scope":  scope(`Bearer realm="x, error=\"no\"", error="insufficient_scope"`),
		"unquoted":            scope(`Basic x, Bearer error = insufficient_scope`),
		"invalid_request":     scope(`bearer ERROR="invalid_request"`),
		"permission denied":   envelope(t, 403, "application/json", "", `{"code":"PERMISSION_DENIED"}`, false),
		"rate limit":          envelope(t, 429, "application/json", "", `{"code":"EXCEED_RATELIMIT"}`, false),
		"business":            envelope(t, 200, "application/json", "", `{"Response":{"Error":{"Code":"INVALID_ACCESS_TOKEN"}}}`, false),
		"in a string":         envelope(t, 200, "application/json", "", `{"data":"\"code\":\"INVALID_ACCESS_TOKEN\""}`, false),
		"part of a value":     envelope(t, 200, "application/json", "", `{"code":"INVALID_ACCESS_TOKEN_X"}`, false),
		"a line of a log":     envelope(t, 200, "text/plain", "", envelopeText+"\nnext", false),
		"half of it":          envelope(t, 200, "text/html", "", envelopeText[:60], true),
		"event stream":        envelope(t, 200, "text/event-stream", "", envelopeText, true),
		"no JSON":             envelope(t, 200, "application/json", "", `INVALID_ACCESS_TOKEN`, true),
		"broken JSON":         envelope(t, 200, "application/json", "", `{"code":"INVALID_ACCESS_TOKEN"`, true),
		"image":               envelope(t, 200, "image/png", "", envelopeText, false),
		"large":               envelope(t, 200, "application/json", "", `{"code":"INVALID_ACCESS_TOKEN","x":"`+strings.Repeat("x", 65<<10)+`"}`, false),
		"large, chunked":      envelope(t, 200, "application/json", "", `{"code":"INVALID_ACCESS_TOKEN","x":"`+strings.Repeat("x", 65<<10)+`"}`, true),
		"decompression bomb":  envelope(t, 200, "application/json", "gzip", `{"code":"INVALID_ACCESS_TOKEN","x":"`+strings.Repeat("x", 10<<20)+`"}`, false),
		"an answer like this": envelope(t, 200, "application/json", "", `{"data":[{"code":"ok"}]}`, false),
	} {
		t.Run(name, func(t *testing.T) {
			f := newFront(t, answer, nil)
			direct, err := http.Get(f.upstream.URL)
			if err != nil {
				t.Fatal(err)
			}
			want, _ := io.ReadAll(direct.Body)
			direct.Body.Close()
			resp, got, rec := f.get(t, "/")
			if resp.StatusCode != direct.StatusCode || len(got) == 0 && len(want) > 0 || rec.Trigger != "" || rec.Attempts != 1 {
				t.Errorf("%d, %d bytes, recorded %+v", resp.StatusCode, len(got), rec)
			}
			if f.tokens.replaced.Load() != 0 {
				t.Error("the token was touched")
			}
		})
	}
}

func TestSecondRefusalIsPassedOn(t *testing.T) {
	var n atomic.Int64
	f := newFront(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Try", fmt.Sprint(n.Add(1)))
		envelope(t, 403, "application/json", "gzip", envelopeText, false)(w, r)
	}), nil)
	resp, body, rec := f.get(t, "/")
	if resp.StatusCode != 403 || resp.Header.Get("X-Try") != "2" || body != string(encode(t, "gzip", envelopeText)) {
		t.Errorf("%d %v", resp.StatusCode, resp.Header)
	}
	if n.Load() != 2 || rec.Outcome != OutcomeStillRefused || f.tokens.accepted.Load() != 0 {
		t.Errorf("%d tries, recorded %+v", n.Load(), rec)
	}
}

func TestNoNewToken(t *testing.T) {
	f := newFront(t, envelope(t, 200, "application/json", "", envelopeText, true), nil)
	f.tokens.none = errors.New("none")
	resp, body, rec := f.get(t, "/")
	if resp.StatusCode != 200 || body != envelopeText || rec.Outcome != OutcomeNoNewToken || rec.Attempts != 1 {
		t.Errorf("%d %q, recorded %+v", resp.StatusCode, body, rec)
	}
}

func TestRetryTurnedOffStillReplaces(t *testing.T) {
	f := newFront(t, refuseOld("t2", status(401)), func(o *Options) { o.Retry.Disabled = true })
	resp, _, rec := f.get(t, "/")
	if resp.StatusCode != 401 || rec.Outcome != OutcomeNotReplayable || rec.Err != nil {
		t.Errorf("%d, recorded %+v", resp.StatusCode, rec)
	}
	<-f.tokens.asked
}

func TestHundredRefusalsAtOnce(t *testing.T) {
	f := newFront(t, refuseOld("t2", envelope(t, 200, "application/json", "", envelopeText, false)), nil)
	var wg sync.WaitGroup
	for range 100 {
		wg.Go(func() {
			resp, err := http.Post(f.URL, "text/plain", strings.NewReader("b"))
			if err != nil {
				t.Error(err)
				return
			}
			defer resp.Body.Close()
			if body, _ := io.ReadAll(resp.Body); string(body) != "POST b" {
				t.Errorf("%d %s", resp.StatusCode, body)
			}
		})
	}
	wg.Wait()
	if f.tokens.n.Load() != 2 {
		t.Errorf("now at token %d", f.tokens.n.Load())
	}
}

func TestNoTokenNothingIsSent(t *testing.T) {
	sent := false
	for _, c := range []struct {
		err  error
		code Code
		want int
	}{
		{errors.New("down"), CodeTokenUnavailable, 503},
		{fmt.Errorf("%w: slow", ErrTokenTimeout), CodeTokenTimeout, 504},
		{later{}, CodeTokenUnavailable, 503},
	} {
		f := newFront(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { sent = true }), nil)
		f.tokens.err = c.err
		resp, body, rec := f.get(t, "/")
		if sent || resp.StatusCode != c.want || resp.Header.Get("X-Authproxy-Error") != string(c.code) || rec.Rejected != c.code ||
			!strings.Contains(body, `"code":"`+string(c.code)+`"`) || !strings.Contains(body, `"upstream":"up"`) {
			t.Errorf("%v: sent=%v %d %v %s %+v", c.err, sent, resp.StatusCode, resp.Header, body, rec)
		}
		if errors.As(c.err, &later{}) && resp.Header.Get("Retry-After") != "42" {
			t.Errorf("Retry-After: %q", resp.Header.Get("Retry-After"))
		}
		if c.want == 503 && resp.Header.Get("Retry-After") == "" {
			t.Error("no Retry-After")
		}
	}
}

// patient is a TokenSource that waits in one of its methods for as long as its
// caller does.
type patient struct {
	*tokens
	in          string
	asked, left chan struct{}
}

func (p patient) Token(ctx context.Context) (Token, error) {
	if p.in == "Token" {
		return Token{}, p.wait(ctx)
	}
	return p.tokens.Token(ctx)
}

func (p patient) Replace(ctx context.Context, _ string) (Token, error) {
	return Token{}, p.wait(ctx)
}

func (p patient) wait(ctx context.Context) error {
	close(p.asked)
	<-ctx.Done()
	close(p.left)
	return ctx.Err()
}

// TestClientLeavesWhileATokenIsAskedFor: nobody waits for it on behalf of a
// client that is gone.
func TestClientLeavesWhileATokenIsAskedFor(t *testing.T) {
	for in, attempts := range map[string]int{"Token": 0, "Replace": 1} {
		p := patient{in: in, asked: make(chan struct{}), left: make(chan struct{})}
		f := newFront(t, status(401), func(o *Options) { p.tokens = o.Tokens.(*tokens); o.Tokens = p })
		ctx, cancel := context.WithCancel(t.Context())
		go func() { <-p.asked; cancel() }()
		req, _ := http.NewRequestWithContext(ctx, "GET", f.URL, nil)
		if _, err := http.DefaultClient.Do(req); err == nil {
			t.Errorf("%s: answered", in)
		}
		<-p.left
		if rec := <-f.records.arrived; rec.Attempts != attempts || rec.Rejected != "" {
			t.Errorf("%s: recorded %+v", in, rec)
		}
	}
}

type later struct{}

func (later) Error() string             { return "later" }
func (later) RetryAfter() time.Duration { return 41*time.Second + time.Millisecond }

// TestStreamThroughTheProxy checks on the wire that each piece reaches the
// client before the next one is written.
func TestStreamThroughTheProxy(t *testing.T) {
	for _, contentType := range []string{"text/event-stream", "application/json", "application/x-ndjson"} {
		next := make(chan struct{})
		f := newFront(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", contentType)
			for i := range 5 {
				fmt.Fprintf(w, "{\"event\":%d}\n", i)
				w.(http.Flusher).Flush()
				<-next
			}
		}), nil)
		resp, err := http.Get(f.URL)
		if err != nil {
			t.Fatal(err)
		}
		for i := range 5 {
			want := `{"event":` + strconv.Itoa(i) + "}\n"
			got := make([]byte, len(want))
			if _, err := io.ReadFull(resp.Body, got); err != nil || string(got) != want {
				t.Errorf("%s: %q, %v", contentType, got, err)
			}
			next <- struct{}{}
		}
		resp.Body.Close()
	}
}
