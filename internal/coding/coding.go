// Package coding undoes the content codings of small bodies (RFC 9110 section
// 8.4.1): gzip, deflate, br (RFC 7932) and zstd (RFC 8878). Labels are hints: one
// that names no coding counts as none, what the first bytes show wins over them, and a
// body that is not in the coding of its label counts as it is.
package coding

import (
	"errors"
	"io"
	"strings"
)

const (
	// Enough is how many first bytes of a body, where it has so many, show its coding.
	Enough = 4
	// maxCodings bounds how many codings of one body are undone.
	maxCodings = 4
)

// Known returns the codings that labels, the values of Content-Encoding, name and
// that can be undone, in the order in which they were applied. It allocates nothing
// without labels.
func Known(labels []string) []string {
	var all []string
	for _, label := range labels {
		for name := range strings.SplitSeq(label, ",") {
			if len(all) > maxCodings {
				return all
			}
			if name = coding(name); name != "" {
				all = append(all, name)
			}
		}
	}
	return all
}

// coding is the coding that one label names, empty for none. Some servers give it
// parameters, quotes or the name of its library.
func coding(label string) string {
	label, _, _ = strings.Cut(label, ";")
	switch label = strings.ToLower(strings.Trim(label, " \t\r\n\"'")); label {
	case "gzip", "deflate", "br", "zstd":
		return label
	case "x-gzip": // RFC 9110 section 8.4.1.3
		return "gzip"
	case "zlib":
		return "deflate"
	case "brotli":
		return "br"
	}
	return ""
}

// Of returns the codings of a body that begins with first, all of it or at least
// [Enough] bytes: those that labels name, as far as the bytes do not show that they were
// not applied, or the one that the bytes show alone. It allocates nothing without
// labels when the bytes show none.
func Of(labels []string, first []byte) []string {
	return borneOut(Known(labels), first, shown(first))
}

// Sniff returns the coding in which raw is without a label, by its first bytes; nil
// when it shows none.
func Sniff(raw []byte) []string { return borneOut(nil, raw, shown(raw)) }

// borneOut returns known without the codings behind the outermost one that first bears
// out; coded is what first shows.
func borneOut(known []string, first []byte, coded string) []string {
	if len(known) > maxCodings {
		return known
	}
	for n := len(known); n > 0; n-- {
		switch last := known[n-1]; {
		case last == coded:
			return known[:n]
		case last == "br" && (coded == "" || coded == "deflate"):
			return known[:n] // it shows nothing, and may begin like zlib
		case last == "deflate" && coded == "" && !isJSON(first):
			return known[:n]
		}
	}
	if coded == "" {
		return nil
	}
	return []string{coded}
}

// isJSON tells whether first begins a JSON text, which no deflate of a text without
// zlib's header begins like: in fixed codes, these bytes would be what is not ASCII, or
// a copy of nothing (RFC 1951 section 3.2.6).
func isJSON(first []byte) bool {
	return len(first) > 0 && strings.IndexByte(`{["`, first[0]) >= 0
}

// body is what is left to undo of a body.
type body struct {
	raw    []byte
	known  []string
	failed string // the coding that raw shows, and is not in
	undone int
}

// outermost takes the outermost coding from what is known of b; empty when there is
// none.
func (b *body) outermost() string {
	coded := shown(b.raw)
	if coded == b.failed {
		coded = ""
	}
	b.known = borneOut(b.known, b.raw, coded)
	last := len(b.known) - 1
	if last < 0 {
		return ""
	}
	name := b.known[last]
	b.known = b.known[:last]
	return name
}

// holds goes on with what b holds under the outermost coding.
func (b *body) holds(text []byte) {
	b.raw, b.failed = text, ""
	b.undone++
}

// Decode undoes the known codings, and what the bytes show besides. ok is false for
// more of them than one body has, and when there are more than limit bytes.
func Decode(raw []byte, known []string, limit int) (text []byte, ok bool) {
	if len(known) > maxCodings {
		return nil, false
	}
	b := body{raw: raw, known: known}
	for name := b.outermost(); name != ""; name = b.outermost() {
		if b.undone == maxCodings {
			return nil, false
		}
		text, err := undo(b.raw, name, limit)
		switch {
		case len(text) > limit:
			return nil, false
		case err == nil:
			b.holds(text)
		default:
			b.failed = name
		}
	}
	return b.raw, len(b.raw) <= limit
}

// Begin returns what the beginning of a body holds under the known codings, as far
// as it can be told, at most limit bytes of it; nil when nothing can. What is not in
// the coding of its label counts as it is.
func Begin(raw []byte, known []string, limit int) []byte {
	if len(known) > maxCodings {
		return nil
	}
	b := body{raw: raw, known: known}
	whole := false // raw is all of it
	for {
		if len(b.raw) < Enough && len(b.known) > 0 && !whole {
			return nil
		}
		name := b.outermost()
		if name == "" {
			return b.raw[:min(len(b.raw), limit)]
		}
		if b.undone == maxCodings {
			return nil
		}
		text, err := undo(b.raw, name, limit-1)
		if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
			b.failed = name
			continue
		}
		b.holds(text)
		whole = err == nil && len(text) < limit
	}
}
