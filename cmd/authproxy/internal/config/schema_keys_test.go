package config

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// keyed is what of a schema says which keys there are.
type keyed struct {
	Ref                  string            `json:"$ref"`
	AllOf                []*keyed          `json:"allOf"`
	AnyOf                []*keyed          `json:"anyOf"`
	Properties           map[string]*keyed `json:"properties"`
	Items                *keyed            `json:"items"`
	AdditionalProperties json.RawMessage   `json:"additionalProperties"`
	Title, Description   string
	Defs                 map[string]*keyed `json:"$defs"`
}

// target is the definition that s refers to, by itself or in all of what it has to be.
func (s *keyed) target(defs map[string]*keyed) *keyed {
	for _, part := range append(s.AllOf, s.AnyOf...) {
		if part.Ref != "" {
			s = part
		}
	}
	if s.Ref != "" {
		return defs[strings.TrimPrefix(s.Ref, "#/$defs/")]
	}
	return s
}

// TestSchemaHasEveryKey: at each place of a configuration the schema knows the keys that the loader knows, and
// no others; each has a title and a description, and each mapping of ours is closed.
func TestSchemaHasEveryKey(t *testing.T) {
	var root keyed
	if err := json.Unmarshal(schemaText(t), &root); err != nil {
		t.Fatal(err)
	}
	seen := 0
	var visit func(path string, s *keyed, want *shape)
	visit = func(path string, s *keyed, want *shape) {
		s = s.target(root.Defs)
		switch {
		case want.each != nil && s.Items != nil:
			visit(path+"[]", s.Items, want.each)
		case want.each != nil:
			member := new(keyed)
			if err := json.Unmarshal(s.AdditionalProperties, member); err != nil {
				t.Fatal(path, err)
			}
			visit(path+".NAME", member, want.each)
		case want.keys != nil:
			if got := slices.Sorted(maps.Keys(s.Properties)); !slices.Equal(got, keysOfShape(want)) {
				t.Errorf("%s: keys %q, the loader knows %q", path, got, keysOfShape(want))
			}
			if string(s.AdditionalProperties) != "false" {
				t.Errorf("%s takes any key", path)
			}
			for name, inner := range want.keys {
				seen++
				prop := s.Properties[name]
				if prop == nil || prop.Title == "" || prop.Description == "" {
					t.Errorf("%s.%s: no title or no description: write a comment behind it in config.example.yaml", path, name)
				} else {
					visit(path+"."+name, prop, inner)
				}
			}
		}
	}
	visit("", &root, shapeOfSchema())
	if seen < 150 {
		t.Errorf("only %d keys", seen)
	}
}

// shapeOfSchema is the loader's shape, without what it knows and always refuses; see checkRequests.
func shapeOfSchema() *shape {
	whole := wholeShape()
	token := whole.keys["tokens"].each
	for _, key := range []string{"request", "refresh", "force"} {
		delete(token.keys[key].keys, "ok")
	}
	return whole
}

// TestParamsAreDescribed: an editor offers the params of each preset, with what the preset says of them.
func TestParamsAreDescribed(t *testing.T) {
	for preset, want := range map[string]string{
		"weda":   `[{env_id param of the preset weda: such as lowcode-2gay8jgh25}`,
		"oauth2": `[]`,
	} {
		if got := presetParams(preset); !strings.HasPrefix(fmt.Sprint(got), want) {
			t.Errorf("%s: %v", preset, got)
		}
	}
}
