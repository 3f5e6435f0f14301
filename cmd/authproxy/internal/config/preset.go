package config

import (
	"embed"
	"fmt"
	"slices"
	"strings"
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
		return nil, fmt.Errorf("no preset %q; %s", name, suggest(name, "presets", Presets()))
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

// preset returns what the token n starts from: the preset it names, or the default. A token that
// names none and has a request with a URL of its own does not start from the default's request.
// known is false after a fault; what is returned then has the right shape, not the right values.
func (p *parser) preset(n *node, t *Token) (base *node, known bool) {
	t.Provider, known = defaultProvider, true
	at := n.get("provider")
	if at != nil {
		t.Provider = at.text
	}
	text, err := Preset(t.Provider)
	switch {
	case at != nil && !p.single(at, "name one of: "+strings.Join(Presets(), ", ")):
		known = false
	case err != nil:
		p.fault(at, "unknown preset "+at.quote(), suggest(at.raw, "presets", Presets()))
		known = false
	}
	if !known {
		t.Provider = defaultProvider
		text, _ = Preset(t.Provider)
	}
	base = read(presetPrefix+t.Provider, text, nil, &p.faults)
	if !known {
		request := base.child("request").without("auth") // it must not be at odds with what the file says
		for _, key := range requestKeys() {
			if key == "request" || n.has(key) {
				base = base.with(key, request)
			}
		}
	}
	if at == nil && n.child("request").has("url") {
		base = base.without("request")
	}
	return base, known
}
