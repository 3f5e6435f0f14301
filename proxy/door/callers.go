package door

import (
	"errors"
	"maps"
	"net/http"
	"strings"

	"authproxy/proxy"
)

// Callers turns away those who have not shown who they are. The zero Callers
// turns nobody away.
type Callers struct {
	// Known returns an error that says why the sender of a request may not call;
	// it goes into the answer. nil: anybody may.
	Known func(*http.Request) error
	// Secret is what callers must send as "Authorization: Bearer SECRET"; nil: no
	// secret is asked for.
	Secret *Secret
	// Recheck is called once for each request that brings another value than
	// Secret, before the request is turned away: it looks whether the secret was
	// exchanged and calls [Secret.Set] if so. It must be safe for concurrent use,
	// bound how often it looks, and return only when a look under way has ended;
	// may be nil.
	Recheck func()
}

var errNoSecret = errors.New("the secret of callers is empty")

// NewCallers returns a handler that passes to next only the requests of known
// callers, without the Authorization field when that held the secret. The
// others are answered 403 caller_unknown; only of these observers are told. It
// fails when Secret was never set.
func NewCallers(c Callers, next http.Handler, observers ...proxy.Observer) (http.Handler, error) {
	if c.Secret != nil && c.Secret.sum.Load() == nil {
		return nil, errNoSecret
	}
	if c.Known == nil && c.Secret == nil {
		return next, nil
	}
	return &callers{Callers: c, next: next, observers: observers}, nil
}

type callers struct {
	Callers
	next      http.Handler
	observers []proxy.Observer
}

// ServeHTTP implements [http.Handler].
func (h *callers) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	why := ""
	if h.Known != nil {
		if err := h.Known(r); err != nil {
			why = err.Error()
		}
	}
	if why == "" && h.Secret != nil {
		r, why = h.admit(r)
	}
	if why != "" {
		proxy.Reject(w, r, h.observers, proxy.CodeCallerUnknown, why)
		return
	}
	h.next.ServeHTTP(w, r)
}

// admit returns r without the secret, or why it may not pass.
func (h *callers) admit(r *http.Request) (*http.Request, string) {
	values := r.Header["Authorization"]
	if len(values) != 1 || !h.isSecret(bearer(values[0])) {
		return r, "send 'Authorization: Bearer' with the content of caller_token_file"
	}
	bare := new(http.Request)
	*bare = *r
	bare.Header = maps.Clone(r.Header)
	delete(bare.Header, "Authorization")
	return bare, ""
}

// isSecret tells whether got is the secret, also one that has just been
// exchanged.
func (h *callers) isSecret(got string) bool {
	sum := hash(got)
	if h.Secret.is(sum) {
		return true
	}
	if h.Recheck == nil {
		return false
	}
	h.Recheck()
	return h.Secret.is(sum)
}

// bearer returns the credentials in an Authorization field; empty when they
// are of another scheme than Bearer.
func bearer(field string) string {
	scheme, credentials, _ := strings.Cut(field, " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimLeft(credentials, " ")
}
