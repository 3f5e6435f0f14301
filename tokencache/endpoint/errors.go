package endpoint

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"authproxy/tokencache"
)

// callError is the cause of a [tokencache.FetchError]. Its own cause is nil
// unless it may be shown too.
type callError struct {
	status  int     // of the answer, 0 without one
	verdict verdict // of the answer
	text    string
	cause   error
}

func (e *callError) Error() string { return e.text }

func (e *callError) Unwrap() error { return e.cause }

// fail makes the error of a call: what was done, what happened, and behind a
// colon what to do.
func (c *call) fail(reason tokencache.Reason, a *answer, what, todo string, cause error) *tokencache.FetchError {
	failed := &callError{cause: cause}
	asked := c.request.method + " " + c.request.shown
	if c.request.shown == "" { // nobody is asked for a token that is given
		asked = "it"
	}
	failed.text = fmt.Sprintf("token %q: %s %s: %s", c.endpoint.name, asked, what, todo)
	e := &tokencache.FetchError{Reason: reason, Err: failed}
	if a != nil {
		failed.status, e.RetryAfter = a.status, a.retryAfter()
	}
	return e
}

// refused is nil for a success: a status that means it, and all that the OK lists
// ask for.
func (c *call) refused(a *answer, lists ...[]Match) error {
	var e *tokencache.FetchError
	v := c.endpoint.response.judge(a, lists...)
	switch {
	case v == granted:
		return nil
	case v == busy || v == blocked:
		e = c.busy(a)
	case v == denied:
		e = c.denied(a)
	case !a.success():
		e = c.status(a)
	case !a.isJSON || a.blank():
		e = c.unreadableAnswer(a)
	default:
		what := fmt.Sprintf("was answered with %d%s but with nothing at the places under ok; it sent %s%s", a.status, c.quote(a), a.describe(&c.secrets), a.members(&c.secrets))
		e = c.fail(tokencache.ReasonBadAnswer, a, what, "check the URL, and what is given under ok", nil)
	}
	var cause *callError
	if errors.As(e.Err, &cause) {
		cause.verdict = v
	}
	return e
}

func (c *call) quote(a *answer) string { return a.quote(&c.endpoint.response, &c.secrets) }

// busy is the error of an answer that says nothing of the credentials.
func (c *call) busy(a *answer) *tokencache.FetchError {
	what, todo := fmt.Sprintf("was answered with %d%s", a.status, c.quote(a)), "wait; the platform is in trouble, and its operator can tell more"
	switch {
	case a.status == http.StatusTooManyRequests:
		todo = "wait; too many requests were made with these credentials"
	case c.isForTLS(a):
		what += "; it sent " + a.describe(&c.secrets)
		todo = "the port is one for TLS, as the answer says: write https:// in the URL"
	case a.status < 500 && !a.isJSON:
		what += "; it sent " + a.describe(&c.secrets)
		todo = "something in front of the platform is likely to have answered, such as a firewall or a proxy, since this is no JSON: check the URL, and ask who operates it"
	}
	return c.fail(tokencache.ReasonStatus, a, what, todo, nil)
}

// isForTLS tells whether the answer is that of a server of TLS that was spoken to in plain
// HTTP: in the words of nginx, Go, Apache and Tomcat.
func (c *call) isForTLS(a *answer) bool {
	if a.status != http.StatusBadRequest || !strings.HasPrefix(c.request.shown, "http://") {
		return false
	}
	text := strings.ToLower(a.text[:min(len(a.text), 4<<10)])
	for _, says := range []string{"plain http request was sent to https port", "http request to an https server", "plain http to an ssl-enabled server port", "requires tls"} {
		if strings.Contains(text, says) {
			return true
		}
	}
	return false
}

// denied is the error of an answer that refuses the credentials.
func (c *call) denied(a *answer) *tokencache.FetchError {
	what, todo := fmt.Sprintf("was refused with %d%s", a.status, c.quote(a)), c.remedy(a)
	if a.success() {
		what, todo = fmt.Sprintf("was refused in an answer with %d%s", a.status, c.quote(a)), todo+", and what is given under response where you wrote it yourself"
	}
	return c.fail(tokencache.ReasonCredentials, a, what, todo, nil)
}

// status is the error of an answer whose status is no success, and that speaks
// neither of the credentials nor of trouble.
func (c *call) status(a *answer) *tokencache.FetchError {
	what, todo := fmt.Sprintf("was answered with %d%s", a.status, c.quote(a)), "check the URL and the method"
	switch {
	case a.status >= 300 && a.status <= 399:
		what = fmt.Sprintf("was answered with %d, a redirect%s, which is not followed", a.status, c.direction(a))
		todo = "put the address that answers into the URL"
	case len(a.statuses) > 0 && a.status >= 200 && a.status <= 299:
		todo = "check response.status, which does not list it"
	}
	return c.fail(tokencache.ReasonStatus, a, what, todo, nil)
}

// direction is " to scheme://host" of a redirect where that may be shown.
func (c *call) direction(a *answer) string {
	u, err := url.Parse(a.header.Get("Location"))
	if err != nil || u.Host == "" {
		return ""
	}
	to := u.Scheme + "://" + u.Host
	if !errorCode.MatchString(to) || c.secrets.in(to) || c.secrets.in(u.Hostname()) {
		return ""
	}
	return " to " + to
}

// credentials names those that the request uses.
func (c *call) credentials() string {
	var names []string
	for _, name := range c.endpoint.secrets {
		if c.request.uses[name] {
			names = append(names, name)
		}
	}
	switch n := len(names); n {
	case 0:
		return "the configuration of the request"
	case 1:
		return names[0]
	default:
		return strings.Join(names[:n-1], ", ") + " and " + names[n-1]
	}
}

// remedy is what to do about refused credentials, by the codes of RFC 6749 section
// 5.2 and RFC 8707 section 2.
func (c *call) remedy(a *answer) string {
	check := "check " + c.credentials()
	for _, code := range a.texts(c.endpoint.response.Error...) {
		switch strings.ToLower(code) {
		case "invalid_scope":
			return "check scopes, and which of them this client may ask for"
		case "invalid_client":
			return check + ", and how they are sent: " + c.authentication()
		case "unauthorized_client", "unsupported_grant_type":
			return "check grant_type in the request, and that the platform lets this client use it"
		case "invalid_target":
			return "check resource and audience in endpoint_params"
		case "invalid_request":
			return check + ", scopes, endpoint_params and the other values of the request"
		}
	}
	if a.status == http.StatusBadRequest {
		return check + ", and the other values of the request"
	}
	return check
}

// authentication says how the client authenticates itself, and how else it might.
func (c *call) authentication() string {
	if c.request.auth.Header == "" {
		return "they are part of the body or the URL, and the platform may want them in the header Authorization (auth_method: client_secret_basic)"
	}
	return "they are in the header Authorization, and the platform may want them in the body (auth_method: client_secret_post)"
}

// noToken is the error of a success without a token. One that names an error
// refuses the credentials.
func (c *call) noToken(a *answer) error {
	m := &c.endpoint.response
	switch {
	case m.namesError(a):
		return c.denied(a)
	case m.Token.Body:
		return c.noTokenInBody(a)
	case !a.isJSON && m.Token.Header == "":
		return c.unreadableAnswer(a)
	}
	what := fmt.Sprintf("was answered with %d%s but without a token at %s; it sent %s%s",
		a.status, c.quote(a), m.Token, a.describe(&c.secrets), a.members(&c.secrets))
	return c.fail(tokencache.ReasonBadAnswer, a, what, "check the URL, "+c.credentials()+", and response.token where you wrote it yourself", nil)
}

// noTokenInBody is noToken where the whole body should be the token.
func (c *call) noTokenInBody(a *answer) error {
	what := fmt.Sprintf("was answered with %d, but its body is no token; it sent %s%s", a.status, a.describe(&c.secrets), a.members(&c.secrets))
	return c.fail(tokencache.ReasonBadAnswer, a, what, "check the URL, and response.token: body means that the whole body is the token, one word of visible ASCII without quotes or angle brackets, and no number of fewer than eight digits", nil)
}

func (c *call) badToken(a *answer, s Selector, value any) error {
	what := fmt.Sprintf("was answered with %d, and what stands at %s is no token: %s", a.status, s, unfit(value))
	return c.fail(tokencache.ReasonBadAnswer, a, what, "check the paths under response", nil)
}

// bound is the error of a token that is good only with a proof (RFC 9449 section 5).
func (c *call) bound(a *answer) error {
	what := fmt.Sprintf("was answered with %d and a token of the type DPoP, which takes a proof with each request, signed by the key of who asked for it; authproxy makes none", a.status)
	return c.fail(tokencache.ReasonBadAnswer, a, what, "have a token of the type Bearer issued for this client", nil)
}

func (c *call) unreadableAnswer(a *answer) *tokencache.FetchError {
	what := fmt.Sprintf("was answered with %d, but not with JSON that could be read; it sent %s", a.status, a.describe(&c.secrets))
	if a.isJSON {
		what = fmt.Sprintf("was answered with %d and nothing in it; it sent %s", a.status, a.describe(&c.secrets))
	}
	return c.fail(tokencache.ReasonBadAnswer, a, what, "check that the URL is that of the platform's API", nil)
}
