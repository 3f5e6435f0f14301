package server

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"authproxy/cmd/authproxy/internal/config"
	"authproxy/internal/printable"
	"authproxy/proxy"
)

// maxKept is how many bytes of an answer are kept, to be looked at for what authproxy itself says and for
// a refusal: of a larger one neither is made.
const maxKept = 64<<10 + 1

// Answered is what came of a request to an upstream.
type Answered struct {
	Status int
	// Refused is whether the answer counts as a refusal of the token, and Why says what
	// makes it one, or not. There is nothing to say of an answer of authproxy's own.
	Refused bool
	Why     string
}

// Ask sends GET path to the i'th upstream of cfg as an application would, with all that
// is configured for it. An answer of authproxy's own, one that refuses the token, and one
// that refuses the request in spite of its token is an error.
func Ask(ctx context.Context, cfg *config.Config, i int, path, version string) (got Answered, err error) {
	s := newServer(cfg, Options{Version: version, Log: io.Discard})
	g, err := s.newGeneration(cfg, nil)
	if err != nil {
		return got, err
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
		return got, fmt.Errorf("--probe: %q is not a path: begin it with a slash, and send a space as %%20", path)
	}
	if len(u.Hosts) > 0 {
		r.Host = u.Hosts[0]
	}
	r.RequestURI, r.RemoteAddr = r.URL.RequestURI(), "127.0.0.1:0"
	a := &answered{header: http.Header{}}
	if err := a.serve(g.upstreams[i], r); err != nil {
		return got, err
	}
	return a.verdict(refusalOf(u.InvalidToken))
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
	if room := maxKept - a.body.Len(); room > 0 {
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

// verdict is what the answer means, by rules, and the error of what authproxy itself says or of a refusal.
func (a *answered) verdict(rules proxy.Refusal) (got Answered, err error) {
	got.Status = a.status
	var own struct{ Error struct{ Message string } }
	if a.header.Get("X-Authproxy-Error") != "" && json.Unmarshal(a.body.Bytes(), &own) == nil {
		return got, errors.New(own.Error.Message)
	}
	got.Refused, got.Why = proxy.ExplainRefusal(rules, &http.Response{
		StatusCode: a.status, Header: a.header, Body: io.NopCloser(&a.body), ContentLength: int64(a.body.Len()),
	})
	if !got.Refused {
		got.Why += a.signIn()
	}
	switch {
	case got.Refused:
		return got, fmt.Errorf("the answer with %d counts as a refused token, since %s, although the token was new: see what the credentials may do (scopes, roles), and where the platform wants the token (inject); if it is no refusal, name what tells in invalid_token.not", a.status, got.Why)
	case a.status == http.StatusUnauthorized || a.status == http.StatusForbidden:
		return got, fmt.Errorf("the request was answered with %d although it had a new token, and that does not count as a refused token: %s. See what the credentials may do (scopes, roles), and where the platform wants the token (inject)", a.status, got.Why)
	}
	return got, nil
}

// signIn says that the answer looks like one to somebody who is not signed in, if it does.
func (a *answered) signIn() string {
	to, err := url.Parse(a.header.Get("Location"))
	switch {
	case a.status >= 300 && a.status < 400 && err == nil && to.Path != "":
		return fmt.Sprintf("; it leads to %s: if that is a page for signing in, the platform has not taken the token", printable.Text(to.Host+to.Path, 256))
	case a.status == http.StatusOK && strings.HasPrefix(strings.ToLower(a.header.Get("Content-Type")), "text/html"):
		return "; it is a page for people (text/html): if that is one for signing in, the platform has not taken the token"
	}
	return ""
}
