// Package coding undoes the content codings of small bodies (RFC 9110 section
// 8.4.1): gzip, deflate, br (RFC 7932) and zstd (RFC 8878). Labels are hints: one
// that names no coding counts as none, and a body that is not in the coding of its
// label counts as it is.
package coding

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"sync"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"
)

const (
	// maxWindow bounds the memory of a zstd decoder; RFC 9659 has senders keep to
	// it.
	maxWindow = 8 << 20
	// maxCodings bounds how many codings of one body are undone.
	maxCodings = 4
)

var (
	gzipReaders   = sync.Pool{New: func() any { return new(gzip.Reader) }}
	brotliReaders = sync.Pool{New: func() any { return new(brotli.Reader) }}
	zstdReaders   = sync.Pool{New: func() any {
		d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			panic(err) // the options are constant
		}
		return d
	}}
)

// Known returns the codings that labels, the values of Content-Encoding, name and
// that can be undone, in the order in which they were applied. It allocates nothing
// without labels.
func Known(labels []string) []string {
	var all []string
	for _, label := range labels {
		for name := range strings.SplitSeq(label, ",") {
			switch name = strings.ToLower(strings.TrimSpace(name)); name {
			case "gzip", "deflate", "br", "zstd":
				all = append(all, name)
			case "x-gzip": // RFC 9110 section 8.4.1.3
				all = append(all, "gzip")
			}
		}
	}
	return all
}

// Decode undoes the known codings. ok is false for more of them than one body
// has, and when there are more than limit bytes.
func Decode(raw []byte, known []string, limit int) (text []byte, ok bool) {
	if len(known) > maxCodings {
		return nil, false
	}
	for _, name := range slices.Backward(known) {
		text, err := undo(raw, name, limit)
		switch {
		case len(text) > limit:
			return nil, false
		case err == nil:
			raw = text
		}
	}
	return raw, len(raw) <= limit
}

// Sniff returns the coding in which raw is without a label, by its first bytes
// (RFC 1952 section 2.3.1, RFC 8878 section 3.1.1); nil when it shows none.
func Sniff(raw []byte) []string {
	switch {
	case bytes.HasPrefix(raw, []byte("\x1f\x8b")):
		return []string{"gzip"}
	case bytes.HasPrefix(raw, []byte("\x28\xb5\x2f\xfd")):
		return []string{"zstd"}
	default:
		return nil
	}
}

// undo returns what raw holds under one coding, up to one byte more than limit.
func undo(raw []byte, name string, limit int) ([]byte, error) {
	switch name {
	case "br":
		d := brotliReaders.Get().(*brotli.Reader)
		defer brotliReaders.Put(d)
		return readAll(d, d.Reset(bytes.NewReader(raw)), limit)
	case "zstd":
		d := zstdReaders.Get().(*zstd.Decoder)
		defer zstdReaders.Put(d)
		return readAll(d, d.Reset(bytes.NewReader(raw)), limit)
	case "deflate":
		return inflate(raw, limit)
	default:
		d := gzipReaders.Get().(*gzip.Reader)
		defer gzipReaders.Put(d)
		return readAll(d, d.Reset(bytes.NewReader(raw)), limit)
	}
}

// inflate reads deflate with its zlib wrapper, as the standard has it, or
// without, as some servers send it.
func inflate(raw []byte, limit int) ([]byte, error) {
	if d, err := zlib.NewReader(bytes.NewReader(raw)); err == nil {
		defer d.Close()
		return readAll(d, nil, limit)
	}
	d := flate.NewReader(bytes.NewReader(raw))
	defer d.Close()
	return readAll(d, nil, limit)
}

func readAll(d io.Reader, err error, limit int) ([]byte, error) {
	if err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(d, int64(limit)+1))
}

// Begin returns what the beginning of a body holds under the known codings, as far
// as it can be told, at most limit bytes of it; nil when nothing can. What is not in
// the coding of its label counts as it is.
func Begin(raw []byte, known []string, limit int) []byte {
	if len(known) > maxCodings {
		return nil
	}
	for _, name := range slices.Backward(known) {
		text, err := undo(raw, name, limit-1)
		switch {
		case len(text) > 0 || err == nil || errors.Is(err, io.ErrUnexpectedEOF):
			raw = text
		case name == "gzip" || name == "zstd":
			// they begin with what no text begins with, and this does not
		default:
			return nil
		}
	}
	return raw[:min(len(raw), limit)]
}
