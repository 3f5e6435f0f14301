package coding

import (
	"hash/crc32"
	"io"
	"strings"
	"testing"
)

// header is gzip's for these flags, with what belongs to them.
func header(flags byte) string {
	h := string([]byte{0x1f, 0x8b, 8, flags, 0, 0, 0, 0, 0, 255})
	for _, part := range []struct {
		flag byte
		text string
	}{{4, "\x05\x00ex\x00ra"}, {8, "a name\x00"}, {16, "a comment\x00"}} {
		if flags&part.flag != 0 {
			h += part.text
		}
	}
	if flags&2 != 0 {
		sum := crc32.ChecksumIEEE([]byte(h))
		h += string([]byte{byte(sum), byte(sum >> 8)})
	}
	return h
}

// TestWrappers: the text of what is whole comes out, whatever the wrapper around it is
// like.
func TestWrappers(t *testing.T) {
	text := `{"code":"INVALID_ACCESS_TOKEN","of":"` + strings.Repeat("0123456789", 30) + `"}`
	zipped, deflated, zlibbed, zstded := string(pack(text, toGzip)), string(pack(text, toFlate)), string(pack(text, toZlib)), string(pack(text, toZstd))
	trailer := zipped[len(zipped)-8:]
	half := string(pack(text[:20], toGzip)) + string(pack(text[20:], toGzip))
	for name, raw := range map[string]string{
		"gzip": zipped, "zeros behind": zipped + strings.Repeat("\x00", 512), "one zero behind": zipped + "\x00", "garbage behind": zipped + "\r\n<!-- -->", "a beginning behind": zipped + "\x1f\x8b\x08\x00 no gzip at all, and more than a header",
		"no trailer": zipped[:len(zipped)-8], "half a trailer": zipped[:len(zipped)-3], "wrong sum": zipped[:len(zipped)-8] + "xxxx" + trailer[4:], "wrong length": zipped[:len(zipped)-1] + "x",
		"members": half, "members, zeros behind": half + "\x00\x00", "members, no trailer": half[:len(half)-8], "an empty member": string(pack("", toGzip)) + half, "an empty member behind": half + string(pack("", toGzip)),
		"name": header(8) + deflated + trailer, "extra": header(4) + deflated + trailer, "comment": header(16) + deflated, "header sum": header(2) + deflated + trailer, "all of them": header(31) + deflated + trailer,
		"zlib": zlibbed, "zlib without its sum": zlibbed[:len(zlibbed)-4], "zlib, half its sum": zlibbed[:len(zlibbed)-2], "zlib, garbage behind": zlibbed + "\x00\n",
		"zstd": zstded, "zstd behind a skippable frame": "\x5a\x2a\x4d\x18\x03\x00\x00\x00abc" + zstded, "zstd before one": zstded + "\x50\x2a\x4d\x18\x00\x00\x00\x00", "zstd, garbage behind": zstded + "garbage",
		"zstd frames": string(pack(text[:20], toZstd)) + string(pack(text[20:], toZstd)),
	} {
		for _, labels := range [][]string{nil, {"gzip"}, {"identity"}, {"br"}, {"zstd"}, {"deflate"}} {
			if got, ok := Decode([]byte(raw), Of(labels, []byte(raw)), 1<<10); !ok || string(got) != text {
				t.Errorf("%s, labelled %q: %.60q, %v", name, labels, got, ok)
			}
		}
		if got := Begin([]byte(raw), Of(nil, []byte(raw)), 1<<10); string(got) != text {
			t.Errorf("%s, its beginning: %.60q", name, got)
		}
	}
	for name, raw := range map[string]string{
		"cut": zipped[:len(zipped)-12], "a second member that is cut": half[:len(half)-20], "a header that is cut": header(31)[:25], "zlib that is cut": zlibbed[:20], "zstd that is cut": zstded[:20],
		"deflate with more behind": deflated + "\x00",
	} {
		if got, ok := Decode([]byte(raw), Known([]string{"deflate"}), 1<<10); !ok || string(got) != raw {
			t.Errorf("%s: %.60q, %v", name, got, ok)
		}
	}
}

// TestBeginningsInAllLengths: what a beginning holds is the beginning of the text, or
// nothing; it is never what is coded.
func TestBeginningsInAllLengths(t *testing.T) {
	text := `{"code":"INVALID_ACCESS_TOKEN","of":"` + strings.Repeat("0123456789", 30) + `"}`
	for name, c := range map[string]struct {
		raw    []byte
		labels []string
	}{
		"gzip": {pack(text, toGzip), nil}, "zlib": {pack(text, toZlib), nil}, "zstd": {pack(text, toZstd), nil}, "br": {pack(text, toBr), []string{"br"}},
		"deflate": {pack(text, toFlate), []string{"deflate"}}, "gzip and br": {pack(string(pack(text, toGzip)), toBr), []string{"gzip", "br"}},
		"br and gzip": {pack(string(pack(text, toBr)), toGzip), []string{"br, gzip"}}, "labels over a text": {[]byte(text), []string{"gzip", "br", "zstd"}},
		"members": {append(pack(text[:100], toGzip), pack(text[100:], toGzip)...), []string{"gzip"}}, "name and more": {append([]byte(header(31)), pack(text, toFlate)...), nil},
	} {
		for n := Enough; n <= len(c.raw); n++ {
			first := c.raw[:n]
			if got := Begin(first, Of(c.labels, first), 1<<10); !strings.HasPrefix(text, string(got)) || n == len(c.raw) && string(got) != text {
				t.Fatalf("%s, %d bytes of %d: %.60q", name, n, len(c.raw), got)
			}
		}
		if got := Begin(c.raw, Known(c.labels), 10); len(c.labels) == 1 && name != "br and gzip" && string(got) != text[:10] {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// FuzzOf: what was coded comes out, whatever its label says.
func FuzzOf(f *testing.F) {
	f.Add("text", "br", byte(0))
	f.Add(`{"a":1}`, "gzip;q=1, ,", byte(1))
	f.Add("x^2", "deflate", byte(2))
	f.Fuzz(func(t *testing.T, text, label string, kind byte) {
		if shown([]byte(text)) != "" {
			return
		}
		coded := pack(text, []func(io.Writer) io.WriteCloser{toGzip, toZstd, toZlib}[kind%3])
		known := Of([]string{label}, coded)
		got, ok := Decode(coded, known, 1<<20)
		if coding(label) == "br" && kind%3 == 2 || len(known) > 1 {
			return // by chance, one of the codings that show nothing
		}
		if !ok || string(got) != text {
			t.Errorf("%q labelled %q: %q, %v", text, label, got, ok)
		}
	})
}

// TestReadersAreClean: one body leaves nothing to the next.
func TestReadersAreClean(t *testing.T) {
	for range 3 {
		for _, raw := range []string{"\x1f\x8b\x08\x00 broken", string(pack("text", toGzip)), "\x78\x9cbroken", string(pack("text", toZlib)), "\x28\xb5\x2f\xfdbroken", string(pack("text", toZstd))} {
			got, _ := Decode([]byte(raw), Sniff([]byte(raw)), 100)
			if want := "text"; string(got) != want && string(got) != raw {
				t.Errorf("%q: %q", raw, got)
			}
		}
	}
}
