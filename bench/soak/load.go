package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"authproxy/proxy/platformtest"
)

// load sends requests at a steady rate and judges the answers.
type load struct {
	base     string
	platform *platform
	client   *http.Client
	bodies   [][]byte
	always   bool // some requests go where good tokens are refused

	sent, failed atomic.Int64
	refused      atomic.Int64 // of the failures: refusals while a path refuses good tokens
	mu           sync.Mutex
	undue        []string // failures that nobody can be excused for
}

func newLoad(base string, p *platform) *load {
	l := &load{base: strings.TrimSuffix(base, "/"), platform: p, bodies: [][]byte{nil, []byte("small"), bytes.Repeat([]byte("large "), 50_000)}}
	l.client = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 256, DisableCompression: true}, Timeout: 30 * time.Second}
	return l
}

// run sends for the given time and waits for the answers.
func (l *load) run(length time.Duration, rate int) error {
	if rate <= 0 {
		return errors.New("the rate is requests a second, above zero")
	}
	var wg sync.WaitGroup
	tick := time.NewTicker(time.Second / time.Duration(rate))
	defer tick.Stop()
	for end := time.Now().Add(length); time.Now().Before(end); <-tick.C {
		n := l.sent.Add(1)
		wg.Go(func() { l.one(n) })
	}
	wg.Wait()
	return nil
}

func (l *load) one(n int64) {
	id, body, from := strconv.FormatInt(n, 10), l.bodies[n%int64(len(l.bodies))], time.Now()
	problem := l.exchange(id, body)
	if problem == "" {
		return
	}
	l.failed.Add(1)
	switch {
	case l.platform.excused(id, from, time.Now()):
	case l.always && isRefusal(problem):
		l.refused.Add(1)
	default:
		l.mu.Lock()
		defer l.mu.Unlock()
		l.undue = append(l.undue, fmt.Sprintf("request %s (%d bytes): %s", id, len(body), problem))
	}
}

// exchange sends one request and says what is wrong with the answer.
func (l *load) exchange(id string, body []byte) string {
	method := http.MethodGet
	var reader io.Reader
	if body != nil {
		method, reader = http.MethodPost, bytes.NewReader(body)
	}
	path := "/api/" + id
	if isByHTTP2(id) {
		path = byHTTP2 + path
	}
	refused := l.always && strings.HasSuffix(id, "7") // one in ten goes where good tokens are refused
	if refused {
		path = always + "x"
	}
	req, err := http.NewRequest(method, l.base+path, reader)
	if err != nil {
		return err.Error()
	}
	req.Header.Set("X-Request-Id", id)
	resp, err := l.client.Do(req)
	if err != nil {
		return err.Error()
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return err.Error()
	}
	if refused && resp.StatusCode == http.StatusUnauthorized {
		return ""
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Sprintf("%s %.200s", resp.Status, text)
	}
	echo, err := platformtest.DecodeEcho(text)
	if sum := sha256.Sum256(body); err != nil || echo.Path != "/api/"+id || echo.BodySHA256 != hex.EncodeToString(sum[:]) {
		return fmt.Sprintf("another answer: %.200s", text)
	}
	return ""
}

// isRefusal tells whether what is wrong with an answer is that it refuses the token,
// disguised or not.
func isRefusal(problem string) bool {
	return strings.HasPrefix(problem, "401") || strings.Contains(problem, "INVALID_ACCESS_TOKEN")
}

// settle lets connections that nobody uses go, on both sides of the proxy.
func (l *load) settle() {
	l.client.CloseIdleConnections()
	l.platform.hangUp()
	time.Sleep(4 * time.Second) // the proxy looks at idle connections every two
}

var goroutines = regexp.MustCompile(`(?m)^go_goroutines (\d+)`)

func (l *load) goroutines() int {
	resp, err := http.Get("http://" + l.platform.metrics + "/metrics")
	if err != nil {
		return 0
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if m := goroutines.FindSubmatch(text); err == nil && m != nil {
		n, _ := strconv.Atoi(string(m[1]))
		return n
	}
	return 0
}

// report prints what came of it and fails when there is an undue failure.
func (l *load) report(out io.Writer, before, after usage) error {
	c, p := l.platform.Counts(), l.platform
	fmt.Fprintf(out, "requests: %d; failures that were the platform's doing: %d; undue failures: %d\n",
		l.sent.Load(), l.failed.Load()-int64(len(l.undue))-l.refused.Load(), len(l.undue))
	fmt.Fprintf(out, "token requests: %d; refused API requests: %d; revocations: %d; restarts and the like: %d; dead connections by HTTP/2: %d times\n",
		c.TokenRequests, c.Refused, p.revoked, len(p.down), len(p.dead))
	if l.always {
		fmt.Fprintf(out, "refusals that a client saw, of which a revocation may cost %d while a path refuses good tokens: %d\n", perRevocation, l.refused.Load())
	}
	fmt.Fprintf(out, "%-10s %12s %12s %12s\n", "", "goroutines", "memory", "open files")
	for _, row := range []struct {
		name string
		usage
	}{{"start", before}, {"end", after}} {
		fmt.Fprintf(out, "%-10s %12d %8.1f MiB %12d\n", row.name, row.goroutines, row.rss, row.files)
	}
	if len(l.undue) > 0 {
		return fmt.Errorf("%d undue failures, the first: %s", len(l.undue), strings.Join(l.undue[:min(5, len(l.undue))], "\n  "))
	}
	if n := l.refused.Load(); n > perRevocation*int64(p.revoked) {
		return fmt.Errorf("%d refusals for %d revocations", n, p.revoked)
	}
	return nil
}

// perRevocation is how many requests a revocation may cost while a path refuses good
// tokens.
const perRevocation = 3
