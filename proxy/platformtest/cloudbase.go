package platformtest

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

const (
	cloudBaseSignIn   = "/auth/v1/signin"
	cloudBaseLifetime = 7200 * time.Second
)

// NewCloudBase simulates the user tokens of CloudBase (CloudBase, Access
// Token): POST /auth/v1/signin with a user name and a password, POST
// /auth/v1/token with a refresh token, which dies at once, POST
// /auth/v1/revoke. The API is everywhere but below /auth/; it refuses a token
// in WeDa's common shape. Tokens live 7200 s. A client_id may be left out;
// given, it must be Options.ClientID. The simulation's choices: 400 for
// errors, their numbers, 401 for a refused token, and that five wrong
// passwords in a row are followed by captcha_required for ten minutes.
func NewCloudBase(o Options) *Platform {
	return newPlatform(o, dialect{
		tokenPath:     cloudBaseSignIn,
		endpoints:     cloudBaseEndpoints(),
		judge:         judgeCloudBase,
		denials:       wedaDenials(),
		wrap:          bareEcho,
		lifetimes:     map[string]time.Duration{GrantedUser: cloudBaseLifetime},
		refusalStatus: http.StatusUnauthorized,
		secrets:       userSecrets,
	})
}

func cloudBaseEndpoints() map[string]endpoint {
	return map[string]endpoint{
		cloudBaseSignIn: {issues: true, serve: (*Platform).cloudBaseSignIn,
			count: func(c *Counts) { c.SignIns++ }},
		"/auth/v1/token": {issues: true, serve: (*Platform).cloudBaseRefresh,
			count: func(c *Counts) { c.Refreshes++ }},
		"/auth/v1/revoke": {serve: (*Platform).cloudBaseRevoke,
			count: func(c *Counts) { c.Revocations++ }},
	}
}

func judgeCloudBase(p *Platform, r *http.Request) (pass, *answer) {
	if strings.HasPrefix(rawPath(r), "/auth/") {
		no := cloudBaseError("not_found", "no such interface").as(badRequest)
		no.status = http.StatusNotFound
		return pass{}, &no
	}
	return p.judgeTencent(r, wedaRules{roots: []string{"/"}, kind: GrantedUser})
}

// cloudBaseError is an error of the token service. The number is not the vendor's.
func cloudBaseError(code, description string) answer {
	numbered := []string{"unauthenticated", "invalid_grant", "invalid_password", "captcha_required", "not_found", "invalid_argument"}
	return jsonAnswer(http.StatusBadRequest, map[string]any{
		"error": code, "error_code": slices.Index(numbered, code) + 1, "error_description": description})
}

func cloudBaseBad(description string) answer {
	return cloudBaseError("invalid_argument", description).as(badRequest)
}

// cloudBaseBody checks what the three endpoints have in common, and returns
// the fields of the body.
func (p *Platform) cloudBaseBody(r *http.Request, body []byte, allowed ...string) (map[string]string, *answer) {
	var bad answer
	switch {
	case r.Method != http.MethodPost:
		bad = cloudBaseBad("only POST is supported")
		return nil, &bad
	case !isMedia(r.Header.Get("Content-Type"), mediaJSON):
		bad = cloudBaseBad("Content-Type must be application/json")
		return nil, &bad
	}
	fields, err := flatObject(body, allowed...)
	if err != nil {
		bad = cloudBaseBad(err.Error())
		return nil, &bad
	}
	query, err := formFields(r.URL.RawQuery)
	if err == nil {
		err = exactly(query, nil, "client_id")
	}
	if err != nil {
		bad = cloudBaseBad(err.Error())
		return nil, &bad
	}
	for _, id := range []string{query["client_id"], fields["client_id"]} {
		if id != "" && id != p.opts.ClientID {
			bad = cloudBaseBad("client_id is not known")
			return nil, &bad
		}
	}
	return fields, nil
}

func (p *Platform) cloudBaseSignIn(r *http.Request, body []byte) answer {
	fields, bad := p.cloudBaseBody(r, body, "username", "password")
	if bad != nil {
		return *bad
	}
	if err := exactly(fields, []string{"username", "password"}); err != nil {
		return cloudBaseBad(err.Error())
	}
	p.noteDevice(r.Header.Get("X-Device-Id"))
	right := fields["username"] == p.opts.Username && fields["password"] == p.opts.Password
	switch p.attempt(right) {
	case attemptLocked:
		return cloudBaseError("captcha_required", "captcha required").as(wrongCredentials)
	case attemptWrong:
		return cloudBaseError("invalid_password", "user name or password is wrong").as(wrongCredentials)
	}
	return p.userToken(true)
}

func (p *Platform) cloudBaseRefresh(r *http.Request, body []byte) answer {
	fields, bad := p.cloudBaseBody(r, body, "grant_type", "refresh_token", "client_id")
	if bad != nil {
		return *bad
	}
	if err := exactly(fields, []string{"grant_type", "refresh_token"}, "client_id"); err != nil {
		return cloudBaseBad(err.Error())
	}
	if fields["grant_type"] != "refresh_token" {
		return cloudBaseBad("grant_type must be refresh_token")
	}
	if !p.spend(fields["refresh_token"]) {
		return cloudBaseError("invalid_grant", "refresh token is not valid").as(wrongCredentials)
	}
	return p.userToken(false)
}

func (p *Platform) cloudBaseRevoke(r *http.Request, body []byte) answer {
	fields, bad := p.cloudBaseBody(r, body, "token")
	if bad != nil {
		return *bad
	}
	if err := exactly(fields, []string{"token"}); err != nil {
		return cloudBaseBad(err.Error())
	}
	if !p.revoke(fields["token"]) {
		return cloudBaseError("unauthenticated", "token is not valid").as(badRequest)
	}
	return jsonAnswer(http.StatusOK, struct{}{})
}

func (p *Platform) userToken(repeat bool) answer {
	token, seconds := p.issue(GrantedUser, repeat)
	return p.tokenAnswer(map[string]any{"token_type": "Bearer", "access_token": token,
		"refresh_token": p.newRefreshToken(), "scope": "user", "sub": "platformtest-user",
		"groups": []string{}}, number(seconds))
}
