package server

import (
	"fmt"
	"io"
	"os"
	"strings"

	"authproxy/internal/httpsyntax"
)

// Place returns where the i'th upstream of the configuration is served: an http
// URL without a path, or the address of a unix socket.
func (s *Server) Place(i int) string { return s.listeners[listenerOf(s.current.cfg, i)].place }

// announce says where to point the application at.
func (s *Server) announce(w io.Writer) {
	fmt.Fprintf(w, "authproxy %s is running (pid %d)\n", s.opts.Version, os.Getpid())
	for i, u := range s.current.cfg.Upstreams {
		place := s.Place(i)
		if !httpsyntax.IsUnix(place) {
			place += u.Path
		}
		only := ""
		if len(u.Hosts) > 0 {
			only = ", for Host " + strings.Join(u.Hosts, ", ")
		}
		to := u.URL.String()
		if u.Socket != "" {
			to = httpsyntax.UnixPrefix + u.Socket + u.URL.Path
		}
		fmt.Fprintf(w, "  %s: %s -> %s%s\n", u.Name, place, to, only)
	}
	switch {
	case s.admin == nil:
	case httpsyntax.IsUnix(s.admin.place):
		fmt.Fprintf(w, "  admin: %s, there /metrics /livez /readyz\n", s.admin.place)
	default:
		fmt.Fprintf(w, "  admin: %s/metrics /livez /readyz\n", s.admin.place)
	}
}
