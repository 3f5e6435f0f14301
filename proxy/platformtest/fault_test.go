package platformtest_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net/http"
	"testing"
	"time"

	"authproxy/proxy/platformtest"
)

func (s site) get(t *testing.T, ctx context.Context) (status int, body string, err error) {
	t.Helper()
	req, _ := http.NewRequestWithContext(ctx, "GET", "http://"+s.addr+"/a", nil)
	transport := &http.Transport{DisableKeepAlives: true}
	res, err := transport.RoundTrip(req)
	if err != nil {
		return 0, "", err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	return res.StatusCode, string(b), err
}

func TestFaultAnswers(t *testing.T) {
	s := start(t, platformtest.NewWeDa(platformtest.Options{}))
	for _, code := range platformtest.WeDaCodes() {
		s.SetAPIFault(&platformtest.Fault{Status: 418, Header: http.Header{"Retry-After": {"7"}}, Body: platformtest.WeDaError(code, "x")})
		r := s.do(t, call{"GET", "/weda/a", nil, ""})
		if r.status != 418 || r.field(t, "code") != code || r.header.Get("Retry-After") != "7" || r.header.Get("Content-Type") != "application/json" {
			t.Errorf("%+v", r)
		}
	}
	s.token(t, wedaTokenCall)
	s.SetAPIFault(nil)
	s.SetTokenFault(&platformtest.Fault{Status: 503})
	if r := s.do(t, wedaTokenCall); r.status != 503 {
		t.Errorf("%+v", r)
	}
	s.SetTokenFault(nil)
	s.token(t, wedaTokenCall)
	if got := s.Counts(); got.Faulted != 14 || got.APIRequests != 13 || got.TokenRequests != 3 || got.Issued != 2 {
		t.Errorf("counts: %+v", got)
	}
}

func TestFaultTimes(t *testing.T) {
	s := start(t, platformtest.NewOAuth2(platformtest.Options{}))
	s.SetTokenFault(&platformtest.Fault{Status: 500, Times: 2})
	for _, want := range []int{500, 500, 200, 200} {
		if r := s.do(t, oauth2TokenCall); r.status != want {
			t.Errorf("want %d, got %d", want, r.status)
		}
	}
}

func TestFaultClose(t *testing.T) {
	s := start(t, platformtest.NewOAuth2(platformtest.Options{}))
	s.SetAPIFault(&platformtest.Fault{Close: true})
	if _, _, err := s.get(t, t.Context()); err == nil {
		t.Error("answered")
	}
	s.SetAPIFault(&platformtest.Fault{Body: "abc", Truncate: true})
	if _, body, err := s.get(t, t.Context()); !errors.Is(err, io.ErrUnexpectedEOF) || body != "abc" {
		t.Errorf("%q %v", body, err)
	}
}

func TestFaultHang(t *testing.T) {
	s := start(t, platformtest.NewOAuth2(platformtest.Options{}))
	s.SetAPIFault(&platformtest.Fault{Hang: true})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, _, err := s.get(t, ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	time.AfterFunc(50*time.Millisecond, func() { s.SetAPIFault(nil) })
	if _, _, err := s.get(t, t.Context()); err == nil {
		t.Error("answered")
	}
	if status, _, err := s.get(t, t.Context()); status != 401 || err != nil {
		t.Error(status, err)
	}
}

func TestFaultDelayAndDrip(t *testing.T) {
	s := start(t, platformtest.NewOAuth2(platformtest.Options{}))
	for _, f := range []platformtest.Fault{{Delay: 60 * time.Millisecond, Body: "abc"}, {Drip: 20 * time.Millisecond, Body: "abc"}} {
		s.SetAPIFault(&f)
		began := time.Now()
		_, body, err := s.get(t, t.Context())
		if took := time.Since(began); err != nil || body != "abc" || took < 60*time.Millisecond {
			t.Errorf("%q %v after %v", body, err, took)
		}
	}
}

func TestFaultEndlessBody(t *testing.T) {
	s := start(t, platformtest.NewOAuth2(platformtest.Options{}))
	s.SetAPIFault(&platformtest.Fault{Body: "{", EndlessBody: true})
	res, err := http.Get("http://" + s.addr + "/a")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if n, err := io.CopyN(io.Discard, res.Body, 5<<20); err != nil {
		t.Error(n, err)
	}
}

func TestFaultAnswersAStreamingUpload(t *testing.T) {
	s := start(t, platformtest.NewHengshi(platformtest.Options{}))
	s.SetAPIFault(&platformtest.Fault{Status: 413})
	conn := s.dial(t)
	_, _ = io.WriteString(conn, call{"PUT", "/a", []string{"Transfer-Encoding: chunked"}, ""}.wire()+"1\r\na\r\n")
	if r := receive(t, bufio.NewReader(conn), "PUT"); r.status != 413 {
		t.Error(r)
	}
}
