package proxy

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
	"time"

	"authproxy/internal/jsonpath"
)

// canned answers every request with the same small JSON, without a network.
type canned struct{ chunked bool }

func (c canned) RoundTrip(req *http.Request) (*http.Response, error) {
	const text = `{"data":{"id":17,"name":"order","state":"open","lines":[1,2,3]},"requestId":"79e7c0fc8286e"}`
	length := int64(len(text))
	if c.chunked {
		length = -1
	}
	return &http.Response{
		StatusCode: 200, ProtoMajor: 1, ProtoMinor: 1, Request: req, ContentLength: length,
		Header: http.Header{"Content-Type": {"application/json"}, "Date": {"Sat, 21 Nov 2026 20:00:00 GMT"}},
		Body:   io.NopCloser(strings.NewReader(text)),
	}, nil
}

// nowhere is a ResponseWriter that throws the answer away.
type nowhere struct{ header http.Header }

func (n nowhere) Header() http.Header       { return n.header }
func (nowhere) Write(p []byte) (int, error) { return len(p), nil }
func (nowhere) WriteHeader(int)             {}
func (nowhere) Flush()                      {}

// BenchmarkWarm is the handler itself, beside a bare ReverseProxy that sets a
// fixed header and has the same pool of buffers.
func BenchmarkWarm(b *testing.B) {
	target, _ := url.Parse("http://upstream.example")
	for _, chunked := range []bool{false, true} {
		ours, err := New(Options{
			Name: "up", Target: target, Tokens: newTokens(), Authorizer: bearer(),
			Refusal:   Refusal{Rules: Rules{Status: []int{401}, Body: [][]Match{{{Path: jsonpath.MustParse("code"), Values: []string{"INVALID_ACCESS_TOKEN"}}}}}, Wait: time.Second},
			Retry:     Retry{BodyLimit: 1 << 20},
			Transport: canned{chunked},
		})
		if err != nil {
			b.Fatal(err)
		}
		bare := &httputil.ReverseProxy{
			Transport: canned{chunked}, BufferPool: copyBuffers{},
			Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target); r.Out.Header.Set("Authorization", "Bearer t1") },
		}
		for name, h := range map[string]http.Handler{"ours": ours, "bare": bare} {
			for _, body := range []string{"", "the body"} {
				b.Run(name+"/chunked="+map[bool]string{true: "yes", false: "no"}[chunked]+"/body="+map[bool]string{true: "yes", false: "no"}[body != ""], func(b *testing.B) {
					b.ReportAllocs()
					for b.Loop() {
						r := httptest.NewRequest("POST", "http://local/a/b?c=d", strings.NewReader(body))
						r.Header["User-Agent"] = []string{"curl"}
						h.ServeHTTP(nowhere{http.Header{}}, r)
					}
				})
			}
		}
	}
}
