package redact

import (
	"encoding/json"
	"fmt"
	"html"
	"io"
	"net/url"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

func TestText(t *testing.T) {
	long := strings.Repeat("long-token.", 9)
	for text, want := range map[string]string{
		"/login?next=%2Fa%3Ft%3Da%252Bb": "/login?next=%2Fa%3Ft%3D***", "/login?next=%2fa%3ft%3da%2bb": "/login?next=%2fa%3ft%3d***", "/?n=%3Ft%3Da%252Bb%26x%3D1&y": "/?n=%3Ft%3D***%26x%3D1&y",
		"/?n=%253Ft%253Da%25252Bb%2526x": "/?n=%253Ft%253D***%2526x", "/?n=%3Ft%3Da+b&y": "/?n=%3Ft%3D***&y", "/?n=t%3Da%2Bb%26t%3Da%2Bb": "/?n=t%3D***%26t%3D***",
		"/?n=%3Ft%3Dother": "/?n=%3Ft%3Dother", "/?n=%3Ft%3Da%2Bbc": "/?n=%3Ft%3Da%2Bbc", "/?n=%3Ft%3Da%2": "/?n=%3Ft%3Da%2", "/?n=t%3D": "/?n=t%3D", "%3D": "%3D", "": "",
		`Bearer error="invalid_token", error_description="Access token expired: a+b"`: `Bearer error="invalid_token", error_description="Access token expired: ***"`,
		"a+b": "***", "xa+b a+b,a+b1": "xa+b ***,a+b1", "%%a+b%": "%%***%", "100%25 a%2bb": "100%25 ***",
	} {
		if got := Text(text, "a+b"); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
	if got := Text("x"+long+"x"+long[:20], long); got != "x***x"+long[:20] {
		t.Errorf("a long one within a word: %s", got)
	}
	if got := Text("x", ""); got != "x" {
		t.Errorf("without a token: %s", got)
	}
}

// FuzzText: no long token is left, and without one nothing is changed.
func FuzzText(f *testing.F) {
	f.Add("/?n=%3Ft%3Da%252Bb", "a+b")
	f.Add("aaaaaaa", "aa")
	f.Add("%25%2525", "%")
	f.Add(`{"a":"\\u0041&#x41;`+strings.Repeat("a", 20)+`"}`, "a&#x41;a%41aaaaaaaaaaaaaaa")
	f.Fuzz(func(t *testing.T, text, value string) {
		got := Text(text, value)
		if strings.Contains(plain(value), string([]byte{other})) {
			return // a token is ASCII
		}
		if len(plain(value)) >= longToken && !strings.Contains(plain(value), "*") && strings.Contains(plain(got), plain(value)) {
			t.Errorf("%q in %q", value, got)
		}
		if !strings.Contains(got, Stars) && got != text {
			t.Errorf("%q became %q", text, got)
		}
	})
}

// forms are how servers write what they quote.
var forms = map[string]func(string) string{
	"as it is":        func(s string) string { return s },
	"in a query":      url.QueryEscape,
	"in a query, low": func(s string) string { return lowHex(url.QueryEscape(s)) },
	"in a path":       url.PathEscape,
	"each octet":      func(s string) string { return eachAs("%%%02X", s) },
	"encoded twice":   func(s string) string { return url.QueryEscape(url.QueryEscape(s)) },
	"five times": func(s string) string {
		return "%252525" + url.QueryEscape(s)[0:0] + strings.ReplaceAll(eachAs("%%%02x", s), "%", "%252525")[7:]
	},
	"in JSON":          inJSON,
	"slashes":          func(s string) string { return strings.ReplaceAll(s, "/", `\/`) },
	"each in JSON":     func(s string) string { return eachAs(`\u%04x`, s) },
	"each in JSON, up": func(s string) string { return eachAs(`\u%04X`, s) },
	"JSON in JSON":     func(s string) string { return inJSON(eachAs(`\u%04x`, s)) },
	"JavaScript":       func(s string) string { return eachAs(`\x%02x`, s) },
	"in HTML":          html.EscapeString,
	"decimal":          func(s string) string { return eachAs("&#%d;", s) },
	"with zeros":       func(s string) string { return eachAs("&#%05d;", s) },
	"hexadecimal":      func(s string) string { return eachAs("&#x%X;", s) },
	"HTML of a link":   func(s string) string { return html.EscapeString(eachAs("&#%d;", url.QueryEscape(s))) },
	"JSON of a link":   func(s string) string { return inJSON(html.EscapeString(url.QueryEscape(s))) },
	"a link of HTML":   func(s string) string { return url.QueryEscape(eachAs("&#x%x;", s)) },
	"a link of JSON":   func(s string) string { return url.QueryEscape(inJSON(s)) },
	"JSON with HTML":   func(s string) string { return inJSON(eachAs("&#%d;", s)) },
}

func inJSON(text string) string {
	quoted, _ := json.Marshal(text)
	return string(quoted[1 : len(quoted)-1])
}

func eachAs(format, text string) string {
	var b strings.Builder
	for i := range len(text) {
		fmt.Fprintf(&b, format, text[i])
	}
	return b.String()
}

func lowHex(s string) string {
	for i := range len(s) {
		if s[i] == '%' {
			s = s[:i] + strings.ToLower(s[i:i+3]) + s[i+3:]
		}
	}
	return s
}

var tokens = []string{
	"eyJhbGciOiJub25lIn0.e30.c2lnbmF0dXJl_-", "YWJj/ZGVm+Z2hpamtsbW5vcA==", "a%2Bb%25c%zzdefghijklmnopq", `a&b<c>"d"'e'fghijklmnopq`,
	"a&amp;b&#65;c;defghijklmnop", "aaaaaaaaaaaaaaaaaaaaaaaab", "100%x", "x&y", "short",
}

// TestForms: whatever a server writes the token in, it is taken out, of texts and of
// bodies in any pieces.
func TestForms(t *testing.T) {
	for name, form := range forms {
		for _, token := range tokens {
			for _, around := range [][2]string{{"", ""}, {`{"message":"`, `"}`}, {"/login?next=%2Fa%3Ft%3D", "%26x"}, {"t=", "&y"}, {"<a href='?t=", "'>"}, {`\"`, `\"`}, {"&lt;", "&gt;"}} {
				written := form(token)
				text := around[0] + written + around[1]
				if got, want := Text(text, token), around[0]+Stars+around[1]; got != want {
					t.Errorf("%s: %s became %s, want %s", name, text, got, want)
				}
				want := around[0] + strings.Repeat("*", len(written)) + around[1]
				for _, r := range []io.Reader{strings.NewReader(text), iotest.OneByteReader(strings.NewReader(text))} {
					if got, err := io.ReadAll(Body(io.NopCloser(r), token)); string(got) != want || err != nil {
						t.Errorf("%s: the body %s became %s, %v", name, text, got, err)
					}
				}
			}
		}
	}
}

// TestShortTokenInAWord stays: it is there by chance.
func TestShortTokenInAWord(t *testing.T) {
	for text, want := range map[string]string{
		"the shortest short": "the shortest *****", "short": "*****", "a short-circuit": "a *****-circuit", "tooshort": "tooshort",
		"short%20short%41 %41short": "*****%20short%41 %41short", "shortshort short": "shortshort *****",
	} {
		got, err := io.ReadAll(Body(io.NopCloser(iotest.HalfReader(strings.NewReader(text))), "short"))
		if string(got) != want || err != nil {
			t.Errorf("%s became %s, %v; want %s", text, got, err, want)
		}
	}
}

// FuzzBody: a body comes through with its length, however it is read, and without
// a long token.
func FuzzBody(f *testing.F) {
	f.Add("abababac", "abac", uint8(1))
	f.Add("the token-1 here: token-1-token-1-token-1", "token-1-token-1-token-1", uint8(3))
	f.Add(`%61\u0061&#97;aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa`, "aaaaaaaaaaaaaaaaaa", uint8(0))
	f.Fuzz(func(t *testing.T, body, word string, cut uint8) {
		var got []byte
		m := Body(io.NopCloser(iotest.OneByteReader(strings.NewReader(body))), word)
		for buf := make([]byte, int(cut)+1); ; {
			n, err := m.Read(buf)
			got = append(got, buf[:n]...)
			if err != nil {
				break
			}
		}
		if len(got) != len(body) {
			t.Fatalf("%q became %q", body, got)
		}
		for i := range got {
			if got[i] != body[i] && got[i] != '*' {
				t.Fatalf("%q became %q", body, got)
			}
		}
		if word := plain(word); len(word) >= longToken && !strings.Contains(word, string([]byte{other})) && !strings.Contains(word, "*") && strings.Contains(plain(string(got)), word) {
			t.Errorf("%q is left in %q", word, got)
		}
	})
}

// TestBodyIsNotHeldBack: what cannot become the token goes on at once.
func TestBodyIsNotHeldBack(t *testing.T) {
	const token = "0123456789abcdef"
	for text, held := range map[string]int{"hello": 0, "hello 0123": 4, `a\`: 1, "a%30%3": 5, "&am": 3, "&amp": 4, "& b": 0, "&abcdefghijklmnop": 0, "01230123": 4, "012 ": 0} {
		pr, pw := io.Pipe()
		m := Body(pr, token)
		looked := make(chan struct{})
		go func() {
			_, _ = io.WriteString(pw, text)
			<-looked
			pw.Close()
		}()
		buf := make([]byte, 99)
		n := 0
		if len(text) > held {
			n, _ = m.Read(buf)
		}
		if n != len(text)-held {
			t.Errorf("%s: %q went on", text, buf[:n])
		}
		close(looked)
		if rest, err := io.ReadAll(m); string(buf[:n])+string(rest) != text || err != nil {
			t.Errorf("%s: %q and %q, %v", text, buf[:n], rest, err)
		}
	}
}

// TestLinear: a megabyte of what is hardest to read takes a moment.
func TestLinear(t *testing.T) {
	token := strings.Repeat("a", 1000) + "b"
	for _, unit := range []string{token + " ", "a", "%61", "%25", "%", `\`, `\\u0061`, "&", "&amp;", "&#97;", "%26amp;", token[:500] + "%"} {
		text := strings.Repeat(unit, 1<<20/len(unit))
		done := make(chan struct{})
		go func() {
			defer close(done)
			Text(text, token)
			_, _ = io.Copy(io.Discard, Body(io.NopCloser(strings.NewReader(text)), token))
		}()
		select {
		case <-done:
		case <-time.After(20 * time.Second):
			t.Fatalf("a megabyte of %.20q takes longer than 20 s", unit)
		}
	}
}
