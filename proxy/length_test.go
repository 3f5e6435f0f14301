package proxy

import (
	"net/http"
	"testing"
)

// TestNoLengthStaysNone: an answer without a length and without a byte comes so,
// however soon it ends.
func TestNoLengthStaysNone(t *testing.T) {
	f := newFront(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_ = http.NewResponseController(w).Flush()
	}), nil)
	f.records.arrived = make(chan Record, 3000)
	for range 3000 {
		resp, err := http.Get(f.URL)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.ContentLength >= 0 {
			t.Fatalf("a length of %d, where the upstream said none", resp.ContentLength)
		}
	}
}
