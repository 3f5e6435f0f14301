package jsonpath

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/ohler55/ojg/jp"
)

func TestParse(t *testing.T) {
	for text, want := range map[string]bool{
		"code": true, "a.b[0].c": true, "['a-b']": true, "$.a": true, "a[*]": true, "$..code": true, "a[?(@.x == 1)]": true,
		"$": true, "": false, "@": false, "a[": false, "[": false, "a.": false, "a[?(": false, "\x00": false,
	} {
		path, err := Parse(text)
		if (err == nil) != want || err != nil && !errors.Is(err, ErrNoPath) {
			t.Errorf("%q: %v", text, err)
		}
		if err == nil && path.String() != text || err != nil && !path.IsZero() {
			t.Errorf("%q: %q", text, path)
		}
	}
}

func TestFind(t *testing.T) {
	var doc any
	if err := json.Unmarshal([]byte(`{"a":{"b":[{"c":1},{"c":2}]},"n":null,"x-y":3}`), &doc); err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]struct {
		first any
		found bool
		all   int
	}{
		"a.b[0].c": {1.0, true, 1}, "a.b[*].c": {1.0, true, 2}, "['x-y']": {3.0, true, 1}, "n": {nil, true, 1},
		"none": {nil, false, 0}, "a.b[7]": {nil, false, 0}, "a.b.c": {nil, false, 0},
	} {
		path := MustParse(text)
		if first, found := path.First(doc); first != want.first || found != want.found {
			t.Errorf("%s: %v, %v", text, first, found)
		}
		if all := path.All(doc); len(all) != want.all {
			t.Errorf("%s: %v", text, all)
		}
	}
	if _, found := (Path{}).First(doc); found || len((Path{}).All(doc)) > 0 {
		t.Error("the zero Path finds something")
	}
}

func TestPathThatPanicsFindsNothing(t *testing.T) {
	path := Path{"a", jp.Expr{nil}}
	if v, ok := path.First(map[string]any{"a": 1}); v != nil || ok {
		t.Error(v, ok)
	}
	if all := path.All(map[string]any{"a": 1}); all != nil {
		t.Error(all)
	}
}

// FuzzPath: nothing that parses panics on any document.
func FuzzPath(f *testing.F) {
	for _, text := range []string{"code", "a.b[0].c", "['a-b']", "$..code", "a[?(@.x == 1)]", "a[1:2]", "[(@.length-1)]", "a[?(@.x/0 == 1)]"} {
		f.Add(text, `{"a":[{"x":0}],"code":"1"}`)
	}
	f.Fuzz(func(t *testing.T, text, document string) {
		path, err := Parse(text)
		if err != nil {
			return
		}
		var doc any
		_ = json.Unmarshal([]byte(document), &doc)
		path.First(doc)
		path.All(doc)
	})
}
