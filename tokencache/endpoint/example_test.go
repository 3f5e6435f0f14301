package endpoint_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"authproxy/internal/jsonpath"
	"authproxy/tokencache"
	"authproxy/tokencache/endpoint"
)

func ExampleNew() {
	platform := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if id, secret, _ := r.BasicAuth(); id != "my-app" || secret != "my-secret" || r.FormValue("grant_type") != "client_credentials" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		fmt.Fprint(w, `{"access_token":"2YotnFZFEjr1zCsicMWpAA","token_type":"Bearer","expires_in":3600}`)
	}))
	defer platform.Close()
	at := func(path string) endpoint.Selector { return endpoint.Selector{Path: jsonpath.MustParse(path)} }
	source, err := endpoint.New(endpoint.Options{
		Name:    "example",
		Params:  map[string]string{"token_url": platform.URL},
		Secrets: []string{"client_id", "client_secret"},
		Credentials: func() (map[string]string, error) {
			return map[string]string{"client_id": "my-app", "client_secret": "my-secret"}, nil
		},
		Request: endpoint.Request{
			URL: "{token_url}", Auth: "basic", Form: map[string]string{"grant_type": "client_credentials"},
		},
		Response: endpoint.Response{Token: at("access_token"), TokenType: at("token_type"), ExpiresIn: at("expires_in")},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	token, err := source.Fetch(context.Background(), tokencache.Token{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("type:", token.Type)
	fmt.Println("lifetime:", token.Expiry.Sub(token.Issued).Round(time.Second))
	// Output:
	// type: Bearer
	// lifetime: 1h0m0s
}
