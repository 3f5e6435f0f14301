package config

import (
	"encoding/json"
	"maps"
	"reflect"

	"github.com/invopop/jsonschema"
)

// makeSchema makes the schema of a configuration from its types: which keys there are, and what each may hold
// as far as the file alone shows it. What it refuses, Parse refuses too; not the reverse, since files, names and
// addresses are not looked at. example is config.example.yaml, whose comments describe the keys.
func makeSchema(example []byte, words Vocabulary) ([]byte, error) {
	s := &schemas{words: words, defs: jsonschema.Definitions{}, structs: map[string]reflect.Type{}}
	s.reflect(Config{}, Upstream{}, Token{}, oauthKeys{}, inherited{}, injectKeys{}, paramKeys{}, secretKeys{}, Value{}, unitKeys{})
	for name, t := range s.structs {
		s.refine(s.defs[name], t)
	}
	s.relate()
	root := s.defs["Config"]
	delete(s.defs, "Config")
	root.Version, root.Definitions = jsonschema.Version, s.defs
	root.Title, root.Description = "authproxy", "The configuration of authproxy; `authproxy check -c FILE` says the rest of what may be wrong with one."
	if err := describeKeys(root, example); err != nil {
		return nil, err
	}
	text, err := json.MarshalIndent(root, "", "  ")
	return append(text, '\n'), err
}

// schemas is a schema in the making.
type schemas struct {
	words   Vocabulary
	defs    jsonschema.Definitions  // by the name of a struct, or of a kind of value
	structs map[string]reflect.Type // those that have a definition
}

// reflect defines the types of values, and of what they hold.
func (s *schemas) reflect(values ...any) {
	r := jsonschema.Reflector{Anonymous: true, FieldNameTag: "yaml", RequiredFromJSONSchemaTags: true, Mapper: s.mapped}
	for _, v := range values {
		maps.Copy(s.defs, r.Reflect(v).Definitions)
	}
}

// mapped keeps the reflector out of types that are read in a way of their own, and notes all others.
func (s *schemas) mapped(t reflect.Type) *jsonschema.Schema {
	if s.special(t, "") != nil {
		return &jsonschema.Schema{}
	}
	if t.Kind() == reflect.Struct {
		s.structs[t.Name()] = t
	}
	return nil
}

// refine says of each key in def, which was made from the struct t, what the decoder takes for it.
func (s *schemas) refine(def *jsonschema.Schema, t reflect.Type) {
	if !contains([]string{"Config", "Token", "Upstream"}, t.Name()) {
		setTypes(def, "object", "null")
	}
	for i := range t.NumField() {
		f := t.Field(i)
		key := f.Tag.Get("yaml")
		if key == "" {
			def.Properties.Delete(f.Name)
			continue
		}
		rule := f.Tag.Get("rule")
		prop, _ := def.Properties.Get(key)
		prop = s.value(prop, f.Type, f.Tag)
		if text, ok := f.Tag.Lookup("default"); ok {
			prop.Default = defaultOf(text, f.Type)
		} else if f.Type.Kind() == reflect.Bool {
			prop.Default = false
		}
		def.Properties.Set(key, prop)
		if begins(rule, "required") && t != reflect.TypeFor[Request]() { // whose keys a preset may bring
			def.Required = append(def.Required, key)
		}
	}
}

// value is the schema of what is read into a t that has these tags; made is what the reflector made of it.
// It follows parser.value.
func (s *schemas) value(made *jsonschema.Schema, t reflect.Type, tag reflect.StructTag) *jsonschema.Schema {
	if t.Kind() == reflect.Pointer {
		return s.value(made, t.Elem(), tag)
	}
	if special := s.special(t, tag); special != nil {
		return special
	}
	switch t.Kind() {
	case reflect.String:
		return s.text(tag)
	case reflect.Bool:
		return s.define("boolean", matching(`true|false`, "boolean"))
	case reflect.Int:
		return integer(tag.Get("rule"))
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Struct {
			return many(made.Items)
		}
		return list(s.value(made.Items, t.Elem(), tag))
	case reflect.Map:
		return mapping(s.value(made.AdditionalProperties, t.Elem(), tag), tag)
	}
	return made // a struct of its own, or anything that JSON knows
}

// define gives a schema a name, and returns a reference to it.
func (s *schemas) define(name string, schema *jsonschema.Schema) *jsonschema.Schema {
	s.defs[name] = schema
	return &jsonschema.Schema{Ref: "#/$defs/" + name}
}
