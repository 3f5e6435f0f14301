package endpoint

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf16"
)

// each returns text with each byte, or each character, written as format has it.
func each[T byte | rune | uint16 | string](format string, text []T) string {
	var b strings.Builder
	for _, c := range text {
		fmt.Fprintf(&b, format, c)
	}
	return b.String()
}

// between returns text with what stands between each two of its bytes.
func between(text, what string) string { return strings.Join(strings.Split(text, ""), what) }

// jsonChars are the characters of text as they stand in a string of JSON.
func jsonChars(text string) []string {
	var chars []string
	for _, r := range text {
		q, _ := json.Marshal(string(r))
		chars = append(chars, string(q[1:len(q)-1]))
	}
	return chars
}

func swapCase(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsUpper(r) {
			return unicode.ToLower(r)
		}
		return unicode.ToUpper(r)
	}, text)
}

// disguises are ways in which servers print what they got.
var disguises = map[string]func(string) string{
	"as it is":                        func(s string) string { return s },
	"upper case":                      strings.ToUpper,
	"the other case":                  swapCase,
	"query":                           url.QueryEscape,
	"path":                            url.PathEscape,
	"query, small digits":             func(s string) string { return strings.ToLower(url.QueryEscape(s)) },
	"percent, all bytes":              func(s string) string { return each("%%%02x", []byte(s)) },
	"percent, doubled":                func(s string) string { return url.QueryEscape(each("%%%02X", []byte(s))) },
	"percent, three times":            func(s string) string { return each("%%2525%02X", []byte(s)) },
	"JSON":                            func(s string) string { q, _ := json.Marshal(s); return string(q) },
	"JSON, all characters":            func(s string) string { return each(`\u%04X`, utf16.Encode([]rune(s))) },
	"JSON in JSON":                    func(s string) string { q, _ := json.Marshal(s); q, _ = json.Marshal(string(q)); return string(q) },
	"JSON, slashes":                   func(s string) string { return strings.ReplaceAll(s, "/", `\/`) },
	"JavaScript":                      func(s string) string { return each(`\x%02x`, []byte(s)) },
	"HTML":                            html.EscapeString,
	"HTML, hexadecimal":               func(s string) string { return each("&#x%X;", []rune(s)) },
	"HTML, decimal":                   func(s string) string { return each("&#%d;", []rune(s)) },
	"HTML, zeros":                     func(s string) string { return each("&#X%06x;", []rune(s)) },
	"HTML, no semicolon":              func(s string) string { return each("&#%d", []rune(s)) },
	"HTML, name":                      func(s string) string { return strings.NewReplacer("/", "&sol;", "+", "&plus;").Replace(s) },
	"HTML of HTML":                    func(s string) string { return html.EscapeString(each("&#%d;", []rune(s))) },
	"percent of JSON":                 func(s string) string { return url.PathEscape(each(`\u%04x`, utf16.Encode([]rune(s)))) },
	"hexadecimal":                     func(s string) string { return hex.EncodeToString([]byte(s)) },
	"hexadecimal, upper case":         func(s string) string { return fmt.Sprintf("%X", s) },
	"base64":                          func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) },
	"base64url":                       func(s string) string { return base64.URLEncoding.EncodeToString([]byte(s)) },
	"base64, escaped":                 func(s string) string { return url.QueryEscape(base64.StdEncoding.EncodeToString([]byte(s))) },
	"base64, 1 before, 1 behind":      func(s string) string { return base64.StdEncoding.EncodeToString([]byte("a" + s + "b")) },
	"base64, 2 before, 2 behind":      func(s string) string { return base64.URLEncoding.EncodeToString([]byte("ab" + s + "cd")) },
	"base64, 3 before":                func(s string) string { return base64.RawStdEncoding.EncodeToString([]byte("id:" + s)) },
	"base64 of a form":                func(s string) string { return base64.StdEncoding.EncodeToString([]byte("user:" + url.QueryEscape(s))) },
	"base64, upper case":              func(s string) string { return strings.ToUpper(base64.StdEncoding.EncodeToString([]byte(s))) },
	"base64, two lines":               func(s string) string { return between(base64.StdEncoding.EncodeToString([]byte(s)), "\r\n") },
	"cut by control characters":       func(s string) string { return between(s, "\x00") },
	"cut by a line feed":              func(s string) string { return between(s, "\n") },
	"cut by an escaped line feed":     func(s string) string { return each(`%s\n`, jsonChars(s)) },
	"cut by zero-width spaces":        func(s string) string { return between(s, "\u200b") },
	"cut by escaped zero-width":       func(s string) string { return each(`%s\u200d`, jsonChars(s)) },
	"cut by soft hyphens":             func(s string) string { return between(s, "\u00ad") },
	"cut by joiners and selectors":    func(s string) string { return between(s, "\u034f\ufe0f") },
	"cut by what is no UTF-8":         func(s string) string { return between(s, "\xff") },
	"cut by replacement characters":   func(s string) string { return between(s, "\ufffd") },
	"the first eight bytes, escaped":  func(s string) string { return each("%%%02x", []byte(s[:8])) },
	"the last eight bytes, doubled":   func(s string) string { return each("%%25%02x", []byte(s[len(s)-8:])) },
	"eight bytes in the middle, HTML": func(s string) string { return each("&#x%x;", []byte(s[3:11])) },
}

// secretsOfTests begin and end in ASCII, and hold what escapes change.
var secretsOfTests = []string{
	testSecret, testToken, "pass-word-1", "Geheim/1234 567", `DOMAIN\nick&amp;"x"`, "41424344454647", "%2F%2f%25abc", "a+b/c==d+e/f==",
}

// TestSecretsInAnyDisguise are seen, and nothing of them is shown but what stands
// around them.
func TestSecretsInAnyDisguise(t *testing.T) {
	for _, secret := range secretsOfTests {
		var s secrets
		s.add("another-secret", secret)
		for name, disguise := range disguises {
			text := disguise(secret)
			if !s.in(text) || !s.in("bad_"+text+"_end") {
				t.Errorf("%s: %q passes", name, text)
			}
			masked := s.mask("the value <" + text + "> is wrong")
			inner := strings.TrimSuffix(strings.TrimPrefix(masked, "the value <"), "> is wrong")
			if len(inner) > 14 || !strings.Contains(inner, "***") || len(inner) == len(masked) {
				t.Errorf("%s: %q is shown of %q", name, masked, text)
			}
			if len(s.clean("x"+strings.Repeat("é", 190)+text, maxQuote)) > 400 {
				t.Errorf("%s: too long", name)
			}
		}
	}
}

// TestWhatIsNoSecretIsShown, however it is written.
func TestWhatIsNoSecretIsShown(t *testing.T) {
	var s secrets
	s.add(secretsOfTests...)
	s.add("id", "abcd")
	for _, text := range []string{
		"", "INVALID_CREDENTIALS", "Geheim", "bad_Geheim/", "invalid_grant", "pass-w", "100% &amp; more", `C:\new\x4`, "&#x2F;&sol;&#47", "%", "%%%%2", `\\\`, `\u`, "&;&#;&#x;",
		"d\u00e9j\u00e0 vu \U0001f600", "the user is locked", "abc d", "\u4f60\u597d", "idea", "&#999999999999;", `\ud83d`, `\ud83d\ude00`,
	} {
		if s.in(text) || s.mask(text) != text {
			t.Errorf("%q: %q", text, s.mask(text))
		}
	}
	for text, want := range map[string]string{
		"an id, an %69d and an &#x69;d": "an ***, an *** and an ***", "xabcdx": "x***x", "ABCD": "***", "id": "***", "İ id": "İ ***",
		"pass\u200b-word\u200b-1\u200b!": "***\u200b!", "a pass-wor d": "a *** d", "%70ass-word-1%20": "***%20",
	} {
		if got := s.mask(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// TestShortSecretsInEncodings are seen as far as they are not part of many a word.
func TestShortSecretsInEncodings(t *testing.T) {
	var s secrets
	s.add("hunt2")
	s.addPair("id", "pw")
	for _, text := range []string{"hunt2", "x%68unt2x", base64.StdEncoding.EncodeToString([]byte("user:hunt2")), "68756E7432", base64.StdEncoding.EncodeToString([]byte("id:pw"))} {
		if !s.in(text) {
			t.Errorf("%q passes", text)
		}
	}
}

// TestMaskingTakesTimeInProportion to the text, whatever the number of secrets, and
// however deep its escapes are.
func TestMaskingTakesTimeInProportion(t *testing.T) {
	took := func(number int, text string) time.Duration {
		var s secrets
		for i := range number {
			s.add(fmt.Sprintf("%d-%s-%d", i, strings.Repeat("a", 100), i))
		}
		s.in("") // prepares them
		least := time.Hour
		for range 5 {
			began := time.Now()
			s.mask(text)
			least = min(least, time.Since(began))
		}
		return least
	}
	for name, text := range map[string]string{
		"as it is": strings.Repeat("no secret, ", 400), "percent": "%" + strings.Repeat("25", 2000), "backslashes": strings.Repeat(`\`, 4000) + "n", "references": strings.Repeat("&#38", 1000) + "#47;",
	} {
		if one, many := took(1, text), took(500, text); many > 50*one {
			t.Errorf("%s: %v with 500 secrets, %v with one", name, many, one)
		}
		if short, long := took(1, text), took(1, strings.Repeat(text, 8)); long > 8*8*short {
			t.Errorf("%s: %v, and %v for eight times as much", name, short, long)
		}
	}
}

// TestMembersOfAHugeAnswer: the work for each name is done for those that are told, and
// on no more of a name than is told.
func TestMembersOfAHugeAnswer(t *testing.T) {
	var s secrets
	s.add(testSecret)
	s.in("")
	work := func(number, length int) float64 {
		inner := map[string]any{}
		for i := range number {
			inner[fmt.Sprintf("%06d", i)+strings.Repeat("k", length)] = 1
		}
		a := answer{header: http.Header{}, doc: map[string]any{"a": inner, "b": inner, "c": inner}}
		if told := a.members(&s); len(told) > 2000 || !strings.HasSuffix(told, ", ...") {
			t.Errorf("%d bytes: %.100s", len(told), told)
		}
		return testing.AllocsPerRun(2, func() { a.members(&s) })
	}
	few := work(20, 400)
	if many := work(50_000, 1); many > 2*few {
		t.Errorf("%v allocations for many names, %v for few", many, few)
	}
	if long := work(20, 30_000); long > 2*few {
		t.Errorf("%v allocations for long names, %v for short ones", long, few)
	}
}

// FuzzMask: a secret is not shown, whatever stands around it and however it is escaped.
func FuzzMask(f *testing.F) {
	for name := range disguises {
		f.Add(testSecret, "before ", " behind", name)
	}
	f.Add("41424344454647", "%", "%41", "as it is")
	f.Fuzz(func(t *testing.T, secret, before, behind, name string) {
		disguise := disguises[name]
		if disguise == nil || len(secret) < 12 || strings.ContainsFunc(secret, func(r rune) bool { return r < 0x21 || r > 0x7e }) {
			return
		}
		var s secrets
		s.add(secret)
		text := before + disguise(secret) + behind
		masked := s.mask(text)
		if len(secret) > 16 && strings.Contains(masked, secret[4:]) || !strings.Contains(masked, "***") {
			t.Errorf("%q in %q: %q", secret, text, masked)
		}
		s.clean(text, maxQuote)
	})
}
