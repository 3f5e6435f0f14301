package platformtest

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

const oauth2TokenPath = "/oauth2/token"

// NewOAuth2 simulates a platform that holds to RFC 6749 and RFC 6750: POST
// /oauth2/token with the grant client_credentials; the client identifies
// itself with Basic (id and secret form-encoded first) or in the form, never
// both (2.3.1); unknown and empty parameters are ignored, repeated ones
// refused (3.2); errors are those of 5.2. Tokens live 3600 s. The API is
// everywhere else; it takes the token from the header only and judges it
// before it reads the body. Tokens hold "+", "/" and "=".
func NewOAuth2(o Options) *Platform {
	return newPlatform(o, dialect{
		tokenPath: oauth2TokenPath,
		endpoints: map[string]endpoint{oauth2TokenPath: {issues: true, serve: (*Platform).oauth2Token}},
		judge:     judgeOAuth2,
		denials: map[string]func() answer{
			"/forbidden": func() answer { return scopeError(http.StatusForbidden) },
			"/scope401":  func() answer { return scopeError(http.StatusUnauthorized) },
			"/ratelimit": func() answer {
				return oauth2Error(http.StatusTooManyRequests, "temporarily_unavailable", "too many requests").as(denied)
			},
		},
		wrap:          bareEcho,
		newToken:      newB64Token,
		lifetimes:     map[string]time.Duration{GrantedClient: 3600 * time.Second},
		refusalStatus: http.StatusUnauthorized,
		early:         true,
		secrets:       clientSecrets,
	})
}

func oauth2Error(status int, code, description string) answer {
	return jsonAnswer(status, map[string]any{"error": code, "error_description": description}).
		with("Cache-Control", "no-store")
}

func oauth2Bad(code, description string) answer {
	return oauth2Error(http.StatusBadRequest, code, description).as(badRequest)
}

func invalidClient(description string) answer {
	return oauth2Error(http.StatusUnauthorized, "invalid_client", description).as(wrongCredentials).
		with("WWW-Authenticate", `Basic realm="platformtest"`)
}

func (p *Platform) oauth2Token(r *http.Request, body []byte) answer {
	query, err := formFields(r.URL.RawQuery)
	switch {
	case r.Method != http.MethodPost:
		return oauth2Error(http.StatusMethodNotAllowed, "invalid_request", "only POST").as(badRequest).with("Allow", "POST")
	case err != nil || slices.ContainsFunc([]string{"client_id", "client_secret", "grant_type", "scope"},
		func(name string) bool { _, there := query[name]; return there }):
		return oauth2Bad("invalid_request", "parameters belong in the body")
	case !isMedia(r.Header.Get("Content-Type"), mediaForm):
		return oauth2Bad("invalid_request", "Content-Type must be "+mediaForm)
	}
	form, err := formFields(string(body))
	if err != nil {
		return oauth2Bad("invalid_request", err.Error())
	}
	id, secret, no := clientOf(r, form)
	if no != nil {
		return *no
	}
	if id != p.opts.ClientID || secret != p.opts.ClientSecret {
		return invalidClient("unknown client or wrong secret")
	}
	return p.oauth2Grant(form)
}

func (p *Platform) oauth2Grant(form map[string]string) answer {
	scope := form["scope"]
	switch {
	case form["grant_type"] == "":
		return oauth2Bad("invalid_request", "grant_type is missing")
	case form["grant_type"] != "client_credentials":
		return oauth2Bad("unsupported_grant_type", "only client_credentials")
	case !p.grantable(scope):
		return oauth2Bad("invalid_scope", "a scope is malformed or not granted")
	}
	token, seconds := p.issue(GrantedClient, true)
	fields := map[string]any{"access_token": token, "token_type": "Bearer"}
	if scope != "" {
		fields["scope"] = scope
	}
	return p.tokenAnswer(fields, number(seconds)).with("Cache-Control", "no-store").with("Pragma", "no-cache")
}

// clientOf returns the client's id and secret (RFC 6749 section 2.3.1).
func clientOf(r *http.Request, form map[string]string) (id, secret string, no *answer) {
	header, err := authorization(r)
	if err != nil {
		bad := oauth2Bad("invalid_request", err.Error())
		return "", "", &bad
	}
	if header == "" {
		return form["client_id"], form["client_secret"], nil
	}
	if form["client_secret"] != "" {
		bad := oauth2Bad("invalid_request", "more than one method of client authentication")
		return "", "", &bad
	}
	id, secret, err = encodedBasic(header)
	if err != nil {
		bad := invalidClient(err.Error())
		return "", "", &bad
	}
	if form["client_id"] != "" && form["client_id"] != id {
		bad := oauth2Bad("invalid_request", "two different clients")
		return "", "", &bad
	}
	return id, secret, nil
}

// encodedBasic reads Basic credentials that were form-encoded before they were joined.
func encodedBasic(header string) (id, secret string, err error) {
	scheme, encoded, _ := strings.Cut(header, " ")
	id, secret, ok := basicPair(encoded)
	if !ok || !strings.EqualFold(scheme, "Basic") {
		return "", "", errors.New("not Basic credentials")
	}
	if id, err = url.QueryUnescape(id); err == nil {
		secret, err = url.QueryUnescape(secret)
	}
	if err != nil {
		return "", "", errors.New("credentials are not form-encoded")
	}
	return id, secret, nil
}

// grantable reports whether a scope is well-formed (RFC 6749 section 3.3) and
// holds nothing but what the platform grants.
func (p *Platform) grantable(scope string) bool {
	if scope == "" {
		return true
	}
	for token := range strings.SplitSeq(scope, " ") {
		invalid := strings.ContainsFunc(token, func(c rune) bool { return c < '!' || c > '~' || c == '"' || c == '\\' })
		if token == "" || invalid {
			return false
		}
		if len(p.opts.Scopes) > 0 && !slices.Contains(p.opts.Scopes, token) {
			return false
		}
	}
	return true
}
