package platformtest

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strconv"
)

// answer is a whole answer of a platform.
type answer struct {
	status  int
	header  http.Header
	body    []byte
	outcome outcome
}

// transfer is how an answer travels.
type transfer struct {
	encoding string
	chunked  bool
}

func jsonAnswer(status int, v any) answer {
	body, err := json.Marshal(v)
	if err != nil {
		panic(err) // only values of this package come here
	}
	return answer{status: status, header: http.Header{"Content-Type": {"application/json"}}, body: body}
}

// as sets the counter that the answer belongs to.
func (a answer) as(o outcome) answer {
	a.outcome = o
	return a
}

func (a answer) with(name, value string) answer {
	a.header = a.header.Clone()
	a.header.Set(name, value)
	return a
}

func send(w http.ResponseWriter, a answer, how transfer) {
	h := w.Header()
	maps.Copy(h, a.header)
	if a.status == http.StatusNoContent || a.status == http.StatusNotModified {
		w.WriteHeader(a.status)
		return
	}
	body := encode(a.body, how.encoding)
	if how.encoding != "" {
		h.Set("Content-Encoding", how.encoding)
	}
	if !how.chunked {
		h.Set("Content-Length", strconv.Itoa(len(body)))
	}
	w.WriteHeader(a.status)
	if how.chunked {
		_ = http.NewResponseController(w).Flush()
	}
	_, _ = w.Write(body) // a client that left needs no answer
}

// encode panics when it does not know the encoding: a mistake of the test.
func encode(body []byte, encoding string) []byte {
	if encoding == "" {
		return body
	}
	var out bytes.Buffer
	var z io.WriteCloser
	switch encoding {
	case "gzip":
		z = gzip.NewWriter(&out)
	case "deflate":
		z = zlib.NewWriter(&out)
	default:
		panic(fmt.Sprintf("platformtest: unknown encoding %q", encoding))
	}
	_, _ = z.Write(body)
	_ = z.Close()
	return out.Bytes()
}
