package proxy

import "net/http"

// writer notes what the client gets.
type writer struct {
	http.ResponseWriter
	call *call
}

// WriteHeader implements [http.ResponseWriter].
func (w *writer) WriteHeader(status int) {
	if status == http.StatusContinue {
		return // the server says it itself when the body is first read, and once
	}
	if status < 200 && !w.call.request.ProtoAtLeast(1, 1) {
		return // a client of HTTP/1.0 would take it for the answer (RFC 9110 section 15.2)
	}
	if h := w.call.handler; h != nil && status < 200 {
		h.filter(w.Header(), w.call.request) // ReverseProxy asks nobody about these
		h.opts.Authorizer.Redact(w.Header(), w.call.sent())
	}
	if w.call.closing && status >= 200 {
		w.Header().Set("Connection", "close") // ReverseProxy has emptied the header after a 1xx
	}
	if status >= 200 && w.call.record.Status == 0 {
		w.call.record.Status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write implements [http.ResponseWriter].
func (w *writer) Write(p []byte) (int, error) {
	if w.call.record.Status == 0 {
		w.call.record.Status = http.StatusOK
	}
	n, err := w.ResponseWriter.Write(p)
	w.call.record.BytesOut += int64(n)
	return n, err
}

// FlushError implements what [http.ResponseController] flushes by. An answer without a
// body ends at once: its header flushed before that would be followed by an empty frame
// in HTTP/2, and gRPC takes what stands in a header for trailers only where there is none.
func (w *writer) FlushError() error {
	if w.call.empty {
		return nil
	}
	return http.NewResponseController(w.ResponseWriter).Flush()
}

// Unwrap lets [http.ResponseController] reach Hijack.
func (w *writer) Unwrap() http.ResponseWriter { return w.ResponseWriter }
