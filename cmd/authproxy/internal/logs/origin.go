package logs

import (
	"log/slog"
	"strings"

	"authproxy/internal/printable"
	"authproxy/proxy"
)

// maxWord is how many bytes are logged of what a client says of itself.
const maxWord = 256

// origin is where a request came from; what is not known is empty.
type origin struct {
	trace, request string // of traceparent and X-Request-Id
	peer, agent    string
}

// origin returns that of r, of which it keeps nothing.
func (l *Access) origin(r *proxy.Record) origin {
	if r.Request == nil {
		return origin{}
	}
	trace, _ := r.Trace()
	word := func(text string) string { return strings.Clone(printable.Text(text, maxWord)) }
	return origin{
		trace: strings.Clone(trace), request: word(r.Request.Header.Get("X-Request-Id")),
		peer: word(l.peer(r.Request)), agent: word(r.Request.Header.Get("User-Agent")),
	}
}

// attrs appends what is known to attrs.
func (o origin) attrs(attrs []slog.Attr) []slog.Attr {
	for _, one := range []struct{ name, value string }{
		{"trace_id", o.trace}, {"request_id", o.request}, {"peer", o.peer}, {"user_agent", o.agent},
	} {
		if one.value != "" {
			attrs = append(attrs, slog.String(one.name, one.value))
		}
	}
	return attrs
}
