package server

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"authproxy/cmd/authproxy/internal/config"
)

// maxTold is how many bytes of an answer are looked at for what authproxy itself says.
const maxTold = 16 << 10

// Ask sends GET path to the i'th upstream of cfg as an application would, with all that
// is configured for it, and returns the status of the answer. An answer of authproxy's
// own, and one that refuses the request for its token, is an error.
func Ask(ctx context.Context, cfg *config.Config, i int, path, version string) (status int, err error) {
	s := newServer(cfg, Options{Version: version, Log: io.Discard})
	g, err := s.newGeneration(cfg, nil)
	if err != nil {
		return 0, err
	}
	defer g.close()
	u := cfg.Upstreams[i]
	if !strings.HasPrefix(path, u.Path) {
		path = strings.TrimSuffix(u.Path, "/") + "/" + strings.TrimPrefix(path, "/")
	}
	ctx, cancel := context.WithTimeout(ctx, 2*u.ConnectTimeout+u.ResponseHeaderTimeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://localhost"+path, nil)
	if err != nil {
		return 0, fmt.Errorf("--probe: %q is not a path: begin it with a slash, and send a space as %%20", path)
	}
	if len(u.Hosts) > 0 {
		r.Host = u.Hosts[0]
	}
	r.RequestURI, r.RemoteAddr = r.URL.RequestURI(), "127.0.0.1:0"
	a := &answered{header: http.Header{}}
	if err := a.serve(g.upstreams[i], r); err != nil {
		return 0, err
	}
	return a.status, a.verdict()
}

// answered is an [http.ResponseWriter] that keeps what a probe wants to know.
type answered struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// Header implements [http.ResponseWriter].
func (a *answered) Header() http.Header { return a.header }

// WriteHeader implements [http.ResponseWriter].
func (a *answered) WriteHeader(status int) {
	if a.status < 200 {
		a.status = status
	}
}

// Write implements [http.ResponseWriter].
func (a *answered) Write(b []byte) (int, error) {
	if a.status < 200 {
		a.status = http.StatusOK
	}
	if room := maxTold - a.body.Len(); room > 0 {
		a.body.Write(b[:min(len(b), room)])
	}
	return len(b), nil
}

var errBroken = errors.New("the answer broke off")

// serve has h answer r.
func (a *answered) serve(h http.Handler, r *http.Request) (err error) {
	defer func() {
		if recover() != nil {
			err = errBroken
		}
	}()
	h.ServeHTTP(a, r)
	return nil
}

// verdict is what authproxy itself has to say, or what a refusal means.
func (a *answered) verdict() error {
	var own struct{ Error struct{ Message string } }
	if a.header.Get("X-Authproxy-Error") != "" && json.Unmarshal(a.body.Bytes(), &own) == nil {
		return errors.New(own.Error.Message)
	}
	if a.status == http.StatusUnauthorized || a.status == http.StatusForbidden {
		return fmt.Errorf("the request was answered with %d although it had a new token: see what the credentials may do (scopes, roles), and where the platform wants the token (inject)", a.status)
	}
	return nil
}
