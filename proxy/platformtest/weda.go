package platformtest

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"
)

const (
	wedaTokenPath          = "/auth/v1/token/clientCredential"
	wedaRoot               = "/weda/"
	codeInvalidAccessToken = "INVALID_ACCESS_TOKEN"
	codeBadRequest         = "BAD_REQUEST"
)

// NewWeDa simulates the OpenAPI of WeDa in the public cloud (WeDa, 鉴权机制 and
// 请求说明): POST /auth/v1/token/clientCredential with the id and the secret raw
// in Basic, the API below /weda/ with POST, GET, PUT and DELETE, JSON bodies.
// Tokens live 432000 s, which was seen; the document gives no number. The
// simulation's choices: HTTP 400 for what the document does not allow, 404 for
// other paths, SIGN_PARAM_INVALID with 401 for wrong credentials.
func NewWeDa(o Options) *Platform {
	return newPlatform(o, dialect{
		tokenPath:     wedaTokenPath,
		endpoints:     map[string]endpoint{wedaTokenPath: {issues: true, serve: (*Platform).wedaToken}},
		judge:         judgeWeDa,
		denials:       wedaDenials(),
		wrap:          bareEcho,
		newToken:      func() string { return newJWT(0) },
		lifetimes:     map[string]time.Duration{GrantedClient: 432000 * time.Second},
		refusalStatus: http.StatusOK,
		secrets:       clientSecrets,
	})
}

// WeDaError is the JSON of WeDa's common error shape with a requestId of its
// own (WeDa, 接口异常返回 1).
func WeDaError(code, message string) string {
	b, _ := json.Marshal(struct { // strings never fail
		Code      string `json:"code"`
		RequestID string `json:"requestId"`
		Message   string `json:"message"`
	}{code, requestID(), message})
	return string(b)
}

// WeDaBusinessError is the JSON of the error shape of WeDa's single interfaces
// (WeDa, 接口异常返回 2); never about the token.
func WeDaBusinessError(code, message string) string {
	type fault struct{ Code, Message string }
	type response struct {
		RequestID string `json:"RequestId"`
		Error     fault
	}
	b, _ := json.Marshal(map[string]response{"Response": {requestID(), fault{code, message}}})
	return string(b)
}

// WeDaCodes returns the codes of WeDa's common error shape in the order of the
// document's table (WeDa, 错误码).
func WeDaCodes() []string {
	return []string{codeInvalidAccessToken, codeBadRequest, "INVALID_HOST", "INVALID_REGION", "INVALID_ENV",
		"INVALID_ENV_STATUS", "INVALID_COMMON_PARAM", "SIGN_PARAM_INVALID", "PERMISSION_DENIED",
		"EXCEED_REQUEST_LIMIT", "EXCEED_RATELIMIT", "SYS_ERR", "SERVER_TIMEOUT"}
}

func wedaAnswer(status int, code, message string) answer {
	return answer{status: status, body: []byte(WeDaError(code, message)),
		header: http.Header{"Content-Type": {mediaJSON}}}
}

func wedaBad(message string) answer {
	return wedaAnswer(http.StatusBadRequest, codeBadRequest, message).as(badRequest)
}

func wedaDenials() map[string]func() answer {
	return map[string]func() answer{
		"/forbidden": func() answer {
			return wedaAnswer(http.StatusForbidden, "PERMISSION_DENIED", "permission denied").as(denied)
		},
		"/ratelimit": func() answer {
			return wedaAnswer(http.StatusTooManyRequests, "EXCEED_RATELIMIT", "too many requests").as(denied)
		},
	}
}

func (p *Platform) wedaToken(r *http.Request, body []byte) answer {
	header, err := authorization(r)
	if err != nil {
		return wedaBad(err.Error())
	}
	switch {
	case r.Method != http.MethodPost:
		return wedaBad("only POST is supported")
	case r.URL.RawQuery != "":
		return wedaBad("no query is expected")
	case !isMedia(r.Header.Get("Content-Type"), mediaJSON):
		return wedaBad("Content-Type must be application/json")
	}
	fields, err := flatObject(body, "grant_type")
	if err != nil {
		return wedaBad(err.Error())
	}
	if fields["grant_type"] != "client_credentials" {
		return wedaBad("grant_type must be client_credentials")
	}
	encoded, basic := strings.CutPrefix(header, "Basic ")
	id, secret, ok := basicPair(encoded)
	if !basic || !ok || id != p.opts.ClientID || secret != p.opts.ClientSecret {
		return wedaAnswer(http.StatusUnauthorized, "SIGN_PARAM_INVALID", "secret verify failed").as(wrongCredentials)
	}
	token, seconds := p.issue(GrantedClient, true)
	return p.tokenAnswer(map[string]any{"token_type": "Bearer", "access_token": token}, number(seconds))
}

func judgeWeDa(p *Platform, r *http.Request) (pass, *answer) {
	return p.judgeTencent(r, wedaRules{roots: []string{wedaRoot}, kind: GrantedClient, json: true})
}

// wedaRules are what a part of a Tencent API asks for.
type wedaRules struct {
	roots []string // path prefixes
	kind  string   // of the token
	json  bool     // WeDa's rules for methods and bodies hold
}

func (p *Platform) judgeTencent(r *http.Request, rules wedaRules) (pass, *answer) {
	header, err := authorization(r)
	var bad answer
	switch {
	case !hasAnyPrefix(rawPath(r), rules.roots):
		bad = wedaAnswer(http.StatusNotFound, codeBadRequest, "no such interface").as(badRequest)
		return pass{}, &bad
	case err != nil:
		bad = wedaBad(err.Error())
		return pass{}, &bad
	case rules.json && !wedaMethod(r.Method):
		bad = wedaBad("method is not supported")
		return pass{}, &bad
	case rules.json && r.ContentLength != 0 && !isMedia(r.Header.Get("Content-Type"), mediaJSON):
		bad = wedaBad("Content-Type must be application/json")
		return pass{}, &bad
	}
	token, _ := strings.CutPrefix(header, "Bearer ")
	if !strings.HasPrefix(header, "Bearer ") {
		token = ""
	}
	if reason := p.verify(token, rules.kind); reason != "" {
		k := p.read()
		no := wedaAnswer(k.refusalStatus, k.refusalCode, reason).as(refused)
		return pass{}, &no
	}
	return pass{granted: rules.kind}, nil
}

func wedaMethod(method string) bool {
	switch method {
	case http.MethodPost, http.MethodGet, http.MethodPut, http.MethodDelete:
		return true
	}
	return false
}

func hasAnyPrefix(s string, prefixes []string) bool {
	for _, prefix := range prefixes {
		if strings.HasPrefix(s, prefix) {
			return true
		}
	}
	return false
}
