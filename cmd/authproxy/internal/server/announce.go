package server

import (
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"slices"
	"strings"

	"authproxy/cmd/authproxy/internal/config"
	"authproxy/internal/httpsyntax"
)

// Place returns where the i'th upstream of the configuration is served: an http or https
// URL without a path, or the address of a unix socket.
func (s *Server) Place(i int) string { return s.listeners[listenerOf(s.gen().cfg, i)].where() }

// announcement is where one upstream is served.
type announcement struct {
	name, place, to string
	path            string // under which, on a unix socket; else place holds it
	hosts           []string
}

// announcements are of the upstreams of cfg, whose listeners are open.
func (s *Server) announcements(cfg *config.Config) []announcement {
	var all []announcement
	for i, u := range cfg.Upstreams {
		a := announcement{name: u.Name, place: s.listeners[listenerOf(cfg, i)].where(), to: u.URL.String(), hosts: u.Hosts}
		if httpsyntax.IsUnix(a.place) {
			a.path = u.Path
		} else {
			a.place += u.Path
		}
		if u.Socket != "" {
			a.to = httpsyntax.UnixPrefix + u.Socket + u.URL.Path
		}
		all = append(all, a)
	}
	return all
}

// announce says where to point the application at.
func (s *Server) announce(w io.Writer) {
	if s.gen().cfg.Log.Format == "json" {
		s.announceJSON(slog.New(slog.NewJSONHandler(w, nil)))
		return
	}
	fmt.Fprintf(w, "authproxy %s is running (pid %d)\n", s.opts.Version, os.Getpid())
	for _, a := range s.gen().places {
		only := ""
		if len(a.hosts) > 0 {
			only = ", for Host " + strings.Join(a.hosts, ", ")
		}
		if a.path != "" && a.path != "/" {
			only += ", under " + a.path
		}
		fmt.Fprintf(w, "  %s: %s -> %s%s\n", a.name, a.place, a.to, only)
	}
	for _, line := range s.sources() {
		fmt.Fprintf(w, "  %s\n", line)
	}
	switch {
	case s.admin == nil:
	case httpsyntax.IsUnix(s.admin.place):
		fmt.Fprintf(w, "  admin: %s, there %s\n", s.admin.place, adminPaths)
	default:
		fmt.Fprintf(w, "  admin: %s/ (status page) %s\n", s.admin.place, adminPaths)
	}
}

// sources says what was read from which files.
func (s *Server) sources() []string {
	var all []string
	if s.opts.File != "" {
		all = append(all, "configuration: "+s.opts.File)
	}
	for _, t := range s.gen().cfg.Tokens {
		var files []string
		for _, name := range slices.Sorted(maps.Keys(t.Credentials)) {
			if file := t.Credentials[name].File(); file != "" {
				files = append(files, strings.TrimPrefix(name, "given_")+" from "+file)
			}
		}
		if len(files) > 0 {
			all = append(all, fmt.Sprintf("token %s: %s", t.Name, strings.Join(files, ", ")))
		}
	}
	return all
}

// adminPaths are what the admin listener answers, and people may want to call.
const adminPaths = "/metrics /livez /readyz"

// announceJSON is announce for programs that collect logs.
func (s *Server) announceJSON(log *slog.Logger) {
	log.Info("running", "version", s.opts.Version, "pid", os.Getpid(), "read", s.sources())
	for _, a := range s.gen().places {
		attrs := []any{"upstream", a.name, "address", a.place, "to", a.to}
		if len(a.hosts) > 0 {
			attrs = append(attrs, "hosts", a.hosts)
		}
		if a.path != "" {
			attrs = append(attrs, "path", a.path)
		}
		log.Info("serving", attrs...)
	}
	if s.admin != nil {
		log.Info("serving", "admin", s.admin.place, "paths", append([]string{"/"}, strings.Fields(adminPaths)...))
	}
}
