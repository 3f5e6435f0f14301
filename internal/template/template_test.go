package template

import (
	"slices"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	for text, want := range map[string]struct{ names, members []string }{
		"":                           {nil, nil},
		"a":                          {nil, nil},
		"{a}":                        {[]string{"a"}, []string{"a:"}},
		"{a}{b_1}":                   {[]string{"a", "b_1"}, []string{"a:", "b_1:"}},
		"x{a}y{b}z":                  {[]string{"a", "b"}, []string{"a:", "b:"}},
		"{header.X-User}":            {nil, []string{"header:X-User"}},
		"{header.}":                  {nil, []string{"header:"}},
		"{A}{1a}{a b}{}{{a}}":        {[]string{"a"}, []string{"a:"}},
		"{a.b.c}":                    {nil, []string{"a:b.c"}},
		`{"a":"{a}"}`:                {[]string{"a"}, []string{"a:"}},
		"{token}=loginName:{h.x}&{y": {[]string{"token"}, []string{"token:", "h:x"}},
	} {
		if got := Parse(text); !slices.Equal(got.Names(), want.names) || got.String() != text {
			t.Errorf("%s: %q, %q", text, got, got.Names())
		}
		var all []string
		dotted := ParseMembers(text)
		for _, p := range dotted {
			if p.Name != "" {
				all = append(all, p.Name+":"+p.Member)
			}
		}
		if !slices.Equal(all, want.members) || dotted.String() != text {
			t.Errorf("with members, %s: %q, %q", text, dotted, all)
		}
	}
}

func TestIsName(t *testing.T) {
	for name, want := range map[string]bool{"a": true, "_": true, "a_1": true, "": false, "A": false, "1a": false, "a-b": false, "a}{b": false, "a.b": false, "ä": false} {
		if IsName(name) != want {
			t.Errorf("%q: %v", name, !want)
		}
	}
}

func of(values map[string]string) func(Piece) string {
	return func(p Piece) string { return values[p.Name+p.Member] }
}

func TestFill(t *testing.T) {
	values := map[string]string{"a": "{b}", "b": "2", "headerX": "h", "base": "https://h/x//", "odd": "a b/c?d&e"}
	for text, want := range map[string]string{"": "", "{a}-{b}": "{b}-2", "{header.X}{c}": "h", "{{b}}": "{2}"} {
		if got := ParseMembers(text).Fill(of(values)); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
	for text, want := range map[string]string{
		"{base}/t": "https://h/x/t", "{base}": "https://h/x//", "{base}t": "https://h/x//t", "{base}{b}": "https://h/x//2",
		"https://h/{odd}": "https://h/a%20b%2Fc%3Fd&e", "https://h/?q={odd}": "https://h/?q=a+b%2Fc%3Fd%26e",
		"{odd}/{odd}": "a b/c?d&e/a+b%2Fc%3Fd%26e",
	} {
		if got := Parse(text).FillURL(func(p Piece) (string, bool) { return values[p.Name], false }); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
	if got := Parse("https://h/{b}").FillURL(func(Piece) (string, bool) { return "{b}", true }); got != "https://h/{b}" {
		t.Error(got)
	}
}

func TestAbsent(t *testing.T) {
	values := map[string]string{"full": "x"}
	for text, want := range map[string]bool{"": false, "{empty}": true, "{empty}{none}": true, "{empty} ": false, "{empty}{full}": false} {
		if got := Parse(text).Absent(of(values)); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}

// FuzzParse: pieces are the whole text, and a placeholder is a name.
func FuzzParse(f *testing.F) {
	for _, text := range []string{"{a}", "{a.b}", "{{a}}", "a{b}c{", "{header.X-Y}"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, parsed := range []Template{Parse(text), ParseMembers(text)} {
			if parsed.String() != text {
				t.Errorf("%q", parsed)
			}
			for i, p := range parsed {
				if p.Name != "" && !IsName(p.Name) || strings.ContainsAny(p.Member, "{}") || i > 0 && p.Name == "" && parsed[i-1].Name == "" {
					t.Errorf("%+v", p)
				}
			}
		}
	})
}
