package server

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"authproxy/cmd/authproxy/internal/config"
)

// reloadPage answers POST /-/reload: 204, or 422 with what is wrong, as JSON where that is
// asked for.
func (s *Server) reloadPage(w http.ResponseWriter, r *http.Request) {
	err := s.Reload()
	if err == nil {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	text := err.Error()
	if strings.Contains(r.Header.Get("Accept"), "application/json") {
		w.Header().Set("Content-Type", "application/json")
		text = faultsJSON(err)
	}
	w.WriteHeader(http.StatusUnprocessableEntity)
	_, _ = fmt.Fprintln(w, text)
}

// reloadEndpoint is reloadPage where there is a reload.
func (s *Server) reloadEndpoint() http.HandlerFunc {
	if s.opts.Load == nil {
		return nil
	}
	return s.reloadPage
}

// faultsJSON is what is wrong, for programs.
func faultsJSON(err error) string {
	type fault struct {
		File  string `json:"file,omitempty"`
		Line  int    `json:"line,omitempty"`
		Path  string `json:"path,omitempty"`
		Error string `json:"error"`
		Hint  string `json:"hint,omitempty"`
	}
	var all []fault
	if faults, ok := errors.AsType[config.Faults](err); ok {
		for _, f := range faults {
			all = append(all, fault{f.File, f.Line, f.Path, f.What, f.Fix})
		}
	} else {
		all = []fault{{Error: err.Error()}}
	}
	text, failed := json.Marshal(map[string]any{"faults": all})
	if failed != nil {
		return "{}" // texts and numbers always encode
	}
	return string(text)
}
