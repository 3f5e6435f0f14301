package proxy

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// errorField says, in an answer, that authproxy itself gave it, and why.
const errorField = "X-Authproxy-Error"

// Code names why authproxy itself answered instead of the upstream. It stands
// in the header X-Authproxy-Error and in the body of the answer.
type Code string

// The codes, and when they are answered.
const (
	// CodeTokenUnavailable: no token can be had now; 503 with Retry-After.
	CodeTokenUnavailable Code = "token_unavailable"
	// CodeTokenTimeout: time ran out while waiting for a token; 504.
	CodeTokenTimeout Code = "token_timeout"
	// CodeUpstreamUnreachable: connect, TLS or protocol failure; 502.
	CodeUpstreamUnreachable Code = "upstream_unreachable"
	// CodeUpstreamTimeout: no response header in time; 504.
	CodeUpstreamTimeout Code = "upstream_timeout"
	// CodeNoRoute: no upstream claims the request; 404.
	CodeNoRoute Code = "no_route"
	// CodeHostNotAllowed: the Host is not ours; 421.
	CodeHostNotAllowed Code = "host_not_allowed"
	// CodeCrossSite: a web page of another origin called; 403.
	CodeCrossSite Code = "cross_site"
	// CodeNotAllowed: the access rules do not list the request; 403.
	CodeNotAllowed Code = "not_allowed"
	// CodeAmbiguousPath: the path can be read in two ways; 400.
	CodeAmbiguousPath Code = "ambiguous_path"
	// CodeMethodNotSupported: CONNECT and TRACE; 405.
	CodeMethodNotSupported Code = "method_not_supported"
	// CodeCallerUnknown: the caller did not identify itself; 403.
	CodeCallerUnknown Code = "caller_unknown"
	// CodeOverloaded: too many requests in flight; 503 with Retry-After.
	CodeOverloaded Code = "overloaded"
	// CodeShuttingDown: the proxy has stopped taking requests; 503.
	CodeShuttingDown Code = "shutting_down"
)

// Codes lists every [Code].
func Codes() []Code {
	return []Code{CodeTokenUnavailable, CodeTokenTimeout, CodeUpstreamUnreachable, CodeUpstreamTimeout,
		CodeNoRoute, CodeHostNotAllowed, CodeCrossSite, CodeNotAllowed, CodeAmbiguousPath,
		CodeMethodNotSupported, CodeCallerUnknown, CodeOverloaded, CodeShuttingDown}
}

// Status is the HTTP status that goes with the code. It is never 401, which a
// client would take for the platform's.
func (c Code) Status() int {
	switch c {
	case CodeTokenUnavailable, CodeOverloaded, CodeShuttingDown:
		return http.StatusServiceUnavailable
	case CodeTokenTimeout, CodeUpstreamTimeout:
		return http.StatusGatewayTimeout
	case CodeNoRoute:
		return http.StatusNotFound
	case CodeHostNotAllowed:
		return http.StatusMisdirectedRequest
	case CodeCrossSite, CodeNotAllowed, CodeCallerUnknown:
		return http.StatusForbidden
	case CodeAmbiguousPath:
		return http.StatusBadRequest
	case CodeMethodNotSupported:
		return http.StatusMethodNotAllowed
	default:
		return http.StatusBadGateway
	}
}

// answer writes authproxy's own answer. retryAfter is sent, in whole seconds
// and at least one, when it is above zero.
func answer(w http.ResponseWriter, code Code, upstream, message string, retryAfter time.Duration) {
	type detail struct {
		Code     Code   `json:"code"`
		Message  string `json:"message"`
		Upstream string `json:"upstream"`
	}
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false) // for those who read it in a terminal
	if err := encoder.Encode(map[string]detail{"error": {code, message, upstream}}); err != nil {
		panic(err) // strings always encode
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set(errorField, string(code))
	// To a browser this is a page of an origin that may call.
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	h.Set("Content-Length", strconv.Itoa(body.Len()))
	if retryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(int((retryAfter+time.Second-1)/time.Second)))
	}
	w.WriteHeader(code.Status())
	_, _ = w.Write(body.Bytes())
}

// mayShare tells whether the page that sent r may read the answer by CORS.
func mayShare(r *http.Request, origins []string) bool {
	origin := r.Header["Origin"]
	return len(origin) == 1 && slices.Contains(origins, origin[0])
}

// dropCORS takes the permissions to share the answer with other pages out of
// h: the upstream gave them in the belief that a page has a token of its own.
func dropCORS(h http.Header) {
	for name := range h {
		if strings.HasPrefix(name, "Access-Control-") {
			delete(h, name)
		}
	}
}
