package admin

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"
)

// TestMain names a proxy in the environment before anything reads it: a proxy
// that says 200 to all.
func TestMain(m *testing.M) {
	yes := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	for _, name := range []string{"HTTP_PROXY", "http_proxy"} {
		if err := os.Setenv(name, yes.URL); err != nil {
			panic(err)
		}
	}
	code := m.Run()
	yes.Close()
	os.Exit(code)
}

func TestHealthcheckOfOurselves(t *testing.T) {
	ready := httptest.NewServer(New(full()))
	defer ready.Close()
	if err := Healthcheck(t.Context(), ready.URL+"/readyz"); err != nil {
		t.Error(err)
	}
	leaving := httptest.NewServer(New(draining()))
	defer leaving.Close()
	err := Healthcheck(t.Context(), leaving.URL+"/readyz")
	mentions(t, err, leaving.URL+"/readyz", "503 Service Unavailable", "not ready: shutting down")
}

func TestHealthcheckOnly200IsHealthy(t *testing.T) {
	for _, status := range []int{201, 204, 206, 301, 302, 307, 400, 404, 500} {
		followed := false
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/elsewhere" {
				followed = true
				return
			}
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(status)
		}))
		mentions(t, Healthcheck(t.Context(), server.URL), http.StatusText(status))
		server.Close()
		if followed {
			t.Errorf("%d: the redirect was followed", status)
		}
	}
}

func TestHealthcheckSaysWhatFailed(t *testing.T) {
	closed := httptest.NewServer(nil)
	closed.Close()
	mentions(t, Healthcheck(t.Context(), closed.URL), "connection refused")
}

func TestHealthcheckWantsAWholeURL(t *testing.T) {
	for _, address := range []string{
		"", "127.0.0.1:9090/readyz", "127.0.0.1:9090", "localhost:9090/readyz", "[::1]:9090", "/readyz", "readyz", "ftp://127.0.0.1/",
		"http:", "http:///readyz", "http:/127.0.0.1:9090", "http://127.0.0.1:http/", "me:hidden@127.0.0.1:9090/readyz",
	} {
		if err := Healthcheck(t.Context(), address); !errors.Is(err, ErrNoURL) || strings.Contains(err.Error(), "hidden") {
			t.Errorf("%s: %v", address, err)
		}
	}
}

func TestHealthcheckQuotesLittleAndHidesPasswords(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusTeapot)
		_, _ = io.WriteString(w, "\x1b[31m"+strings.Repeat("long ", 1000))
	}))
	defer server.Close()
	err := Healthcheck(t.Context(), strings.Replace(server.URL, "//", "//me:hidden@", 1))
	mentions(t, err, "418")
	if text := err.Error(); len(text) > 500 || strings.ContainsAny(text, "\x1b\n") || strings.Contains(text, "hidden") {
		t.Errorf("%d bytes: %q", len(text), text)
	}
}

func TestHealthcheckUsesNoProxyOfTheEnvironment(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	// An address for documentation (RFC 5737): only the proxy would answer.
	if err := Healthcheck(ctx, "http://192.0.2.1/readyz"); err == nil {
		t.Error("somebody else said that we are healthy")
	}
}

func TestHealthcheckKeepsTheDeadlineOfItsCaller(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	start := time.Now()
	err := Healthcheck(ctx, silent(t))
	if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) > 2*time.Second {
		t.Errorf("%v after %v", err, time.Since(start))
	}
}

func TestHealthcheckGivesUpByItself(t *testing.T) {
	t.Parallel()
	start := time.Now()
	err := Healthcheck(context.Background(), silent(t))
	if took := time.Since(start); !errors.Is(err, context.DeadlineExceeded) || took < 2*time.Second || took > 5*time.Second {
		t.Errorf("%v after %v, want 3s", err, took)
	}
}

// silent is the URL of a server that takes connections and never answers.
func silent(t *testing.T) string {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	return "http://" + listener.Addr().String()
}

func mentions(t *testing.T, err error, want ...string) {
	t.Helper()
	if err == nil {
		t.Errorf("no error, want one that says %q", want)
		return
	}
	for _, part := range want {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error %q does not say %q", err, part)
		}
	}
}
