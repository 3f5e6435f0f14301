package config

import (
	"cmp"
	"encoding/json"
	"hash/crc32"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"authproxy/cmd/authproxy/internal/config/tree"
)

// written is n as YAML in one line.
func written(n *tree.Node) string {
	switch n.Kind {
	case tree.Mapping:
		var all []string
		for _, e := range n.Entries {
			all = append(all, quoted(e.Name)+": "+written(e.Value))
		}
		return "{ " + strings.Join(all, ", ") + " }"
	case tree.List:
		var all []string
		for _, item := range n.Items {
			all = append(all, written(item))
		}
		return "[ " + strings.Join(all, ", ") + " ]"
	case tree.Null:
		return "~"
	}
	if n.Tag != "!!str" {
		return n.Raw
	}
	return quoted(n.Raw)
}

func quoted(text string) string {
	out, err := json.Marshal(text)
	if err != nil {
		panic(err) // text is marshalled as it is
	}
	return string(out)
}

// scalar is the value that YAML reads in text.
func scalar(text string) *tree.Node {
	var n yaml.Node
	if yaml.Unmarshal([]byte(text), &n) != nil || len(n.Content) == 0 || n.Content[0].Kind != yaml.ScalarNode {
		return &tree.Node{Kind: tree.Scalar, Raw: text, Tag: "!!str"}
	}
	return &tree.Node{Kind: tree.Scalar, Raw: text, Tag: n.Content[0].Tag}
}

// changed calls visit with a copy of n for each value in it, which is replaced there by one of the others.
func changed(n *tree.Node, others []*tree.Node, visit func(at, other, copied *tree.Node)) {
	var walk func(at *tree.Node, rebuild func(*tree.Node) *tree.Node)
	walk = func(at *tree.Node, rebuild func(*tree.Node) *tree.Node) {
		for _, other := range others {
			visit(at, other, rebuild(other))
		}
		for i, e := range at.Entries {
			walk(e.Value, func(inner *tree.Node) *tree.Node {
				out := *at
				out.Entries = append([]tree.Entry(nil), at.Entries...)
				out.Entries[i].Value = inner
				return rebuild(&out)
			})
		}
		for i, item := range at.Items {
			walk(item, func(inner *tree.Node) *tree.Node {
				out := *at
				out.Items = append([]*tree.Node(nil), at.Items...)
				out.Items[i] = inner
				return rebuild(&out)
			})
		}
	}
	walk(n, func(whole *tree.Node) *tree.Node { return whole })
}

// kindOf is what is the same about values at different places: the key, the one that it stands in, and what
// stands there now. Names of the user's own and of kinds of requests make no difference.
func kindOf(n *tree.Node) string {
	path := anyName.ReplaceAllString(strings.ReplaceAll(n.Path, "[", ".["), "$1*")
	keys := strings.Split(path, ".")
	return strings.Join(keys[max(0, len(keys)-2):], ".") + " " + n.Kind.String()
}

// anyName is what tells one list item, token, param or request from another in a path.
var anyName = regexp.MustCompile(`(\[|^tokens\.|params\.|\.set\.|\.json|\.form\.)[^].]+|\b(request|refresh|check|revoke)\b`)

// TestSchemaIsLenient: whatever a value of a good file is replaced by, what the schema refuses the loader
// refuses too. Where a list or a mapping takes the place of a value, or the reverse, they agree. Where there is no hurry all of them are tried, else a quarter.
func TestSchemaIsLenient(t *testing.T) {
	schema := compiled(t)
	var others []*tree.Node
	for _, text := range []string{"", "x", "X-Y", "y z", "0", "1", "-1", "1.5", "007", "256", "401", "true", "False", "off", "10s", "0s", "-1s", "1.5h", "64KiB",
		"a.b[0].c", "$", "header:X", "/a/*", "/**", "unix:/a", "127.0.0.1:0", "localhost:1", "https://a.example", "http://localhost:1/", "redis://localhost:1",
		"{base_url}", "{token_type}", "${NO:-1}", "a$${b", "${", "GET", "h2c", "websocket", "a\tb", "工", "2020-01-02", "1e3", "0x10", "1_000", "http://[::1]:80", "[::1]"} {
		others = append(others, scalar(text))
	}
	others = append(others, &tree.Node{}, &tree.Node{Kind: tree.List}, &tree.Node{Kind: tree.Mapping},
		&tree.Node{Kind: tree.List, Items: []*tree.Node{scalar("x")}}, &tree.Node{Kind: tree.List, Items: []*tree.Node{{}}}, &tree.Node{Kind: tree.List, Items: []*tree.Node{scalar("401"), {Kind: tree.Mapping}}},
		&tree.Node{Kind: tree.Mapping, Entries: []tree.Entry{{Name: "nosuch", Value: scalar("x")}}})
	tried, refused := 0, 0
	done := map[string]bool{}
	all := goodFiles(t)
	shortFirst := func(a, b string) int { return cmp.Or(len(all[a])-len(all[b]), strings.Compare(a, b)) }
	for _, name := range slices.SortedFunc(maps.Keys(all), shortFirst) {
		root, _ := fromEditor(name, all[name])
		changed(root, others, func(at, other, copied *tree.Node) {
			place := kindOf(at) + " " + written(other)
			if done[place] || os.Getenv("CI") != "true" && crc32.ChecksumIEEE([]byte(place))%4 > 0 {
				return
			}
			done[place] = true
			tried++
			said := complaints(schema, copied)
			if len(said) == 0 {
				return
			}
			refused++
			if _, err := testParse(name, written(copied)); err == nil {
				t.Errorf("%s: %s: %s is accepted, and complained of: %q", name, at.Path, written(other), said)
			}
		})
	}
	if tried < 1000 || refused < 100 {
		t.Errorf("%d tried, %d refused", tried, refused)
	}
	t.Log(tried, refused)
}
