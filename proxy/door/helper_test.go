package door

import (
	"context"
	"net/http"
	"net/url"
	"testing"

	"authproxy/proxy"
)

// records is an Observer that keeps what it is told.
type records struct {
	started int
	all     []proxy.Record
}

func (r *records) Observe(*http.Request) func(*proxy.Record) { r.started++; return r.finished }

func (r *records) finished(rec *proxy.Record) { r.all = append(r.all, *rec) }

// oneToken is a TokenSource that has no other.
type oneToken struct{}

func (oneToken) Token(context.Context) (proxy.Token, error) { return proxy.Token{Value: "t1"}, nil }
func (oneToken) Replace(context.Context, string) (proxy.Token, error) {
	return proxy.Token{}, proxy.ErrTokenTimeout
}
func (o oneToken) ReplaceWhenDue(ctx context.Context, rejected string) (proxy.Token, error) {
	return o.Replace(ctx, rejected)
}

func (oneToken) Accept(string) {}

func (oneToken) Cured(proxy.Token) {}

func (oneToken) Futile(proxy.Token) {}

// newProxy returns the handler of an upstream, to which o says what matters.
func newProxy(t *testing.T, o proxy.Options) http.Handler {
	t.Helper()
	o.Name, o.Tokens = "up", oneToken{}
	if o.Target == nil {
		o.Target = &url.URL{Scheme: "http", Host: "up"}
	}
	if o.Authorizer == nil {
		var err error
		if o.Authorizer, err = proxy.InHeader("Authorization", "Bearer"); err != nil {
			t.Fatal(err)
		}
	}
	h, err := proxy.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// answering is a transport that looks at each request and answers 200.
type answering func(*http.Request)

func (a answering) RoundTrip(r *http.Request) (*http.Response, error) {
	a(r)
	return &http.Response{StatusCode: 200, Body: http.NoBody, Request: r, Header: http.Header{}}, nil
}
