package platformtest

import (
	"fmt"
	"net/http"
	"strings"
	"time"
)

const hengshiTokenPath = "/api/oauth2/server/tokens"

// NewHengshi simulates HENGSHI SENSE (HENGSHI, 1.2 and 1.3): GET
// /api/oauth2/server/tokens with the credentials in the query, .../check and
// .../revoke; expires_in is a string, tokens live 12 h. The API is everywhere
// else; it takes the token as Bearer header or as the parameter access_token,
// not both, and the effective user from sudo, which is uid:, loginName:,
// email:, mobile: or the discouraged username:, with tenantId or tenantCode,
// not both. The simulation's choices: HTTP 400 for what the document does not
// allow, 401 for a refused token and for wrong credentials, and the codes
// that go with them.
func NewHengshi(o Options) *Platform {
	return newPlatform(o, dialect{
		tokenPath: hengshiTokenPath,
		endpoints: map[string]endpoint{
			hengshiTokenPath: {issues: true, serve: (*Platform).hengshiToken},
			hengshiTokenPath + "/check": {serve: (*Platform).hengshiCheck,
				count: func(c *Counts) { c.Checks++ }},
			hengshiTokenPath + "/revoke": {serve: (*Platform).hengshiRevoke,
				count: func(c *Counts) { c.Revocations++ }},
		},
		judge: judgeHengshi,
		denials: map[string]func() answer{
			"/forbidden": func() answer { return hengshiError(http.StatusForbidden, "no permission").as(denied) },
			"/ratelimit": func() answer { return hengshiError(http.StatusTooManyRequests, "too many requests").as(denied) },
		},
		wrap:          func(e Echo) any { return map[string]any{"code": 0, "data": e} },
		newToken:      newOpaque,
		lifetimes:     map[string]time.Duration{GrantedClient: 12 * time.Hour},
		refusalStatus: http.StatusUnauthorized,
		secrets:       clientSecrets,
	})
}

// hengshiError has the form of the revocation's answer (1.2.3), and the status as its code.
func hengshiError(status int, message string) answer {
	return jsonAnswer(status, map[string]any{"code": status, "msg": message})
}

func hengshiBad(message string) answer {
	return hengshiError(http.StatusBadRequest, message).as(badRequest)
}

func (p *Platform) hengshiRefusal() answer {
	a := hengshiError(http.StatusUnauthorized, "access_token is invalid or expired")
	a.status = p.read().refusalStatus
	return a
}

// hengshiQuery returns the parameters of a request to the token service, which
// must be the named ones.
func hengshiQuery(r *http.Request, names ...string) (map[string]string, error) {
	if r.Method != http.MethodGet || r.ContentLength != 0 {
		return nil, fmt.Errorf("only GET without a body is supported")
	}
	fields, err := formFields(r.URL.RawQuery)
	if err != nil {
		return nil, err
	}
	return fields, exactly(fields, names)
}

func (p *Platform) hengshiToken(r *http.Request, _ []byte) answer {
	fields, err := hengshiQuery(r, "grant_type", "client_id", "client_secret")
	switch {
	case err != nil:
		return hengshiBad(err.Error())
	case fields["grant_type"] != "client_credentials":
		return hengshiBad("grant_type must be client_credentials")
	case fields["client_id"] != p.opts.ClientID || fields["client_secret"] != p.opts.ClientSecret:
		return hengshiError(http.StatusUnauthorized, "client_id or client_secret is wrong").as(wrongCredentials)
	}
	token, seconds := p.issue(GrantedClient, true)
	return p.tokenAnswer(hengshiFields(token), quoted(seconds))
}

// hengshiFields are the answer's fields but expires_in; the scope is the
// document's word (1.2.1).
func hengshiFields(token string) map[string]any {
	return map[string]any{"access_token": token, "token_type": "bearer", "scope": "sodu"}
}

func (p *Platform) hengshiCheck(r *http.Request, _ []byte) answer {
	fields, err := hengshiQuery(r, "token")
	if err != nil {
		return hengshiBad(err.Error())
	}
	seconds, good := p.remaining(fields["token"])
	if !good {
		return p.hengshiRefusal()
	}
	return p.tokenAnswer(hengshiFields(fields["token"]), quoted(seconds)).as(uncounted)
}

func (p *Platform) hengshiRevoke(r *http.Request, _ []byte) answer {
	fields, err := hengshiQuery(r, "token")
	if err != nil {
		return hengshiBad(err.Error())
	}
	if !p.revoke(fields["token"]) {
		return jsonAnswer(http.StatusOK, map[string]any{"code": 1, "msg": "access_token is invalid or expired"})
	}
	return jsonAnswer(http.StatusOK, map[string]any{"code": 0, "msg": "success"})
}

func judgeHengshi(p *Platform, r *http.Request) (pass, *answer) {
	special, err := hengshiParameters(r)
	if err != nil {
		bad := hengshiBad(err.Error())
		return pass{}, &bad
	}
	token, inQuery := special["access_token"]
	if header, _ := authorization(r); !inQuery && strings.HasPrefix(header, "Bearer ") {
		token = strings.TrimPrefix(header, "Bearer ")
	}
	if p.verify(token, GrantedClient) != "" {
		no := p.hengshiRefusal().as(refused)
		return pass{}, &no
	}
	granted := pass{granted: GrantedClient, user: special["sudo"], inQuery: inQuery}
	for _, name := range []string{"tenantId", "tenantCode"} {
		if value, ok := special[name]; ok {
			granted.tenant = name + ":" + value
		}
	}
	return granted, nil
}

// hengshiParameters returns the parameters that the platform itself reads, and
// fails when they are not as 1.3 has them.
func hengshiParameters(r *http.Request) (map[string]string, error) {
	special := map[string]string{}
	for _, p := range parameters(rawQuery(r)) {
		switch p.name {
		case "access_token", "sudo", "tenantId", "tenantCode":
			if _, twice := special[p.name]; twice || p.value == "" {
				return nil, fmt.Errorf("%s must stand once and have a value", p.name)
			}
			special[p.name] = p.value
		}
	}
	_, byID := special["tenantId"]
	_, byCode := special["tenantCode"]
	_, inQuery := special["access_token"]
	header, err := authorization(r)
	switch {
	case err != nil:
		return nil, err
	case inQuery && header != "":
		return nil, fmt.Errorf("the token stands in the header and in the query")
	case byID && byCode:
		return nil, fmt.Errorf("tenantId and tenantCode exclude each other")
	}
	return special, checkSudo(special)
}

func checkSudo(special map[string]string) error {
	sudo, given := special["sudo"]
	if !given {
		return nil
	}
	form, who, _ := strings.Cut(sudo, ":")
	switch form {
	case "uid", "loginName", "email", "mobile", "username":
		if who != "" {
			return nil
		}
	}
	return fmt.Errorf("sudo must be uid:, loginName:, email: or mobile: and a user")
}
