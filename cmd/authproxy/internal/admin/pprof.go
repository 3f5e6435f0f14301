package admin

import (
	"net/http"
	"net/http/pprof"
	"strings"
)

const profilesPath = "/debug/pprof/"

// profiles serves what net/http/pprof does, but for the command line, which names files
// and could hold a secret.
func profiles() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc(profilesPath+"profile", pprof.Profile)
	mux.HandleFunc(profilesPath+"symbol", pprof.Symbol)
	mux.HandleFunc(profilesPath+"trace", pprof.Trace)
	mux.HandleFunc(profilesPath, func(w http.ResponseWriter, r *http.Request) {
		if strings.TrimPrefix(r.URL.Path, profilesPath) == "cmdline" {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8") // that of a profile is set by it
		pprof.Index(w, r)
	})
	return mux
}
