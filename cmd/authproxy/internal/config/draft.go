package config

import (
	"errors"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"authproxy/cmd/authproxy/internal/config/tree"
)

// Draft is a configuration to begin with. It has no faults, and a warning for each value that is to be
// filled in.
type Draft struct {
	Text    string
	FillIn  []string // the keys of the values to fill in
	Secrets []Wanted // what is to be kept out of the configuration
}

// Wanted is a secret that is to be given.
type Wanted struct {
	Credential string // such as client_secret
	File       string // that holds it, seen from the folder of the configuration; or empty, and
	Variable   string // the variable of the environment that holds it
	Value      string // to be filled in
}

// SecretFolder is the folder for the files of a [Draft], seen from that of the configuration.
const SecretFolder = "secrets"

// yourURL is the URL that is to be filled in.
const yourURL = "https://your-platform.example.com"

// yours is what stands where the value of a key is to be filled in.
func yours(key string) string { return "your-" + strings.ReplaceAll(key, "_", "-") }

// missing is what is wrong with a key that has to be there and is not.
const missing = "missing"

// NewDraft returns a draft for a preset; "" stands for plain OAuth 2.0. It asks for what the preset leaves
// open and for nothing else: what that is, the faults of a configuration without it say. Secrets are to
// stand in files, or, where that is not wanted, in variables of the environment. The error names the
// nearest preset.
func NewDraft(preset string, inFiles bool, words Vocabulary) (Draft, error) {
	if preset == "" {
		preset = defaultProvider
	}
	text, err := Preset(preset)
	if err != nil {
		return Draft{}, err
	}
	s := newSketch(preset, words)
	s.complete()
	return s.write(readNotes(text), inFiles), nil
}

// sketch is a configuration that is tried.
type sketch struct {
	words  Vocabulary
	name   string                    // of the preset, the token and the upstream
	blocks map[string]map[string]any // by path: the token and the upstream
	asked  []wish
}

func newSketch(preset string, words Vocabulary) *sketch {
	return &sketch{words: words, name: preset, blocks: map[string]map[string]any{
		tree.Join("tokens", preset): {"provider": preset},
		firstUpstream:               {"name": preset, "token": preset},
	}}
}

// complete asks for what is missing, until nothing is.
func (s *sketch) complete() {
	for round := s.missing(); len(round) > 0; round = s.missing() {
		for _, w := range round {
			s.ask(w)
		}
	}
	for i, w := range s.asked { // of a URL it shows only when all of it is there
		if !w.isFile() && s.hasFault(w) {
			s.asked[i].value = yourURL
			put(s.blocks[w.block], w.keys, yourURL)
		}
	}
	slices.SortStableFunc(s.asked, func(a, b wish) int { return a.rank() - b.rank() })
}

const firstUpstream = "upstreams[0]"

// wish is a key that a configuration has to have.
type wish struct {
	block   string   // the path of the block that it stands in
	keys    []string // from there on
	value   string
	instead string // the param that would do as well; empty: none
}

func (w wish) key() string { return w.keys[len(w.keys)-1] }

// path is where the key stands in a configuration.
func (w wish) path() string { return w.block + "." + strings.Join(w.keys, ".") }

// rank puts credentials behind all else, in their own order.
func (w wish) rank() int {
	return slices.Index(CredentialNames(), strings.TrimSuffix(w.key(), "_file"))
}

// isFile says whether what is wished for is the path of a file.
func (w wish) isFile() bool { return strings.HasSuffix(w.key(), "_file") }

// faults are those of the sketch.
func (s *sketch) faults() Faults {
	text, err := yaml.Marshal(map[string]any{
		"tokens":    map[string]any{s.name: s.blocks[tree.Join("tokens", s.name)]},
		"upstreams": []any{s.blocks[firstUpstream]},
	})
	if err != nil {
		panic(err) // texts always encode
	}
	_, err = Parse("draft", text, "", func(string) (string, bool) { return "", false }, s.words)
	faults, _ := errors.AsType[Faults](err)
	return faults
}

// missing are the keys that have to be there and were not asked for yet.
func (s *sketch) missing() []wish {
	var all []wish
	for _, f := range s.faults() {
		for block := range s.blocks {
			rest, ok := strings.CutPrefix(f.Path, block+".")
			w := wish{block: block, keys: strings.Split(rest, "."), instead: between(f.Fix, "or give ", " instead")}
			if ok && f.What == missing && !slices.ContainsFunc(s.asked, func(other wish) bool { return other.path() == w.path() }) {
				all = append(all, w)
			}
		}
	}
	return all
}

// ask gives the key a value that shows that it is to be filled in, and that is no fault. That a file is
// not there yet is none.
func (s *sketch) ask(w wish) {
	for _, w.value = range []string{yours(w.key()), yourURL} {
		put(s.blocks[w.block], w.keys, w.value)
		if w.isFile() || !s.hasFault(w) {
			break
		}
	}
	s.asked = append(s.asked, w)
}

func (s *sketch) hasFault(w wish) bool {
	return slices.ContainsFunc(s.faults(), func(f Fault) bool { return f.Path == w.path() })
}

// put gives the key at the end of keys a value; what it stands in is made.
func put(m map[string]any, keys []string, value string) {
	for _, key := range keys[:len(keys)-1] {
		inner, ok := m[key].(map[string]any)
		if !ok {
			inner = map[string]any{}
			m[key] = inner
		}
		m = inner
	}
	m[keys[len(keys)-1]] = value
}

// between is what stands in text between two others; empty where they do not.
func between(text, before, after string) string {
	_, rest, _ := strings.Cut(text, before)
	inner, _, ok := strings.Cut(rest, after)
	if !ok {
		return ""
	}
	return inner
}
