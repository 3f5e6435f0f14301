// Package admin answers the operator: is the program alive, is it ready, what
// does it count. It is served on a listener of its own, never beside the
// proxied requests.
package admin

import (
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/go-chi/chi/v5"
)

// Options is what the admin endpoints answer from. The zero value serves the
// probes of a program that is always ready and has no tokens. The functions
// are called for each request, and must be safe for concurrent use.
type Options struct {
	// Metrics answers /metrics; nil leaves that endpoint out.
	Metrics http.Handler
	// Ready tells why no requests are taken now; nil, from it or in its place,
	// means that they are. Its text is shown to whoever asks.
	Ready func() error
	// Tokens lists the tokens for /readyz?verbose; nil lists none.
	Tokens func() []TokenStatus
	// Status returns what the page at / and /api/status show; nil leaves both out.
	Status func() Status
	// Pprof serves profiles of the program at /debug/pprof/.
	Pprof bool
	// Reload answers POST /-/reload; nil leaves that endpoint out.
	Reload http.HandlerFunc
	// Guard keeps web pages from what is neither a probe nor for scrapers; nil lets
	// everybody in.
	Guard func(http.Handler) http.Handler
	// GuardPage is Guard for the page itself, which shows nothing without /api/status.
	GuardPage func(http.Handler) http.Handler
}

// New returns the handler of the admin listener: the status page, and /metrics, /livez and
// /readyz, for any Host, since kubelets and scrapers come by address. GET and HEAD only, but
// for the reload.
func New(o Options) http.Handler {
	r := chi.NewRouter()
	r.Use(plain)
	var paths []string
	serve := func(path string, h http.Handler) {
		r.Method(http.MethodGet, path, h)
		r.Method(http.MethodHead, path, h)
		paths = append(paths, path)
	}
	serve("/livez", http.HandlerFunc(livez))
	serve("/readyz", readyz(o))
	if o.Metrics != nil {
		serve("/metrics", o.Metrics)
	}
	if o.Status != nil {
		serve("/", behind(o.GuardPage, newPage()))
		serve("/api/status", behind(o.Guard, statusJSON(o.Status)))
	}
	if o.Pprof {
		r.Handle(profilesPath+"*", behind(o.Guard, profiles()))
		paths = append(paths, profilesPath)
	}
	if o.Reload != nil {
		r.Method(http.MethodPost, "/-/reload", behind(o.Guard, noPage(o.Reload)))
		paths = append(paths, "POST /-/reload")
	}
	r.NotFound(notFound("there is " + strings.Join(paths, ", ")))
	r.MethodNotAllowed(methodNotAllowed)
	return r
}

func behind(guard func(http.Handler) http.Handler, next http.Handler) http.Handler {
	if guard == nil {
		return next
	}
	return guard(next)
}

// noPage keeps every web page out: a page can send a POST, and not without an Origin.
func noPage(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if len(r.Header["Origin"]) > 0 {
			w.WriteHeader(http.StatusForbidden)
			_, _ = io.WriteString(w, "no web page may ask for a reload\n")
			return
		}
		next(w, r)
	}
}

// plain sets the headers of every answer: it is text, of this moment, and
// nothing for a browser to guess about.
func plain(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Type", "text/plain; charset=utf-8")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}

func livez(w http.ResponseWriter, _ *http.Request) {
	_, _ = io.WriteString(w, "ok\n")
}

func notFound(hint string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusNotFound)
		_, _ = fmt.Fprintf(w, "not found: %s\n", hint)
	}
}

func methodNotAllowed(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Allow", "GET, HEAD")
	w.WriteHeader(http.StatusMethodNotAllowed)
	_, _ = io.WriteString(w, "method not allowed: use GET or HEAD\n")
}
