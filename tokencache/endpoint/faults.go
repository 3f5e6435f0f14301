package endpoint

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"authproxy/internal/httpsyntax"
	"authproxy/internal/template"
)

// checkNames returns the faults of the names in o.
func checkNames(o Options) []error {
	taken := map[string]bool{}
	for _, name := range Reserved() {
		taken[name] = true
	}
	var faults []error
	check := func(where string, names []string) {
		for _, name := range names {
			switch {
			case !template.IsName(name):
				faults = append(faults, fmt.Errorf("%s: the name %q must be of the form [a-z_][a-z0-9_]*", where, name))
			case taken[name]:
				faults = append(faults, fmt.Errorf("%s: the name %s is taken; choose another one", where, name))
			}
			taken[name] = true
		}
	}
	check("secrets", o.Secrets)
	check("params", slices.Sorted(maps.Keys(o.Params)))
	if o.JWT != nil {
		check("jwt", []string{jwtName})
	}
	for _, v := range o.Values {
		check("values", []string{v.Name})
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
		if !s.valid() {
			faults = append(faults, fmt.Errorf("response.%s: give a path, the name of a header, or body, and one of them alone", s.where))
		}
	}
	if r.ExpiresUnit != "" && !slices.Contains(Units(), r.ExpiresUnit) {
		faults = append(faults, fmt.Errorf("response.expires_unit: %q is none of %s", r.ExpiresUnit, strings.Join(Units(), ", ")))
	}
	empty := func(s Selector) bool { return s.zero() || !s.valid() }
	if slices.ContainsFunc(r.Error, empty) || slices.ContainsFunc(r.Describe, empty) {
		faults = append(faults, errors.New("response.error and response.describe: a place is empty or invalid"))
	}
	if slices.ContainsFunc(r.Status, func(status int) bool { return status < 200 || status > 599 }) {
		faults = append(faults, errors.New("response.status: a status that means success is 200 to 599"))
	}
	faults = append(faults, checkMatches("response.ok", r.OK)...)
	faults = append(faults, checkMatches("response.refused", r.Refused)...)
	return append(faults, checkMatches("response.busy", r.Busy)...)
}

// valid tells whether s names at most one place.
func (s Selector) valid() bool {
	named := 0
	for _, is := range []bool{!s.Path.IsZero(), s.Header != "", s.Body, s.Cookie != ""} {
		if is {
			named++
		}
	}
	return named <= 1 && (s.Header == "" || httpsyntax.IsToken(s.Header)) && (s.Cookie == "" || httpsyntax.IsToken(s.Cookie))
}

func checkMatches(where string, matches []Match) []error {
	var faults []error
	for _, m := range matches {
		if m.Path.IsZero() || len(m.Values) == 0 {
			faults = append(faults, fmt.Errorf("%s: each entry needs a path and at least one value", where))
		}
	}
	return faults
}
