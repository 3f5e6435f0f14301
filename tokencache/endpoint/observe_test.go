package endpoint

import (
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"authproxy/tokencache"
)

// answering is a transport that takes a second for each answer.
func answering(body string) roundTripper {
	return func(*http.Request) (*http.Response, error) {
		time.Sleep(time.Second)
		return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}, nil
	}
}

// TestObserverThatHangs keeps no request waiting, and Close not for long.
func TestObserverThatHangs(t *testing.T) {
	for name, atBeginning := range map[string]bool{"at the beginning": true, "at the end": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				release := make(chan struct{})
				defer close(release)
				o := simple("http://h")
				o.Transport = answering(`{"access_token":"abc"}`)
				o.Observers = []Observer{ObserverFunc(func(Start) func(Record) {
					if atBeginning {
						<-release
					}
					return func(Record) { <-release }
				})}
				e, began := must(t, o), time.Now()
				for range 3 {
					if tok, err := e.Fetch(t.Context(), zero); err != nil || tok.Value != "abc" {
						t.Error(tok, err)
					}
				}
				if d := time.Since(began); d != 3*time.Second {
					t.Errorf("three requests took %v", d)
				}
				e.Close()
				if d := time.Since(began); d != 4*time.Second {
					t.Errorf("Close returned after %v", d)
				}
			})
		})
	}
}

// TestObserversAreToldInOrder: of one request before the next, each observer in
// turn; also of one whose transport panics.
func TestObserversAreToldInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told []string
		observer := func(name string) Observer {
			return ObserverFunc(func(s Start) func(Record) {
				time.Sleep(3 * time.Second) // longer than a request
				told = append(told, name+" begins "+s.Request)
				return func(r Record) {
					if r.Err != nil && !errors.Is(r.Err, errUnfinished) || (r.Err != nil) != (r.Request == "check") {
						t.Errorf("%+v", r)
					}
					told = append(told, name+" ends "+r.Request)
				}
			})
		}
		o := simple("http://h")
		o.Check, o.Revoke = &Request{URL: "http://h/check"}, &Request{URL: "http://h/revoke"}
		o.Transport = roundTripper(func(r *http.Request) (*http.Response, error) {
			if r.URL.Path == "/check" {
				panic("a defect")
			}
			return answering(`{"access_token":"abc"}`)(r)
		})
		o.Observers = []Observer{observer("a"), observer("b")}
		e := must(t, o)
		_, _ = e.Fetch(t.Context(), zero)
		func() {
			defer func() { _ = recover() }()
			_, _ = e.Check(t.Context(), tokencache.Token{Value: "abc"})
		}()
		_ = e.Revoke(t.Context(), tokencache.Token{Value: "abc"})
		time.Sleep(time.Minute)
		synctest.Wait()
		want := []string{
			"a begins request", "b begins request", "a ends request", "b ends request",
			"a begins check", "b begins check", "a ends check", "b ends check",
			"a begins revoke", "b begins revoke", "a ends revoke", "b ends revoke",
		}
		if !slices.Equal(told, want) {
			t.Errorf("told %q, want %q", told, want)
		}
	})
}

func TestNilObserverIsAFault(t *testing.T) {
	o := simple("http://h")
	o.Observers = []Observer{nil}
	if _, err := New(o); err == nil || !strings.Contains(err.Error(), "observers") {
		t.Error(err)
	}
}
