package endpoint

import (
	"time"

	"authproxy/internal/jsonpath"
)

// An Observer is told of every request to the platform, for those who look
// closely. No request waits for it, however slow it is. All observers of an
// [Endpoint] are told of one request before any is told of the next, so one that
// hangs keeps the others waiting too; a thousand requests are kept for them, and
// what begins beyond is not told.
type Observer interface {
	// Observe is called when a request begins. The function that it returns,
	// unless it is nil, is called once when the answer has been read, or when
	// there is none.
	Observe(Start) (done func(Record))
}

// ObserverFunc is an [Observer] made of a function.
type ObserverFunc func(Start) (done func(Record))

// Observe implements [Observer].
func (f ObserverFunc) Observe(s Start) (done func(Record)) { return f(s) }

// Start is what is known of a request when it begins. It holds no secret.
type Start struct {
	// Time is when it began.
	Time time.Time
	// Request is which one it is: request, refresh, check or revoke.
	Request string
	// Method and URL are those of the request; the URL without its query, and
	// with the names of placeholders where credentials stand.
	Method, URL string
}

// Record is what happened to one request. It holds no secret.
type Record struct {
	// Request, Method and URL are those of its [Start].
	Request, Method, URL string
	// Status is that of the answer; 0 without one.
	Status int
	// Body is what the answer's body is, without its content: its media type and
	// its size, as a text for people.
	Body string
	// Expires is the text at response.expires_in; empty without one.
	Expires string
	// Duration is the time from the request to the answer's end.
	Duration time.Duration
	// Err is why there is no answer; nil when there is one.
	Err error
}

func (c *call) start(now time.Time) Start {
	return Start{Time: now, Request: c.request.where, Method: c.request.method, URL: c.request.shown}
}

// record is the Record of c with the answer a, nil when err came instead.
func (c *call) record(a *answer, err error, took time.Duration) Record {
	r := Record{Request: c.request.where, Method: c.request.method, URL: c.request.shown, Duration: took, Err: err}
	if a == nil {
		return r
	}
	r.Status, r.Body = a.status, a.describe(&c.secrets)
	value, _ := a.find(c.endpoint.response.ExpiresIn)
	if text, ok := jsonpath.Text(value); ok && errorCode.MatchString(text) && !c.secrets.in(text) {
		r.Expires = text
	}
	return r
}
