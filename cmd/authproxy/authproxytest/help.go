package authproxytest

import (
	"net/http"
	"net/http/httptest"
	"os"
	"testing"
	"time"
)

// Patience bounds every wait. It is long because machines may be slow; no test
// waits that long unless it fails.
const Patience = 30 * time.Second

// Nobody is where nobody listens. The port of a server that was closed may be another test's by now.
const Nobody = "http://127.0.0.1:1"

// Serve runs a server until the end of the test and returns its URL.
func Serve(t testing.TB, h http.Handler) string {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server.URL
}

// Write writes a file that only its owner may read.
func Write(t testing.TB, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// Eventually asks until the answer is yes, and ends the test when it does not
// come within the [Patience].
func Eventually(t testing.TB, what string, yes func() bool) {
	t.Helper()
	deadline := time.Now().Add(Patience)
	for !yes() {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
		time.Sleep(10 * time.Millisecond)
	}
}
