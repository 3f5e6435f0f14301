package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"authproxy/proxy/platformtest"
)

// upstream gives tokens at once, and reads bodies slowly.
type upstream struct {
	server *http.Server
	url    string
}

func newUpstream() (*upstream, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	platform := platformtest.NewOAuth2(platformtest.Options{})
	u := &upstream{url: "http://" + l.Addr().String()}
	u.server = &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength > 100_000 {
			for piece := make([]byte, 16<<10); ; time.Sleep(50 * time.Millisecond) {
				if _, err := r.Body.Read(piece); err != nil {
					break
				}
			}
			_, _ = io.Copy(io.Discard, r.Body)
			return
		}
		platform.ServeHTTP(w, r)
	})}
	go func() { _ = u.server.Serve(l) }()
	return u, nil
}

func (u *upstream) config() string {
	return fmt.Sprintf(`listen: 127.0.0.1:0
admin: { listen: "" }
tokens: { main: { token_url: %q, client_id: id, client_secret: secret } }
upstreams: [ { name: main, token: main, url: %q } ]
`, u.url+"/oauth2/token", u.url)
}

func (u *upstream) close() { _ = u.server.Close() }
