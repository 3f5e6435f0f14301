package coding

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"
)

func pack(text string, writer func(io.Writer) io.WriteCloser) []byte {
	var b bytes.Buffer
	w := writer(&b)
	_, _ = io.WriteString(w, text)
	_ = w.Close()
	return b.Bytes()
}

func toGzip(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) }
func toBr(w io.Writer) io.WriteCloser   { return brotli.NewWriter(w) }
func toZlib(w io.Writer) io.WriteCloser { return zlib.NewWriter(w) }
func toFlate(w io.Writer) io.WriteCloser {
	f, _ := flate.NewWriter(w, 5)
	return f
}
func toZstd(w io.Writer) io.WriteCloser {
	z, _ := zstd.NewWriter(w)
	return z
}

func TestDecode(t *testing.T) {
	const text = `{"code":"INVALID_ACCESS_TOKEN"}`
	zipped := string(pack(text, toGzip))
	bomb := string(pack(strings.Repeat(" ", 1<<20), toBr))
	for name, c := range map[string]struct {
		raw    string
		labels []string
		want   string
	}{
		"gzip":                   {zipped, []string{"gzip"}, text},
		"x-gzip, upper case":     {zipped, []string{"X-GZIP"}, text},
		"deflate":                {string(pack(text, toZlib)), []string{"deflate"}, text},
		"deflate without zlib":   {string(pack(text, toFlate)), []string{"deflate"}, text},
		"br":                     {string(pack(text, toBr)), []string{"br"}, text},
		"zstd":                   {string(pack(text, toZstd)), []string{" zstd "}, text},
		"two in one field":       {string(pack(zipped, toBr)), []string{"gzip, br"}, text},
		"two fields":             {string(pack(zipped, toBr)), []string{"gzip", "br"}, text},
		"none":                   {text, []string{"none"}, text},
		"a charset":              {text, []string{"UTF-8"}, text},
		"identity":               {text, []string{"identity"}, text},
		"unknown and known":      {zipped, []string{"aws-chunked,gzip"}, text},
		"labelled and not coded": {text, []string{"gzip"}, text},
		"br label, not coded":    {text, []string{"br"}, text},
		"zstd label, gzip":       {zipped, []string{"zstd"}, zipped},
		"cut":                    {zipped[:len(zipped)-9], []string{"gzip"}, zipped[:len(zipped)-9]},
		"too much":               {bomb, []string{"br"}, ""},
		"too many":               {text, []string{"gzip,gzip,gzip,gzip,gzip"}, ""},
		"plain and too long":     {strings.Repeat("x", 1<<10+1), nil, ""},
	} {
		got, ok := Decode([]byte(c.raw), Known(c.labels), 1<<10)
		if string(got) != c.want && ok || ok != (c.want != "") {
			t.Errorf("%s: %.60q, %v", name, got, ok)
		}
	}
}

func TestSniff(t *testing.T) {
	for text, want := range map[string]string{string(pack("x", toGzip)): "gzip", string(pack("x", toZstd)): "zstd", `{"a":1}`: "", "": ""} {
		if got := strings.Join(Sniff([]byte(text)), ""); got != want {
			t.Errorf("%q: %q", text, got)
		}
	}
}

func TestKnownAllocatesNothingWithoutLabels(t *testing.T) {
	if n := testing.AllocsPerRun(100, func() { Known(nil) }); n != 0 {
		t.Error(n)
	}
}

// FuzzDecode never brings more than the limit, and ends.
func FuzzDecode(f *testing.F) {
	f.Add(pack("text", toGzip), "gzip")
	f.Add(pack("text", toBr), "br")
	f.Add(pack("text", toZstd), "zstd,deflate")
	f.Fuzz(func(t *testing.T, raw []byte, label string) {
		if text, ok := Decode(raw, Known([]string{label}), 100); ok && len(text) > 100 {
			t.Errorf("%d bytes", len(text))
		}
	})
}
