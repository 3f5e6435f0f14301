package config

import (
	"embed"
	"fmt"
	"slices"
	"strings"

	"authproxy/cmd/authproxy/internal/config/tree"
)

//go:embed presets/*.yaml
var presetFiles embed.FS

const defaultProvider = "oauth2"

// presetPrefix begins the name of a preset's text in faults.
const presetPrefix = "preset "

// Presets returns the names of the presets, sorted.
func Presets() []string {
	files, err := presetFiles.ReadDir("presets")
	if err != nil {
		panic(err) // the folder is part of the program
	}
	var out []string
	for _, f := range files {
		out = append(out, strings.TrimSuffix(f.Name(), ".yaml"))
	}
	slices.Sort(out)
	return out
}

// Preset returns the text of a preset, as YAML with comments. The error names the nearest preset.
func Preset(name string) ([]byte, error) {
	if !contains(Presets(), name) {
		return nil, fmt.Errorf("no preset %q; %s", name, tree.Suggest(name, "presets", Presets()))
	}
	return presetFiles.ReadFile("presets/" + name + ".yaml")
}

// PresetSummary returns the one line that says what a preset is for, or "" when there is no such preset.
func PresetSummary(name string) string {
	text, err := Preset(name)
	if err != nil {
		return ""
	}
	line, _, _ := strings.Cut(string(text), "\n")
	return strings.TrimSpace(strings.TrimLeft(line, "#"))
}

// PresetGroup is a kind of platforms.
type PresetGroup struct {
	Name    string
	Presets []string // sorted
}

// groupPrefix begins the line of a preset that names its group.
const groupPrefix = "# group: "

// PresetGroups returns all presets by what they are for.
func PresetGroups() []PresetGroup {
	groups := []PresetGroup{{Name: "Any platform"}, {Name: "Clouds and identity"}, {Name: "Services"}, {Name: "Open platforms in China"}, {Name: "Business software in China"}}
	for _, name := range Presets() {
		text, err := Preset(name)
		if err != nil {
			panic(err) // the presets are part of the program
		}
		_, rest, _ := strings.Cut(string(text), "\n"+groupPrefix)
		of, _, _ := strings.Cut(rest, "\n")
		for i := range groups {
			if groups[i].Name == of {
				groups[i].Presets = append(groups[i].Presets, name)
			}
		}
	}
	return groups
}

// preset returns what the token n starts from: the preset it names, or the default. A token that
// names none and has a request with a URL of its own does not start from the default's request.
// known is false after a fault; what is returned then has the right shape, not the right values.
func (p *parser) preset(n *tree.Node, t *Token) (*tree.Node, bool) {
	at, name, known := n.Get("provider"), defaultProvider, true
	if at != nil {
		name = at.Text
	}
	text, err := Preset(name)
	switch {
	case at != nil && !p.faults.Single(at, "name one of those that authproxy presets lists, such as oauth2"):
		known = false
	case err != nil:
		p.fault(at, "unknown preset "+at.Quote(), tree.Suggest(at.Raw, "presets", Presets()))
		known = false
	}
	if !known {
		name = defaultProvider
		text, _ = Preset(name)
	}
	t.Provider = Provider(name)
	base := tree.Read(presetPrefix+name, text, nil, &p.faults)
	if !known {
		request := base.Child("request").Without("auth") // it must not be at odds with what the file says
		for _, key := range requestKeys() {
			if key == "request" || n.Has(key) {
				base = base.With(key, request)
			}
		}
	}
	if at == nil && n.Child("request").Has("url") {
		base = base.Without("request")
	}
	return base, known
}
