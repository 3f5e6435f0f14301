package config

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/invopop/jsonschema"
	"gopkg.in/yaml.v3"
)

// The keys are described by the comments of the example file, and of the presets for their params: what
// stands behind a key, with the lines that go on below it, and the lines right above it.

// remarks are the lines of a file with comments.
type remarks []string

// of returns what the comments say of key; empty when another key stands before it on its line.
func (r remarks) of(key *yaml.Node) string {
	line := r[key.Line-1]
	if strings.Trim(line[:key.Column-1], " -") != "" {
		return ""
	}
	above := strings.Repeat(" ", key.Column-1) + "#"
	first := key.Line - 1
	for first > 0 && strings.HasPrefix(r[first-1], above) {
		first--
	}
	var head []string
	for _, comment := range r[first : key.Line-1] {
		head = append(head, comment[len(above):])
	}
	return strings.TrimSpace(oneLine(head) + "\n" + oneLine(r.behind(key.Line-1)))
}

func oneLine(lines []string) string {
	return strings.Join(strings.Fields(strings.Join(lines, " ")), " ")
}

// behind returns the comment that ends the line at index i, and the lines on which it goes on.
func (r remarks) behind(i int) []string {
	at := strings.Index(r[i], " # ")
	if at < 0 {
		return nil
	}
	said := []string{r[i][at+2:]}
	below := strings.Repeat(" ", at+1) + "#"
	for _, line := range r[i+1:] {
		if !strings.HasPrefix(line, below) {
			break
		}
		said = append(said, line[len(below):])
	}
	return said
}

// turnedOff returns what is said behind the key of that name where it is commented out beside key.
func (r remarks) turnedOff(name string, key *yaml.Node) string {
	indent := strings.Repeat(" ", key.Column-1)
	for _, line := range r[key.Line:] {
		if line != "" && !strings.HasPrefix(line, indent) {
			break
		}
		if _, rest, found := strings.Cut(line, indent+"# "+name+": "); found {
			_, said, _ := strings.Cut(rest, " # ")
			return strings.TrimSpace(said)
		}
	}
	return ""
}

// describeKeys gives the keys in root their titles, and the words that the example has for them. A key that
// stands there more than once is described by the first comment.
func describeKeys(root *jsonschema.Schema, example []byte) error {
	var doc yaml.Node
	if err := yaml.Unmarshal(example, &doc); err != nil {
		return fmt.Errorf("the example of a configuration: %w", err)
	}
	d := describer{root.Definitions, remarks(strings.Split(string(example), "\n"))}
	d.visit(root, doc.Content[0])
	finish(root)
	for _, def := range root.Definitions {
		finish(def)
	}
	return nil
}

// describer finds the keys of a schema in an example.
type describer struct {
	defs    jsonschema.Definitions
	remarks remarks
}

// visit describes what of the schema s stands in the node n.
func (d describer) visit(s *jsonschema.Schema, n *yaml.Node) {
	for name, found := strings.CutPrefix(s.Ref, "#/$defs/"); found; name, found = strings.CutPrefix(s.Ref, "#/$defs/") {
		s = d.defs[name]
	}
	for _, part := range slices.Concat(s.AllOf, s.AnyOf) {
		d.visit(part, n)
	}
	for _, item := range n.Content {
		if n.Kind == yaml.SequenceNode && s.Items != nil {
			d.visit(s.Items, item)
		}
	}
	for i := 0; n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
		d.key(s, n.Content[i], n.Content[i+1])
	}
	if n.Kind != yaml.MappingNode || n.Style&yaml.FlowStyle != 0 || s.Properties == nil {
		return
	}
	for pair := s.Properties.Oldest(); pair != nil; pair = pair.Next() {
		if pair.Value.Description == "" {
			pair.Value.Description = d.remarks.turnedOff(pair.Key, n.Content[0])
		}
	}
}

// key describes the key of the mapping s, and what stands below it.
func (d describer) key(s *jsonschema.Schema, key, value *yaml.Node) {
	if s.Properties != nil {
		if prop, ok := s.Properties.Get(key.Value); ok {
			if prop.Description == "" {
				prop.Description = d.remarks.of(key)
			}
			d.visit(prop, value)
			return
		}
	}
	if s.AdditionalProperties != nil {
		d.visit(s.AdditionalProperties, value)
	}
}

// finish gives each key of def a title, and says of which key a file is the twin, and what its default is.
func finish(def *jsonschema.Schema) {
	if def.Properties == nil {
		return
	}
	for pair := def.Properties.Oldest(); pair != nil; pair = pair.Next() {
		prop := pair.Value
		prop.Title = pair.Key
		if name, isFile := strings.CutSuffix(pair.Key, "_file"); isFile && prop.Description == "" {
			prop.Description = "the path of a file that holds " + name + ", and is read again when it changes; instead of " + name
		}
		if prop.Default != nil && prop.Description != "" && !strings.Contains(prop.Description, "efault") {
			prop.Description += " (default: " + inline(prop.Default) + ")"
		}
	}
}

// inline is a value on one line.
func inline(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		return fmt.Sprint(value)
	}
	return string(text)
}

// presetParam is a param of a preset, and what is said of it.
type presetParam struct{ name, description string }

// presetParams are those of the preset name, in its order.
func presetParams(name string) []presetParam {
	text, err := Preset(name)
	if err != nil {
		panic(err) // the presets are part of the program
	}
	var all []presetParam
	for _, p := range readNotes(text).params {
		said := "param of the preset " + name
		if len(p.lines) > 0 {
			said += ": " + strings.Join(p.lines, " ")
		}
		if p.def != "" {
			said += " (default: " + inline(p.def) + ")"
		}
		all = append(all, presetParam{p.name, said})
	}
	return all
}
