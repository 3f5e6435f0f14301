package endpoint

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"

	"authproxy/tokencache"
)

// Endpoint asks one platform for tokens. It is a [tokencache.Source] and safe
// for concurrent use.
type Endpoint struct {
	name        string
	params      map[string]string
	credentials func() (map[string]string, error)
	response    Response
	transport   http.RoundTripper
	observe     func(Exchange)

	request, refresh, check, revoke *request

	spent atomic.Pointer[string] // the refresh token that the platform refused last

	usesDevice bool
	newDevice  func() string
}

var _ tokencache.Source = (*Endpoint)(nil)

// New compiles the templates. The error joins all faults that it finds, each
// with the place of the fault; the Endpoint is nil then.
func New(o Options) (*Endpoint, error) {
	e := &Endpoint{
		name:        o.Name,
		params:      maps.Clone(o.Params),
		credentials: o.Credentials,
		response:    o.Response,
		transport:   o.Transport,
		observe:     o.Observe,
		newDevice:   sync.OnceValue(uuid),
	}
	if e.transport == nil {
		e.transport = &http.Transport{DisableCompression: true, ForceAttemptHTTP2: true}
	}
	faults := checkParams(o.Params)
	faults = append(faults, checkResponse(o.Response)...)
	faults = append(faults, e.compile(o)...)
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	return e, nil
}

// Bases returns scheme and host of every place that the Endpoint asks, with an x
// where a credential is part of the host.
func (e *Endpoint) Bases() []*url.URL {
	var bases []*url.URL
	for _, r := range []*request{e.request, e.refresh, e.check, e.revoke} {
		if r == nil {
			continue
		}
		if u, err := url.Parse(placeholder.ReplaceAllString(r.shown, "x")); err == nil {
			bases = append(bases, &url.URL{Scheme: u.Scheme, Host: u.Host})
		}
	}
	return bases
}

func (e *Endpoint) compile(o Options) []error {
	var faults []error
	for _, t := range []struct {
		where string
		from  *Request
		to    **request
	}{
		{"request", &o.Request, &e.request},
		{"refresh", o.Refresh, &e.refresh},
		{"check", o.Check, &e.check},
		{"revoke", o.Revoke, &e.revoke},
	} {
		if t.from == nil {
			continue
		}
		r, errs := compileRequest(t.where, *t.from, e.params)
		*t.to = r
		e.usesDevice = e.usesDevice || r.uses["device_id"]
		faults = append(faults, errs...)
	}
	return faults
}

func checkParams(params map[string]string) []error {
	var faults []error
	for _, name := range slices.Sorted(maps.Keys(params)) {
		switch {
		case placeholder.FindString("{"+name+"}") != "{"+name+"}":
			faults = append(faults, fmt.Errorf("params: the name %q must be of the form [a-z_][a-z0-9_]*", name))
		case slices.Contains(ownNames(), name):
			faults = append(faults, fmt.Errorf("params: the name %s is taken; choose another one", name))
		}
	}
	return faults
}

func checkResponse(r Response) []error {
	var faults []error
	if r.Token.zero() {
		faults = append(faults, errors.New("response.token: say where the token stands, for example access_token"))
	}
	for _, s := range []struct {
		where string
		Selector
	}{{"token", r.Token}, {"token_type", r.TokenType}, {"expires_in", r.ExpiresIn}, {"refresh_token", r.RefreshToken}} {
		if s.Header != "" && (len(s.Path) > 0 || !isHTTPToken(s.Header)) {
			faults = append(faults, fmt.Errorf("response.%s: give either a path or the name of a header", s.where))
		}
	}
	if !slices.Contains([]string{"", "s", "ms", "epoch_s", "epoch_ms", "rfc3339"}, r.ExpiresUnit) {
		faults = append(faults, fmt.Errorf("response.expires_unit: %q is none of s, ms, epoch_s, epoch_ms, rfc3339", r.ExpiresUnit))
	}
	for _, path := range r.Error {
		if len(path) == 0 {
			faults = append(faults, errors.New("response.error: a path is empty"))
		}
	}
	return append(faults, checkMatches("response", r.OK)...)
}

func checkMatches(where string, matches []Match) []error {
	var faults []error
	for _, m := range matches {
		if len(m.Path) == 0 || len(m.Values) == 0 {
			faults = append(faults, fmt.Errorf("%s.ok: each entry needs a path and at least one value", where))
		}
	}
	return faults
}
