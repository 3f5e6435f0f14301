package refusal

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
)

// lookLimit bounds the error envelope that is looked for: a body announced as
// larger is never held back, and no more than this is ever decompressed.
const lookLimit = 64 << 10

var byteOrderMark = []byte("\xef\xbb\xbf")

// body is what is looked for in bodies. One of its lists is enough.
type body struct {
	lists   [][]Match
	needles [][]byte // one of them stands in every document that matches and has no escapes
	always  bool     // a list says nothing that must stand in a document
}

func newBody(lists [][]Match) body {
	b := body{lists: lists}
	for _, all := range lists {
		needles := needlesOf(all)
		b.needles = append(b.needles, needles...)
		b.always = b.always || len(needles) == 0
	}
	return b
}

// needlesOf are texts of which one stands in every document, without escapes, in
// which all the matches hold; none when there is nothing that must.
func needlesOf(all []Match) [][]byte {
	for _, m := range all {
		var needles [][]byte
		for _, pattern := range m.Values {
			if longest := longestPiece(pattern); longest != "" {
				needles = append(needles, []byte(longest))
			}
		}
		if len(needles) == len(m.Values) {
			return needles
		}
	}
	return nil
}

// longestPiece is the longest text between the stars of a pattern.
func longestPiece(pattern string) string {
	return slices.MaxFunc(strings.Split(pattern, "*"), func(a, b string) int { return len(a) - len(b) })
}

func (b *body) empty() bool { return len(b.lists) == 0 }

// may tells whether a document may match. It is not parsed for that.
func (b *body) may(doc []byte) bool {
	if b.always || bytes.IndexByte(doc, '\\') >= 0 {
		return !b.empty()
	}
	return slices.ContainsFunc(b.needles, func(needle []byte) bool { return bytes.Contains(doc, needle) })
}

// in tells whether one of the lists holds in a document.
func (b *body) in(doc any) bool {
	return slices.ContainsFunc(b.lists, func(all []Match) bool {
		return !slices.ContainsFunc(all, func(m Match) bool { return !m.In(doc) })
	})
}

// verdict is what a body says of the token.
type verdict int

const (
	silent  verdict = iota // nothing
	refuses                // it was refused
	excuses                // it was not refused, whatever else says so
)

// read returns what text says, which counts when it is one JSON value and nothing
// behind it.
func (d *Detector) read(text []byte) verdict {
	text = bytes.TrimPrefix(text, byteOrderMark)
	if !d.refused.body.may(text) && !d.not.body.may(text) {
		return silent
	}
	doc, ok := document(text)
	if !ok {
		return silent
	}
	switch {
	case d.not.body.in(doc):
		return excuses
	case d.refused.body.in(doc):
		return refuses
	default:
		return silent
	}
}

// document returns what text is, if that is one JSON value and nothing behind it.
func document(text []byte) (doc any, ok bool) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if decoder.Decode(&doc) != nil {
		return nil, false
	}
	_, err := decoder.Token()
	return doc, err == io.EOF
}

// worthALook tells whether the body of resp may be a small JSON document at all.
func worthALook(resp *http.Response) bool {
	switch {
	case resp.Body == nil || resp.Body == http.NoBody || resp.ContentLength == 0 || resp.ContentLength > lookLimit,
		resp.StatusCode < 200 || resp.StatusCode == http.StatusNoContent || resp.StatusCode == http.StatusNotModified,
		resp.StatusCode == http.StatusPartialContent,
		resp.Request != nil && resp.Request.Method == http.MethodHead:
		return false
	}
	disposition, _, _ := strings.Cut(resp.Header.Get("Content-Disposition"), ";")
	return !strings.EqualFold(strings.TrimSpace(disposition), "attachment") && !neverJSON(resp.Header.Get("Content-Type"))
}

// neverJSON tells whether bodies of that type are streams, or nothing of which an
// error is made. Of all other labels none is trusted: platforms send errors as
// text/html, text/json, or without a type.
func neverJSON(contentType string) bool {
	if contentType == "application/json" || contentType == "" {
		return false
	}
	mediaType, params, _ := strings.Cut(strings.ToLower(contentType), ";")
	kind, subtype, _ := strings.Cut(strings.TrimSpace(mediaType), "/")
	switch kind {
	case "multipart", "image", "audio", "video", "font":
		return true
	}
	return subtype != "octet-stream" && slices.ContainsFunc(strings.FieldsFunc(subtype, isNoLetter), isStreamWord) ||
		slices.ContainsFunc(strings.Split(params, ";"), isStreamParam)
}

func isNoLetter(r rune) bool { return r < 'a' || r > 'z' }

// isStreamWord tells whether a word in the name of a media type says that more than
// one value comes: application/json-seq (RFC 7464), application/x-ndjson,
// application/connect+json, application/vnd.docker.raw-stream, text/event-stream.
func isStreamWord(word string) bool {
	switch word {
	case "stream", "streaming", "eventstream", "seq", "lines", "ndjson", "ldjson", "jsonl", "jsonlines", "jsonseq", "grpc", "connect", "multiplexed":
		return true
	}
	return false
}

// isStreamParam tells whether a parameter says so: Kubernetes watches are
// application/json;stream=watch.
func isStreamParam(param string) bool {
	name, value, _ := strings.Cut(param, "=")
	return strings.TrimSpace(name) == "stream" && strings.Trim(value, "\" \t") != "false"
}
