package config

import (
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// notes are what the comments of a preset tell a user about it.
type notes struct {
	about  []string    // what it is, line by line
	params []paramNote // in the order of the preset
	scoped bool        // a request asks for scopes
}

// paramNote is what there is to know of a param.
type paramNote struct {
	name, def string
	lines     []string
}

// PresetParams are the names of the params of a preset, in its order; "" is that of plain OAuth 2.0.
func PresetParams(preset string) []string {
	if preset == "" {
		preset = defaultProvider
	}
	text, err := Preset(preset)
	if err != nil {
		return nil
	}
	var names []string
	for _, p := range readNotes(text).params {
		names = append(names, p.name)
	}
	return names
}

// legend begins the explanation of the marks that say where a fact comes from, which is for who writes
// presets.
var legend = regexp.MustCompile(`^\[\S+\] = `)

var marks = regexp.MustCompile(`\[(\S+)\] = `)

// readNotes reads the comments of a preset.
func readNotes(text []byte) notes {
	n := notes{scoped: strings.Contains(string(text), "{scope}")}
	head, _, _ := strings.Cut(string(text), "\n\n")
	clean := cleaner(head)
	for line := range strings.Lines(head) {
		comment, ok := strings.CutPrefix(strings.TrimSpace(line), "#")
		comment = strings.TrimSpace(comment)
		if !ok || legend.MatchString(comment) {
			break
		}
		if !strings.HasPrefix(line, groupPrefix) {
			n.about = append(n.about, clean(comment))
		}
	}
	for len(n.about) > 0 && n.about[len(n.about)-1] == "" {
		n.about = n.about[:len(n.about)-1]
	}
	var preset struct {
		Params yaml.Node `yaml:"params"`
	}
	if err := yaml.Unmarshal(text, &preset); err != nil {
		panic(err) // presets are part of the program
	}
	for i := 0; i+1 < len(preset.Params.Content); i += 2 {
		n.params = append(n.params, readParam(preset.Params.Content[i], preset.Params.Content[i+1], clean))
	}
	return n
}

// cleaner takes the marks that head explains out of a comment. What is not documented is said in words.
func cleaner(head string) func(string) string {
	var known []string
	for _, m := range marks.FindAllStringSubmatch(head, -1) {
		if m[1] == "?" {
			known = append(known, "[?]", "(not documented)")
		} else {
			known = append(known, " ["+m[1]+"]", "")
		}
	}
	replacer := strings.NewReplacer(known...)
	return func(text string) string { return strings.TrimSpace(replacer.Replace(" " + text)) }
}

func readParam(key, value *yaml.Node, clean func(string) string) paramNote {
	p := paramNote{name: key.Value}
	if value.Kind == yaml.ScalarNode {
		p.def = value.Value
	}
	for i := 0; i+1 < len(value.Content); i += 2 {
		if value.Content[i].Value == "default" {
			p.def = value.Content[i+1].Value
		}
	}
	for _, comment := range []string{key.HeadComment, key.LineComment, value.HeadComment, value.LineComment} {
		for line := range strings.Lines(comment) {
			p.lines = append(p.lines, clean(strings.TrimLeft(strings.TrimSpace(line), "# ")))
		}
	}
	p.lines = slices.DeleteFunc(p.lines, func(line string) bool { return line == "" })
	return p
}
