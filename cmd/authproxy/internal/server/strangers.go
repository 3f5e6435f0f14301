package server

import (
	"strings"

	"authproxy/cmd/authproxy/internal/listen"
)

// notHTTP returns what tells of connections to l on which something else is spoken.
func (s *Server) notHTTP(l *listener) func(listen.Other) {
	lines := s.errorLog() // which keeps a stranger from filling the log
	return func(o listen.Other) {
		if o.Failed == nil {
			s.metrics.NotHTTP()
		}
		switch {
		case o.Failed != nil:
			lines.Printf("no TLS came about with a caller of %s: %s", l.where(), noTLS(o.Failed))
		case o.Plain:
			lines.Printf("HTTP without TLS is spoken to %s: give the application that address with https://, not http://", l.where())
		case o.TLS:
			lines.Printf("TLS is spoken to %s, where plain HTTP is served: give the application that address with http://, not https://", l.place)
		default:
			lines.Printf("%s is spoken to %s, where HTTP is served: see who calls there", o.Protocol, l.where())
		}
	}
}

// noTLS says why a caller and authproxy did not agree on TLS, and what to do.
func noTLS(err error) string {
	text := strings.TrimPrefix(err.Error(), "tls: ")
	switch {
	case strings.HasPrefix(text, "remote error: ") && strings.Contains(text, "certificate"):
		return text + ": it does not accept the certificate of listen_tls.cert_file: have it trust the authority of that, and call a name that stands in it"
	case strings.Contains(text, "unsupported versions"), strings.Contains(text, "protocol version"):
		return text + ": compare listen_tls.min_version with what it speaks"
	case strings.Contains(text, "cipher suite"):
		return text + ": have it use a cipher suite of today"
	}
	return text + ": see who calls there"
}

// headCut tells of a head that was cut for the sake of the others.
func (s *Server) headCut() func() {
	lines := s.errorLog()
	return func() {
		s.metrics.HeadCut()
		lines.Print("the heads of requests that have not come to their end take more memory together than is set aside for them, so the oldest of their connections are cut: see who opens connections and sends no request")
	}
}
