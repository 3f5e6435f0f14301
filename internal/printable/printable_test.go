package printable

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestText(t *testing.T) {
	for in, want := range map[string]string{
		"":                            "",
		"/weda/订单?":                   "/weda/订单?",
		"a\nb\tc\x00":                 `a\u000ab\u0009c\u0000`,
		"\x1b[2J\u009b31m":            `\u001b[2J\u009b31m`,
		"\u202egpj.exe":               `\u202egpj.exe`,
		"\xff\xc0\xafx\ufffd":         `\xff\xc0\xafx` + "\ufffd",
		"\U000e0001":                  `\U000e0001`,
		strings.Repeat("x", 25):       strings.Repeat("x", 20) + "... (5 bytes more)",
		strings.Repeat("x", 19) + "订": strings.Repeat("x", 19) + "... (3 bytes more)",
	} {
		if got := Text(in, 20); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func FuzzText(f *testing.F) {
	f.Add("a\x80\u202e\n", 3)
	f.Fuzz(func(t *testing.T, text string, limit int) {
		limit = max(0, min(limit, 2000))
		got := Text(text, limit)
		if !utf8.ValidString(got) || strings.ContainsFunc(got, func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Errorf("%q", got)
		}
		if len(got) > 10*limit+40 {
			t.Errorf("%d bytes for a limit of %d", len(got), limit)
		}
	})
}
