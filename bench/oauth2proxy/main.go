// Command oauth2proxy is what bench/token measures authproxy beside: an
// httputil.ReverseProxy whose requests get their token from golang.org/x/oauth2.
// It is a module of its own, so that its dependency is none of authproxy's.
package main

import (
	"context"
	"flag"
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

func main() {
	target := flag.String("target", "", "URL of the upstream")
	token := flag.String("token", "", "URL of the token endpoint")
	flag.Parse()
	u, err := url.Parse(*target)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	source := (&clientcredentials.Config{
		ClientID: "id", ClientSecret: "secret", TokenURL: *token, AuthStyle: oauth2.AuthStyleInHeader,
	}).TokenSource(context.Background())
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(u) },
		Transport: &oauth2.Transport{
			Source: source,
			Base:   &http.Transport{DisableCompression: true, MaxIdleConns: 256, MaxIdleConnsPerHost: 256},
		},
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Printf("oauth2proxy: http://%s/\n", l.Addr())
	fmt.Fprintln(os.Stderr, http.Serve(l, proxy))
}
