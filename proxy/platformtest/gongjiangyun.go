package platformtest

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

const gongjiangyunTokenPath = "/oauth/token"

// NewGongjiangyun simulates 工匠云 (Gongjiangyun, 认证管理 and 请求头): POST
// /oauth/token with a form; a new token kills the old one; tokens are UUIDs
// and live 43199 s as in the sample (the text says 7 days). A header that is
// in no sample is answered 400: only Host, Content-Type, Content-Length,
// Transfer-Encoding and, on the API, Authorization pass; the latter is "bearer"
// as issued, and the token. The API is everywhere else. It judges the token
// before it reads the body. The simulation's choices: the bodies of errors,
// which are those of Spring's OAuth server.
func NewGongjiangyun(o Options) *Platform {
	return newPlatform(o, dialect{
		tokenPath: gongjiangyunTokenPath,
		endpoints: map[string]endpoint{
			gongjiangyunTokenPath: {issues: true, serve: (*Platform).gongjiangyunToken},
		},
		judge: judgeGongjiangyun,
		denials: map[string]func() answer{
			"/forbidden": func() answer {
				return springError(http.StatusForbidden, "access_denied", "Access is denied").as(denied)
			},
			"/ratelimit": func() answer {
				return springError(http.StatusTooManyRequests, "too_many_requests", "Too many requests").as(denied)
			},
		},
		wrap: func(e Echo) any {
			return map[string]any{"code": 200, "message": "success", "data": e}
		},
		newToken:      newUUID,
		lifetimes:     map[string]time.Duration{GrantedClient: 43199 * time.Second},
		refusalStatus: http.StatusUnauthorized,
		early:         true,
		oneAlive:      true,
		secrets:       clientSecrets,
	})
}

func springError(status int, code, description string) answer {
	return jsonAnswer(status, map[string]any{"error": code, "error_description": description})
}

func springBad(description string) answer {
	return springError(http.StatusBadRequest, "invalid_request", description).as(badRequest)
}

// strayHeader returns the name of a header that is not in the samples; ""
// when there is none.
func strayHeader(r *http.Request, allowed ...string) string {
	names := make([]string, 0, len(r.Header)+1)
	for name, values := range r.Header {
		if !slices.Contains(allowed, name) || len(values) != 1 {
			names = append(names, name)
		}
	}
	if len(r.Trailer) > 0 {
		names = append(names, "Trailer")
	}
	if len(names) == 0 {
		return ""
	}
	return slices.Min(names)
}

func (p *Platform) gongjiangyunToken(r *http.Request, body []byte) answer {
	stray := strayHeader(r, "Content-Type", "Content-Length", "Transfer-Encoding")
	switch {
	case stray != "":
		return springBad("unexpected header " + stray)
	case r.Method != http.MethodPost:
		return springBad("only POST is supported")
	case r.URL.RawQuery != "":
		return springBad("no query is expected")
	case !isMedia(r.Header.Get("Content-Type"), mediaForm):
		return springBad("Content-Type must be " + mediaForm)
	}
	fields, err := formFields(string(body))
	if err == nil {
		err = exactly(fields, []string{"client_id", "client_secret", "grant_type"}, "scope")
	}
	switch {
	case err != nil:
		return springBad(err.Error())
	case fields["grant_type"] != "client_credentials":
		return springError(http.StatusBadRequest, "unsupported_grant_type", "only client_credentials").as(badRequest)
	case fields["client_id"] != p.opts.ClientID || fields["client_secret"] != p.opts.ClientSecret:
		return springError(http.StatusUnauthorized, "invalid_client", "Bad client credentials").as(wrongCredentials)
	}
	token, seconds := p.issue(GrantedClient, true)
	return p.tokenAnswer(map[string]any{"access_token": token, "token_type": "bearer", "scope": fields["scope"]},
		number(seconds))
}

func judgeGongjiangyun(p *Platform, r *http.Request) (pass, *answer) {
	stray := strayHeader(r, "Content-Type", "Content-Length", "Transfer-Encoding", "Authorization")
	if stray != "" {
		bad := springBad("unexpected header " + stray)
		return pass{}, &bad
	}
	token, typed := strings.CutPrefix(r.Header.Get("Authorization"), "bearer ")
	if !typed {
		no := springError(p.read().refusalStatus, "unauthorized",
			"Full authentication is required to access this resource").as(refused).
			with("WWW-Authenticate", `bearer realm="oauth2-resource", error="unauthorized"`)
		return pass{}, &no
	}
	if reason := p.verify(token, GrantedClient); reason != "" {
		no := p.springRefusal(token, reason)
		return pass{}, &no
	}
	return pass{granted: GrantedClient}, nil
}

func (p *Platform) springRefusal(token, reason string) answer {
	k := p.read()
	description := "Invalid access token"
	if reason == reasonExpired {
		description = "Access token expired"
	}
	if k.quoteRefused {
		description += ": " + token
	}
	challenge := fmt.Sprintf("bearer realm=%q, error=%q, error_description=%q", "oauth2-resource", "invalid_token", description)
	return springError(k.refusalStatus, "invalid_token", description).as(refused).with("WWW-Authenticate", challenge)
}
