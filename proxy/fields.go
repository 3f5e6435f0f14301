package proxy

import (
	"io"
	"net/http"
)

// filter takes out of the fields of an answer, which are those of its header, of a
// 1xx or its trailers, what client is not to get, and puts the addresses in them in
// terms of the client's.
func (h *handler) filter(fields http.Header, client *http.Request) {
	for _, name := range h.policy.dropResponse {
		delete(fields, name)
	}
	if !mayShare(client, h.opts.Origins) {
		dropCORS(fields)
	}
	h.addresses.rewrite(fields, client)
}

// filterTrailers has the trailers of resp filtered: those that are announced now,
// and their values, with those that nobody has announced, when the body has ended.
func (h *handler) filterTrailers(resp *http.Response, c *call) {
	sized := resp.ProtoMajor < 2 && resp.Trailer == nil && resp.ContentLength >= 0 // HTTP/1 has trailers behind chunks only
	if sized || resp.StatusCode == http.StatusSwitchingProtocols || resp.Body == nil {
		return
	}
	h.filter(resp.Trailer, c.request)
	c.ending = ending{ReadCloser: resp.Body, resp: resp, call: c}
	resp.Body = &c.ending
}

// ending is a body behind which trailers come.
type ending struct {
	io.ReadCloser
	resp *http.Response
	call *call
	done bool // they have come
}

// Read implements [io.Reader].
func (e *ending) Read(p []byte) (int, error) {
	n, err := e.ReadCloser.Read(p)
	if err == io.EOF && !e.done {
		e.done = true
		h := e.call.handler
		h.filter(e.resp.Trailer, e.call.request)
		h.opts.Authorizer.Redact(e.resp.Trailer, e.call.sent())
		for name := range e.resp.Trailer {
			delete(e.call.writer.Header(), name) // ReverseProxy would add to a header of that name, which has gone
		}
	}
	return n, err
}
