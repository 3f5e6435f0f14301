package endpoint

import "time"

// Exchange is the record of one request to the platform, for those who look
// closely. It holds no secret.
type Exchange struct {
	// Request is which one: request, refresh, check or revoke.
	Request string
	// Method and URL are those of the request; the URL without its query, and
	// with the names of placeholders where credentials stand.
	Method, URL string
	// Status is that of the answer; 0 without one.
	Status int
	// Came is what the answer's body is, without its content.
	Came string
	// Expires is the text at response.expires_in; empty without one.
	Expires string
	// Duration is the time from the request to the answer's end.
	Duration time.Duration
	// Err is why there is no answer; nil when there is one.
	Err error
}

// record is the Exchange of c with the answer a, nil when err came in its stead;
// but for its duration.
func (c *call) record(a *answer, err error) Exchange {
	e := Exchange{Request: c.request.where, Method: c.request.method, URL: c.request.shown, Err: err}
	if a == nil {
		return e
	}
	e.Status, e.Came = a.status, a.came(c.secrets)
	value, _ := a.find(c.endpoint.response.ExpiresIn)
	if text, ok := textOf(value); ok && errorCode.MatchString(text) && !c.secrets.in(text) {
		e.Expires = text
	}
	return e
}
