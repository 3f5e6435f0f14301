package proxy_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"

	"authproxy/proxy"
)

// fixed is a source that has one token and no other.
type fixed string

func (f fixed) Token(context.Context) (proxy.Token, error) {
	return proxy.Token{Value: string(f)}, nil
}

func (fixed) Replace(context.Context, string) (proxy.Token, error) {
	return proxy.Token{}, fmt.Errorf("there is no other token")
}

func (f fixed) ReplaceWhenDue(ctx context.Context, rejected string) (proxy.Token, error) {
	return f.Replace(ctx, rejected)
}

func (fixed) Accept(string) {}

func (fixed) Cured(proxy.Token) {}

func (fixed) Futile(proxy.Token) {}

func ExampleNew() {
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s with %s", r.URL, r.Header.Get("Authorization"))
	}))
	defer upstream.Close()
	target, err := url.Parse(upstream.URL + "/api")
	if err != nil {
		log.Fatal(err)
	}
	authorizer, err := proxy.InHeader("Authorization", "Bearer")
	if err != nil {
		log.Fatal(err)
	}
	handler, err := proxy.New(proxy.Options{
		Name: "orders", Target: target, Tokens: fixed("secret"), Authorizer: authorizer,
		Refusal:   proxy.Refusal{Rules: proxy.Rules{Status: []int{http.StatusUnauthorized}}},
		Transport: &http.Transport{DisableCompression: true},
	})
	if err != nil {
		log.Fatal(err)
	}
	local := httptest.NewServer(handler)
	defer local.Close()

	resp, err := http.Get(local.URL + "/orders?page=2")
	if err != nil {
		log.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(string(body))
	// Output: /api/orders?page=2 with Bearer secret
}
