package endpoint

import (
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"authproxy/internal/template"
	"authproxy/tokencache"
	"authproxy/tokencache/internal/notify"
)

// Endpoint asks one platform for tokens. It is a [tokencache.Source] and safe
// for concurrent use.
type Endpoint struct {
	name        string
	params      map[string]string
	secrets     []string // their names
	credentials func() (map[string]string, error)
	derived     []derived
	jwt         *jwtMaker // nil: there is none
	fixed       *fixed    // nil: the platform is asked
	response    Response
	transport   http.RoundTripper
	show        func(Exchange)
	observers   *notify.Queue[Start, Record]

	request, refresh, check, revoke *request

	forcing *forcing // nil: there is none

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
		secrets:     slices.Clone(o.Secrets),
		credentials: o.Credentials,
		response:    o.Response,
		transport:   o.Transport,
		newDevice:   sync.OnceValue(uuid),
		show:        o.Show,
	}
	if e.transport == nil {
		e.transport = &http.Transport{DisableCompression: true, ForceAttemptHTTP2: true}
	}
	faults := checkNames(o)
	if o.Token == "" {
		faults = append(faults, checkResponse(o.Response)...)
	}
	faults = append(faults, e.compile(o)...)
	if slices.Contains(o.Observers, nil) {
		faults = append(faults, errors.New("observers: one of them is nil"))
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	e.observers = notify.New(o.Observers)
	return e, nil
}

func (e *Endpoint) compile(o Options) []error {
	derived, faults := compileValues(o)
	e.derived = derived
	var errs []error
	e.jwt, errs = compileJWT(o, derived)
	faults = append(faults, errs...)
	if e.jwt != nil {
		derived = append(slices.Clone(derived), derivedOf(e.jwt))
	}
	e.fixed, errs = compileFixed(o, derived)
	faults = append(faults, errs...)
	var forced *request
	for _, t := range []struct {
		where string
		from  *Request
		to    **request
	}{
		{"request", asked(o), &e.request},
		{"refresh", o.Refresh, &e.refresh},
		{"force", o.Force, &forced},
		{"check", o.Check, &e.check},
		{"revoke", o.Revoke, &e.revoke},
	} {
		if t.from == nil {
			continue
		}
		r, errs := compileRequest(t.where, *t.from, o, derived)
		*t.to = r
		e.usesDevice = e.usesDevice || r.uses["device_id"]
		faults = append(faults, errs...)
	}
	if forced != nil {
		e.forcing = &forcing{request: forced, least: o.ForceInterval}
	}
	return faults
}

// asked is the request for a token; nil for one that is given.
func asked(o Options) *Request {
	if o.Token != "" {
		return nil
	}
	return &o.Request
}

// Bases returns scheme and host of every place that the Endpoint asks, with an x
// where a credential is part of the host.
func (e *Endpoint) Bases() []*url.URL {
	var bases []*url.URL
	for _, r := range []*request{e.request, e.refresh, e.check, e.revoke} { // force asks where request does
		if r == nil {
			continue
		}
		shown := template.Parse(r.shown).Fill(func(template.Piece) string { return "x" })
		if u, err := url.Parse(shown); err == nil {
			bases = append(bases, &url.URL{Scheme: u.Scheme, Host: u.Host})
		}
	}
	return bases
}

// Close returns when the observers have been told of all requests, and after a
// second at the latest. It ends nothing.
func (e *Endpoint) Close() { e.observers.Wait(time.Second) }
