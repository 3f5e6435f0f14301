package coding

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"sync"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/zstd"
)

// maxWindow bounds the memory of a zstd decoder; RFC 9659 has senders keep to it.
const maxWindow = 8 << 20

var (
	flateReaders  = sync.Pool{New: func() any { return flate.NewReader(bytes.NewReader(nil)) }}
	brotliReaders = sync.Pool{New: func() any { return new(brotli.Reader) }}
	zstdReaders   = sync.Pool{New: func() any {
		d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			panic(err) // the options are constant
		}
		return d
	}}
)

// shown is the coding whose first bytes raw begins with, empty for none. No text
// begins with these, but for x and a circumflex, as the zlib of fast senders does;
// that text is no zlib behind them.
func shown(raw []byte) string {
	switch {
	case isGzip(raw):
		return "gzip"
	case bytes.HasPrefix(raw, []byte("\x28\xb5\x2f\xfd")), // RFC 8878 section 3.1.1
		len(raw) >= 4 && raw[0]&0xf0 == 0x50 && bytes.HasPrefix(raw[1:], []byte("\x2a\x4d\x18")): // section 3.1.2
		return "zstd"
	case isZlib(raw) && raw[0] == 0x78:
		return "deflate"
	}
	return ""
}

// isGzip tells whether raw begins as RFC 1952 section 2.3.1 has it.
func isGzip(raw []byte) bool { return bytes.HasPrefix(raw, []byte("\x1f\x8b\x08")) }

// isZlib tells whether raw begins as RFC 1950 section 2.2 has it, without a dictionary.
func isZlib(raw []byte) bool {
	return len(raw) >= 2 && raw[0]&0x0f == 8 && raw[0]>>4 <= 7 && raw[1]&0x20 == 0 && binary.BigEndian.Uint16(raw)%31 == 0
}

var (
	errHeader = errors.New("coding: not the header of gzip")
	errBehind = errors.New("coding: there is more behind the end of deflate")
)

// undo returns what raw holds under one coding, up to one byte more than limit. The
// error is [io.ErrUnexpectedEOF] when raw is the beginning of it, as far as it goes.
func undo(raw []byte, name string, limit int) ([]byte, error) {
	switch name {
	case "br":
		d := brotliReaders.Get().(*brotli.Reader)
		defer brotliReaders.Put(d)
		_ = d.Reset(bytes.NewReader(raw)) // it is nil always
		return readAll(d, limit)
	case "zstd":
		return unzstd(raw, limit)
	case "deflate":
		return undeflate(raw, limit)
	default:
		return gunzip(raw, limit)
	}
}

// unzstd undoes zstd; what stands behind its frames is left out.
func unzstd(raw []byte, limit int) ([]byte, error) {
	d := zstdReaders.Get().(*zstd.Decoder)
	defer zstdReaders.Put(d)
	if err := d.Reset(bytes.NewReader(raw)); err != nil {
		return nil, err
	}
	text, err := readAll(d, limit)
	if len(text) > 0 && errors.Is(err, zstd.ErrMagicMismatch) {
		err = nil
	}
	return text, err
}

// undeflate undoes deflate with its zlib wrapper, as the standard has it, or without,
// as some servers send it. The checksum at the end does not count; without a wrapper
// there is nothing behind the end, which tells it from texts.
func undeflate(raw []byte, limit int) ([]byte, error) {
	if isZlib(raw) {
		text, _, err := inflate(raw[2:], limit)
		if err == nil || errors.Is(err, io.ErrUnexpectedEOF) {
			return text, err
		}
	}
	text, behind, err := inflate(raw, limit)
	if err == nil && len(text) <= limit && len(behind) > 0 {
		err = errBehind
	}
	return text, err
}

// gunzip undoes gzip of one member or more. Their checksums and lengths do not count,
// whether they are there or not, and what stands behind the last one is left out.
func gunzip(raw []byte, limit int) ([]byte, error) {
	const trailer = 8 // bytes
	var all []byte
	for first := true; ; first = false {
		deflated, err := behindHeader(raw)
		if err != nil {
			return all, err
		}
		text, behind, err := inflate(deflated, limit-len(all))
		if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !first {
			return all, nil
		}
		all = append(all, text...)
		if err != nil || len(all) > limit {
			return all, err
		}
		raw = behind[min(trailer, len(behind)):]
		if !isGzip(raw) {
			return all, nil
		}
	}
}

// behindHeader returns raw without the header of gzip with which it begins (RFC 1952
// section 2.3).
func behindHeader(raw []byte) ([]byte, error) {
	const fixed = 10 // bytes
	switch {
	case !isGzip(raw):
		return nil, errHeader
	case len(raw) < fixed:
		return nil, io.ErrUnexpectedEOF
	}
	flags, rest := raw[3], raw[fixed:]
	if flags&4 != 0 { // FEXTRA
		if len(rest) < 2 || len(rest) < 2+int(binary.LittleEndian.Uint16(rest)) {
			return nil, io.ErrUnexpectedEOF
		}
		rest = rest[2+int(binary.LittleEndian.Uint16(rest)):]
	}
	for _, text := range []byte{8, 16} { // FNAME, FCOMMENT
		if flags&text != 0 {
			end := bytes.IndexByte(rest, 0)
			if end < 0 {
				return nil, io.ErrUnexpectedEOF
			}
			rest = rest[end+1:]
		}
	}
	if flags&2 != 0 { // FHCRC
		if len(rest) < 2 {
			return nil, io.ErrUnexpectedEOF
		}
		rest = rest[2:]
	}
	return rest, nil
}

// inflate undoes deflate alone (RFC 1951), and returns what stands behind its end.
func inflate(raw []byte, limit int) (text, behind []byte, err error) {
	d := flateReaders.Get().(io.Reader)
	defer flateReaders.Put(d)
	r := bytes.NewReader(raw)
	if err := d.(flate.Resetter).Reset(r, nil); err != nil {
		return nil, nil, err
	}
	text, err = readAll(d, limit)
	return text, raw[len(raw)-r.Len():], err
}

func readAll(d io.Reader, limit int) ([]byte, error) {
	return io.ReadAll(io.LimitReader(d, int64(limit)+1))
}
