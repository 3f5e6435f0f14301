package authproxytest

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"authproxy/proxy/platformtest"
	"authproxy/proxy/rawtest"
)

// Answer is an answer that was read whole.
type Answer struct {
	Status int
	Header http.Header
	Body   string
}

// Code is that of an answer of authproxy itself, and empty in any other.
func (a Answer) Code() string { return a.Header.Get("X-Authproxy-Error") }

// Client keeps connections, adds nothing to a request and follows no redirect.
var Client = &http.Client{
	Transport:     &http.Transport{MaxIdleConnsPerHost: 100, DisableCompression: true},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// Ask is [Try] in a test that fails on an error.
func Ask(t testing.TB, method, url string, body any, header ...string) Answer {
	t.Helper()
	a, err := Try(method, url, body, header...)
	if err != nil {
		t.Errorf("%s %s: %v", method, url, err)
	}
	return a
}

// Try sends a request by [Client] and reads the answer, within the [Patience].
// body may be nil, a string, or an io.Reader, which goes chunked; its media type
// is that of JSON. header holds names and values by turns.
func Try(method, url string, body any, header ...string) (Answer, error) {
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	var reader io.Reader
	switch b := body.(type) {
	case string:
		reader = strings.NewReader(b)
	case io.Reader:
		reader = b
	}
	req, err := http.NewRequestWithContext(ctx, method, url, reader)
	if err != nil {
		return Answer{}, err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Add(header[i], header[i+1])
	}
	return Do(Client, req)
}

// Do sends a request by client and reads the answer; of one that breaks off
// there is what has come, and the error.
func Do(client *http.Client, req *http.Request) (Answer, error) {
	resp, err := client.Do(req)
	if err != nil {
		return Answer{}, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return Answer{resp.StatusCode, resp.Header, string(text)}, err
}

// Chunked hides the length of a body.
func Chunked(body string) io.Reader { return io.MultiReader(strings.NewReader(body)) }

// Get asks for [APIPath] at the upstream main.
func (p *Program) Get(t testing.TB) Answer {
	t.Helper()
	return Ask(t, http.MethodGet, p.URL+APIPath, nil)
}

// Good asks for [APIPath] at the upstream main and wants a good answer.
func (p *Program) Good(t testing.TB) {
	t.Helper()
	EchoOf(t, p.Get(t))
}

// EchoOf is what the platform says that it got. The test fails when the answer
// is not a good one of a platform.
func EchoOf(t testing.TB, a Answer) platformtest.Echo {
	t.Helper()
	echo, err := platformtest.DecodeEcho([]byte(a.Body))
	if err != nil || a.Status != http.StatusOK {
		t.Errorf("status %d, body %.300q: %v", a.Status, a.Body, err)
	}
	return echo
}

// Dial opens a connection to the upstream main and sends text on it; see
// [rawtest.Dial].
func (p *Program) Dial(t testing.TB, text string) net.Conn {
	t.Helper()
	return rawtest.Dial(t, strings.TrimPrefix(p.URL, "http://"), text)
}
