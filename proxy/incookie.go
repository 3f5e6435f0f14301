package proxy

import (
	"fmt"
	"net/http"
	"strings"

	"authproxy/internal/httpsyntax"
)

// inCookie has the cookie of that name (RFC 6265), as the session of a platform.
type inCookie struct{ name string }

// InCookie has the token go into the cookie of that name; the client's other cookies pass
// beside it. What an answer sets of that name does not come back to the client. It fails
// when name is no name of a cookie.
func InCookie(name string) (Authorizer, error) {
	if !httpsyntax.IsToken(name) {
		return nil, fmt.Errorf("proxy: the token cannot go into a cookie named %q", name)
	}
	return inCookie{name}, nil
}

// Strip implements [Authorizer], for trailers as well.
func (c inCookie) Strip(req *http.Request) {
	if lines, ok := req.Header["Cookie"]; ok {
		if left := c.others(lines); left != "" {
			req.Header["Cookie"] = []string{left}
		} else {
			delete(req.Header, "Cookie")
		}
	}
	dropField(req.Trailer, "Cookie")
	stripBearer(req)
}

// others are the cookies of other names, as they came, on one line (RFC 6265 section 5.4).
func (c inCookie) others(lines []string) string {
	var all []string
	for _, line := range lines {
		var left []string
		for pair := range strings.SplitSeq(line, ";") {
			if name, _, _ := strings.Cut(pair, "="); strings.Trim(name, " \t") != c.name {
				left = append(left, pair)
			}
		}
		if text := strings.Trim(strings.Join(left, ";"), " \t;"); text != "" {
			all = append(all, text)
		}
	}
	return strings.Join(all, "; ")
}

// Authorize implements [Authorizer].
func (c inCookie) Authorize(req *http.Request, token Token) {
	all := c.name + "=" + token.Value
	if left := c.others(req.Header["Cookie"]); left != "" {
		all = left + "; " + all
	}
	req.Header["Cookie"] = []string{all}
}

// Redact implements [Authorizer]: what sets the cookie goes whole, since a browser or a
// library would send it back beside ours.
func (c inCookie) Redact(h http.Header, token Token) {
	if lines, ok := h["Set-Cookie"]; ok {
		var left []string
		for _, line := range lines {
			if name, _, _ := strings.Cut(line, "="); strings.Trim(name, " \t") != c.name {
				left = append(left, line)
			}
		}
		if left == nil {
			delete(h, "Set-Cookie")
		} else {
			h["Set-Cookie"] = left
		}
	}
	maskFields(h, token.Value)
}
