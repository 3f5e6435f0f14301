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
	// Pprof serves profiles of the program at /debug/pprof/.
	Pprof bool
	// Reload answers POST /-/reload; nil leaves that endpoint out.
	Reload http.HandlerFunc
	// Guard keeps web pages from what is neither a probe nor for scrapers; nil lets
	// everybody in.
	Guard func(http.Handler) http.Handler
}

// New returns the handler of the admin listener: /metrics, /livez and /readyz,
// for any Host, since kubelets and scrapers come by address. GET and HEAD only.
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
	if o.Pprof {
		profiles := http.Handler(profiles())
		if o.Guard != nil {
			profiles = o.Guard(profiles)
		}
		r.Handle(profilesPath+"*", profiles)
		paths = append(paths, profilesPath)
	}
	if o.Reload != nil {
		reload := http.Handler(noPage(o.Reload))
		if o.Guard != nil {
			reload = o.Guard(reload)
		}
		r.Method(http.MethodPost, "/-/reload", reload)
		paths = append(paths, "POST /-/reload")
	}
	r.NotFound(notFound("there is " + strings.Join(paths, ", ")))
	r.MethodNotAllowed(methodNotAllowed)
	return r
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
