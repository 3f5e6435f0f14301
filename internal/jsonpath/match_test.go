package jsonpath

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestMatch(t *testing.T) {
	for _, c := range []struct {
		doc, path, value string
		want             bool
	}{
		{`{"code":"A"}`, "code", "A", true},
		{`{"code":"AB"}`, "code", "A", false},
		{`{"code":40014}`, "code", "40014", true},
		{`{"code":40014}`, "code", "400*", true},
		{`{"code":true}`, "code", "true", true},
		{`{"code":null}`, "code", "*", false},
		{`{"code":{}}`, "code", "*", false},
		{`{"other":1}`, "code", "*", false},
		{`{"code":""}`, "code", "*", true},
		{`{"msg":"token expired at noon"}`, "msg", "*expired*", true},
		{`{"msg":"a\nb"}`, "msg", "a\nb", true},
		{`"token expired"`, "$", "token*", true},
		{`{"errors":[{"code":1},{"code":2}]}`, "errors[*].code", "2", true},
	} {
		d := json.NewDecoder(strings.NewReader(c.doc))
		d.UseNumber()
		var doc any
		if err := d.Decode(&doc); err != nil {
			t.Fatal(err)
		}
		if got := (Match{MustParse(c.path), []string{"no", c.value}}).In(doc); got != c.want {
			t.Errorf("%s at %s in %s: %v", c.value, c.path, c.doc, got)
		}
	}
}

// FuzzLike compares Like with a regular expression.
func FuzzLike(f *testing.F) {
	f.Add("a*b*c", "aXbYbc")
	f.Add("*aa", "aaa")
	f.Add("ab*ba", "aba")
	f.Add("**", "")
	f.Fuzz(func(t *testing.T, pattern, text string) {
		if !utf8.ValidString(pattern) || !utf8.ValidString(text) {
			return // which regexp cannot read
		}
		want := regexp.MustCompile(`(?s)\A` + strings.ReplaceAll(regexp.QuoteMeta(pattern), `\*`, ".*") + `\z`)
		if got := Like(pattern, text); got != want.MatchString(text) {
			t.Errorf("%q like %q: %v", text, pattern, got)
		}
	})
}

func TestText(t *testing.T) {
	for _, tt := range []struct {
		value any
		want  string
		ok    bool
	}{
		{"a", "a", true}, {json.Number("200"), "200", true}, {json.Number("2e2"), "2e2", true}, {true, "true", true}, {int64(3), "3", true},
		{nil, "", false}, {map[string]any{}, "", false}, {[]any{"a"}, "", false},
	} {
		if got, ok := Text(tt.value); got != tt.want || ok != tt.ok {
			t.Errorf("%v: %q %v", tt.value, got, ok)
		}
	}
}
