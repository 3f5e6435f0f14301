package platformtest

import (
	"fmt"
	"net/http"
	"strings"
)

// challenged is an answer of the API with its WWW-Authenticate (RFC 6750 section 3).
func challenged(status int, code, description string) answer {
	return oauth2Error(status, code, description).with("WWW-Authenticate",
		fmt.Sprintf("Bearer realm=%q, error=%q, error_description=%q", "platformtest", code, description))
}

func scopeError(status int) answer {
	return challenged(status, "insufficient_scope", "the token does not reach that far").as(denied)
}

func judgeOAuth2(p *Platform, r *http.Request) (pass, *answer) {
	header, err := authorization(r)
	inQuery := false
	for _, q := range parameters(rawQuery(r)) {
		inQuery = inQuery || q.name == "access_token"
	}
	scheme, token, _ := strings.Cut(header, " ")
	var no answer
	switch {
	case err != nil, inQuery && header != "":
		no = challenged(http.StatusBadRequest, "invalid_request", "more than one method or token").as(badRequest)
		return pass{}, &no
	case !strings.EqualFold(scheme, "Bearer"):
		no = answer{status: p.read().refusalStatus, outcome: refused,
			header: http.Header{"Www-Authenticate": {`Bearer realm="platformtest"`}}}
		return pass{}, &no
	case !isB64Token(token):
		no = challenged(http.StatusBadRequest, "invalid_request", "malformed token").as(badRequest)
		return pass{}, &no
	}
	if reason := p.verify(token, GrantedClient); reason != "" {
		no = challenged(p.read().refusalStatus, "invalid_token", reason).as(refused)
		return pass{}, &no
	}
	return pass{granted: GrantedClient}, nil
}

// isB64Token reports whether s is a b64token (RFC 6750 section 2.1).
func isB64Token(s string) bool {
	body := strings.TrimRight(s, "=")
	return body != "" && !strings.ContainsFunc(body, func(c rune) bool {
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
		return !letter && !strings.ContainsRune("-._~+/", c)
	})
}
