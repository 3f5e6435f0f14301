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
	z, _ := zstd.NewWriter(w, zstd.WithEncoderConcurrency(1), zstd.WithLowerEncoderMem(true))
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
		"gzip":                     {zipped, []string{"gzip"}, text},
		"x-gzip, upper case":       {zipped, []string{"X-GZIP"}, text},
		"deflate":                  {string(pack(text, toZlib)), []string{"deflate"}, text},
		"deflate without zlib":     {string(pack(text, toFlate)), []string{"deflate"}, text},
		"br":                       {string(pack(text, toBr)), []string{"br"}, text},
		"zstd":                     {string(pack(text, toZstd)), []string{" zstd "}, text},
		"two in one field":         {string(pack(zipped, toBr)), []string{"gzip, br"}, text},
		"two fields":               {string(pack(zipped, toBr)), []string{"gzip", "br"}, text},
		"none":                     {text, []string{"none"}, text},
		"a charset":                {text, []string{"UTF-8"}, text},
		"identity":                 {text, []string{"identity"}, text},
		"parameters":               {zipped, []string{"gzip;q=1"}, text},
		"quotes":                   {string(pack(text, toBr)), []string{`"br"`}, text},
		"quotes around two":        {string(pack(zipped, toBr)), []string{`"gzip, br"`}, text},
		"commas":                   {string(pack(text, toBr)), []string{", br,, "}, text},
		"br by its library":        {string(pack(text, toBr)), []string{"brotli"}, text},
		"no label, gzip":           {zipped, nil, text},
		"gzip label, zlib":         {string(pack(text, toZlib)), []string{"gzip"}, text},
		"br label, zlib":           {string(pack(text, toZlib)), []string{"br"}, text},
		"br label, gzip":           {zipped, []string{"br"}, text},
		"gzip label, zstd":         {string(pack(text, toZstd)), []string{"gzip"}, text},
		"identity label, zstd":     {string(pack(text, toZstd)), []string{"identity"}, text},
		"outer one not applied":    {zipped, []string{"gzip, br"}, text},
		"inner one not applied":    {zipped, []string{"br, gzip"}, text},
		"outer gzip undone":        {string(pack(text, toBr)), []string{"br, gzip"}, text},
		"twice, labelled once":     {string(pack(zipped, toGzip)), []string{"gzip"}, text},
		"labelled twice, once":     {zipped, []string{"gzip", "gzip"}, text},
		"deflate label, text":      {text, []string{"deflate"}, text},
		"deflate label, a page":    {"<html>it is late</html>", []string{"deflate"}, "<html>it is late</html>"},
		"text that begins as zlib": {"x^2 + 1", nil, "x^2 + 1"},
		"two bytes":                {"{}", []string{"gzip"}, "{}"},
		"unknown and known":        {zipped, []string{"aws-chunked,gzip"}, text},
		"labelled and not coded":   {text, []string{"gzip"}, text},
		"br label, not coded":      {text, []string{"br"}, text},
		"zstd label, gzip":         {zipped, []string{"zstd"}, text},
		"cut":                      {zipped[:len(zipped)-9], []string{"gzip"}, zipped[:len(zipped)-9]},
		"too much":                 {bomb, []string{"br"}, ""},
		"too many":                 {text, []string{"gzip,gzip,gzip,gzip,gzip"}, ""},
		"too many without a label": {onion(text, 5), nil, ""},
		"four without a label":     {onion(text, 4), nil, text},
		"a bomb of members":        {strings.Repeat(string(pack(strings.Repeat(" ", 600), toGzip)), 2), nil, ""},
		"a bomb in a bomb":         {string(pack(string(pack(strings.Repeat(" ", 1<<16), toGzip)), toGzip)), nil, ""},
		"plain and too long":       {strings.Repeat("x", 1<<10+1), nil, ""},
	} {
		got, ok := Decode([]byte(c.raw), Known(c.labels), 1<<10)
		if string(got) != c.want && ok || ok != (c.want != "") {
			t.Errorf("%s: %.60q, %v", name, got, ok)
		}
	}
}

// onion is text in that many layers of gzip.
func onion(text string, layers int) string {
	for range layers {
		text = string(pack(text, toGzip))
	}
	return text
}

func TestSniff(t *testing.T) {
	for text, want := range map[string]string{
		string(pack("x", toGzip)): "gzip", string(pack("x", toZstd)): "zstd", string(pack("x", toZlib)): "deflate", "\x5e\x2a\x4d\x18": "zstd",
		"\x78\x01": "deflate", "\x78\x5e": "deflate", "\x78\x9c": "deflate", "\x78\xda": "deflate",
		"x = 1": "", "x?y": "", "x}": "", "hC": "", "x": "", "\x1f\x8b\x00": "", "\x1f\x8b": "", `{"a":1}`: "", "": "",
	} {
		if got := strings.Join(Sniff([]byte(text)), ""); got != want {
			t.Errorf("%q: %q", text, got)
		}
	}
}

// TestOf: what the bytes show wins over the labels.
func TestOf(t *testing.T) {
	for _, c := range []struct{ labels, first, want string }{
		{"", `{"a"`, ""}, {"", "\x1f\x8b\x08\x00", "gzip"}, {"", "", ""}, {"identity", `{"a"`, ""}, {"utf-8, none", "\x28\xb5\x2f\xfd", "zstd"},
		{"gzip", "\x1f\x8b\x08\x00", "gzip"}, {"gzip", `{"a"`, ""}, {"gzip", "", ""}, {"zstd", `{"a"`, ""}, {"gzip", "\x78\x9c\x01\x02", "deflate"},
		{"br", "\x0b\x02\x80\x7b", "br"}, {"br", "\x1f\x8b\x08\x00", "gzip"}, {"br", "\x78\x9c\x01\x02", "br"},
		{"deflate", "\xab\x56\x4a\x01", "deflate"}, {"deflate", `{"a"`, ""}, {"deflate", "\x78\x9c\x01\x02", "deflate"},
		{"gzip, br", "\x0b\x02\x80\x7b", "gzip,br"}, {"gzip, br", "\x1f\x8b\x08\x00", "gzip"}, {"br, gzip", "\x0b\x02\x80\x7b", "br"},
		{"br, gzip", "\x1f\x8b\x08\x00", "br,gzip"}, {"br,br,br,br,br", `{"a"`, "br,br,br,br,br"},
	} {
		if got := strings.Join(Of([]string{c.labels}, []byte(c.first)), ","); got != c.want {
			t.Errorf("%s over %q: %s, want %s", c.labels, c.first, got, c.want)
		}
	}
	first := []byte(`{"a":1}`)
	if n := testing.AllocsPerRun(100, func() { Of(nil, first) }); n != 0 {
		t.Errorf("%v allocations without labels", n)
	}
	if n := len(Known([]string{strings.Repeat("gzip,", 100_000)})); n > maxCodings+1 {
		t.Errorf("%d codings", n)
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
