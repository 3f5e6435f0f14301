package refusal

import (
	"bytes"
	"io"
	"sync"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"
)

// maxWindow bounds the memory of a zstd decoder; RFC 9659 has senders keep to
// it.
const maxWindow = 8 << 20

var (
	gzipReaders = sync.Pool{New: func() any { return new(gzip.Reader) }}
	zstdReaders = sync.Pool{New: func() any {
		d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			panic(err) // the options are constant
		}
		return d
	}}
)

// decodable tells whether decode knows the content coding.
func decodable(encoding string) bool {
	switch encoding {
	case "", "identity", "gzip", "x-gzip", "deflate", "zstd":
		return true
	default:
		return false
	}
}

// decode returns what raw holds under a content coding (RFC 9110 section
// 8.4.1, RFC 8878). It reports false for more than lookLimit bytes, and for
// what cannot be decoded.
func decode(raw []byte, encoding string) ([]byte, bool) {
	switch encoding {
	case "zstd":
		d := zstdReaders.Get().(*zstd.Decoder)
		defer zstdReaders.Put(d)
		if d.Reset(bytes.NewReader(raw)) != nil {
			return nil, false
		}
		return readLimited(d)
	case "deflate":
		return inflate(raw)
	default:
		d := gzipReaders.Get().(*gzip.Reader)
		defer gzipReaders.Put(d)
		if d.Reset(bytes.NewReader(raw)) != nil {
			return nil, false
		}
		return readLimited(d)
	}
}

// inflate reads deflate with its zlib wrapper, as the standard has it, or
// without, as some servers send it.
func inflate(raw []byte) ([]byte, bool) {
	if d, err := zlib.NewReader(bytes.NewReader(raw)); err == nil {
		defer d.Close()
		return readLimited(d)
	}
	d := flate.NewReader(bytes.NewReader(raw))
	defer d.Close()
	return readLimited(d)
}

func readLimited(r io.Reader) ([]byte, bool) {
	doc, err := io.ReadAll(io.LimitReader(r, lookLimit+1))
	return doc, err == nil && len(doc) <= lookLimit
}
