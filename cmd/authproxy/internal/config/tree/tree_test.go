package tree

import (
	"strings"
	"testing"
)

func env(name string) (string, bool) {
	v, ok := map[string]string{"NAME": "value-of-name", "EMPTY": ""}[name]
	return v, ok
}

// shown is n in one line: each scalar behind its path and the line it stands on.
func shown(n *Node) string {
	var b strings.Builder
	n.Leaves(func(leaf *Node) {
		b.WriteString(leaf.File + ":" + string(rune('0'+leaf.Line)) + " " + leaf.Path + "=" + leaf.Text + "; ")
	})
	return b.String()
}

// TestPlacesAreKept: aliases, merge keys and layers keep the place where each
// value was written.
func TestPlacesAreKept(t *testing.T) {
	var faults Faults
	base := Read("base", []byte("a: { x: 1, y: \"${NAME}\" }\nl: [1, 2]\n"), env, &faults)
	over := Read("over", []byte("d: &d\n  x: 2\na:\n  <<: *d\n  z: ${EMPTY:-3}\nl: []\n"), env, &faults)
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	const want = "over:2 d.x=2; base:1 a.y=value-of-name; over:5 a.z=3; over:2 a.x=2; "
	if got := shown(Layer(base, over, Deep)); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
}

func TestNodes(t *testing.T) {
	var faults Faults
	n := Read("f", []byte("a: ''\nb: { c: d }\ne:\nf: []\n"), nil, &faults)
	for name, want := range map[string]struct{ has, blank bool }{"a": {false, true}, "b": {true, false}, "e": {false, true}, "f": {false, false}, "none": {false, true}} {
		if n.Has(name) != want.has || n.Get(name).Blank() != want.blank {
			t.Errorf("%s: has %t, blank %t", name, n.Has(name), n.Get(name).Blank())
		}
	}
	if got := n.Child("b").Child("x"); got.Path != "b.x" || got.Line != 2 || got.Kind != Mapping || !got.Empty() {
		t.Errorf("%+v", got)
	}
	if got := shown(n.With("g", n.Literal("h")).Without("b", "a")); got != "f:1 =h; " {
		t.Errorf("%s", got)
	}
	if n.Only(nil).Has("b") || !n.Only([]string{"b"}).Has("b") {
		t.Error("only")
	}
}

func TestSuggest(t *testing.T) {
	known := []string{"listen", "log", "tokens"}
	for name, want := range map[string]string{"listne": "did you mean listen?", "lgo": "known keys: listen, log, tokens", "lo": "did you mean log?", "token": "did you mean tokens?", "": "known keys: listen, log, tokens"} {
		if got := Suggest(name, "keys", known); got != want {
			t.Errorf("%q: %s", name, got)
		}
	}
	if got := Suggest("x", "keys", nil); got != "there are no keys here" {
		t.Error(got)
	}
}

// FuzzRead: nothing panics, and each fault has a place and one line of text that
// shows nothing of the environment.
func FuzzRead(f *testing.F) {
	for _, text := range []string{"a: b", "a: &a [*a]", "a: {<<: {b: c}}", "- ${NAME:-x}", "a: !x y", "\ta", "a: *b", "a\n---\nb", "{a, b: }", "a: ${"} {
		f.Add([]byte(text))
	}
	const marker = "marker-7f3a"
	f.Fuzz(func(t *testing.T, data []byte) {
		if strings.Contains(string(data), marker) {
			t.Skip()
		}
		var faults Faults
		n := Read("f.yaml", data, func(string) (string, bool) { return marker, true }, &faults)
		n.Leaves(func(*Node) {})
		if n == nil && len(faults) == 0 {
			t.Error("nothing, and no fault")
		}
		for _, fault := range faults {
			if text := fault.String(); fault.Line < 1 || fault.What == "" || strings.Contains(text, "\n") || strings.Contains(text, marker) {
				t.Errorf("%q", text)
			}
		}
	})
}
