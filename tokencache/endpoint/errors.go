package endpoint

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"authproxy/tokencache"
)

// callError is the cause of a [tokencache.FetchError]. Its own cause is nil
// unless it may be shown too.
type callError struct {
	status int // of the answer, 0 without one
	text   string
	cause  error
}

func (e *callError) Error() string { return e.text }

func (e *callError) Unwrap() error { return e.cause }

// fail makes the error of a call: what was done, what happened, and behind a
// colon what to do.
func (c *call) fail(reason tokencache.Reason, a *answer, what, todo string, cause error) *tokencache.FetchError {
	failed := &callError{cause: cause}
	failed.text = fmt.Sprintf("token %q: %s %s %s: %s", c.endpoint.name, c.request.method, c.request.shown, what, todo)
	e := &tokencache.FetchError{Reason: reason, Err: failed}
	if a != nil {
		failed.status = a.status
	}
	if a != nil && !a.success() {
		e.RetryAfter = retryAfter(a.header.Get("Retry-After"), time.Now())
	}
	return e
}

// refused is nil for a success: a 2xx status and all that the OK lists ask for.
func (c *call) refused(a *answer, lists ...[]Match) error {
	if !a.success() {
		return c.status(a)
	}
	for _, matches := range lists {
		switch {
		case len(matches) == 0 || a.holds(matches):
		case a.blank():
			return c.unreadableAnswer(a)
		default:
			what := fmt.Sprintf("was refused in an answer with %d%s", a.status, a.code(c.endpoint.response.Error, c.secrets))
			return c.fail(tokencache.ReasonCredentials, a, what, "check "+c.credentials()+", and what is given under ok", nil)
		}
	}
	return nil
}

// status is the error of an answer that is not 2xx.
func (c *call) status(a *answer) error {
	code := a.code(c.endpoint.response.Error, c.secrets)
	what := fmt.Sprintf("was answered with %d%s", a.status, code)
	reason, todo := tokencache.ReasonStatus, "check the URL and the method"
	switch {
	case a.status == 400:
		reason, what = tokencache.ReasonCredentials, fmt.Sprintf("was refused with %d%s", a.status, code)
		todo = "check " + c.credentials() + ", and the other values of the request"
	case a.status == 401 || a.status == 403:
		reason, what = tokencache.ReasonCredentials, fmt.Sprintf("was refused with %d%s", a.status, code)
		todo = "check " + c.credentials()
	case a.status >= 300 && a.status <= 399:
		what = fmt.Sprintf("was answered with %d, a redirect%s, which is not followed", a.status, c.direction(a))
		todo = "put the address that answers into the URL"
	case a.status == 429:
		todo = "wait; too many requests were made with these credentials"
	case a.status >= 500 && a.status != http.StatusNotImplemented: // which is of a wrong URL or method
		todo = "wait; the platform is in trouble, and its operator can tell more"
	}
	return c.fail(reason, a, what, todo, nil)
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

func (c *call) noToken(a *answer) error {
	if !a.isJSON && c.endpoint.response.Token.Header == "" {
		return c.unreadableAnswer(a)
	}
	code := a.code(c.endpoint.response.Error, c.secrets)
	what := fmt.Sprintf("was answered with %d%s but without a token at %s; it sent %s",
		a.status, code, c.endpoint.response.Token, a.describe(c.secrets))
	return c.fail(tokencache.ReasonBadAnswer, a, what, "check the URL, "+c.credentials()+", and response.token where you wrote it yourself", nil)
}

func (c *call) badToken(a *answer, s Selector) error {
	what := fmt.Sprintf("was answered with %d, and what stands at %s is no token: not a text, longer than 16 KiB, or with spaces or other characters that no header can hold", a.status, s)
	return c.fail(tokencache.ReasonBadAnswer, a, what, "check the paths under response", nil)
}

func (c *call) unreadableAnswer(a *answer) error {
	what := fmt.Sprintf("was answered with %d, but not with JSON that could be read; it sent %s", a.status, a.describe(c.secrets))
	if a.isJSON {
		what = fmt.Sprintf("was answered with %d and nothing in it; it sent %s", a.status, a.describe(c.secrets))
	}
	return c.fail(tokencache.ReasonBadAnswer, a, what, "check that the URL is that of the platform's API", nil)
}
