package endpoint

import (
	"errors"
	"net/http"
	"testing"

	"authproxy/tokencache"
)

// TestUnsent: what was never sent cannot have been refused.
func TestUnsent(t *testing.T) {
	answers := http.StatusOK
	for name, c := range map[string]struct {
		credentials func() (map[string]string, error)
		status      int
		unsent      bool
	}{
		"unreadable": {func() (map[string]string, error) { return nil, errors.New("too many open files") }, 200, true},
		"no header": {func() (map[string]string, error) {
			return map[string]string{"client_id": "a:b", "client_secret": "c"}, nil
		}, 200, true},
		"refused": {func() (map[string]string, error) {
			return map[string]string{"client_id": "a", "client_secret": "c"}, nil
		}, 401, false},
		"unreachable": {func() (map[string]string, error) {
			return map[string]string{"client_id": "a", "client_secret": "c"}, nil
		}, 0, false},
	} {
		answers = c.status
		e, err := New(Options{
			Name: "x", Secrets: []string{"client_id", "client_secret"}, Credentials: c.credentials,
			Request: Request{URL: "http://h/token", Auth: "basic_raw"}, Response: Response{Token: Selector{Header: "X-Token"}},
			Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
				if answers == 0 {
					return nil, errors.New("down")
				}
				return &http.Response{StatusCode: answers, Header: http.Header{}, Body: http.NoBody, Request: r}, nil
			}),
		})
		if err != nil {
			t.Fatal(err)
		}
		_, err = e.Fetch(t.Context(), tokencache.Token{})
		var failed *tokencache.FetchError
		if !errors.As(err, &failed) || failed.Unsent != c.unsent {
			t.Errorf("%s: %v, unsent: %v", name, err, failed != nil && failed.Unsent)
		}
	}
}
