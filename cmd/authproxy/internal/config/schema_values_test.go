package config

import (
	"encoding/json"
	"io/fs"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/invopop/jsonschema"
	"gopkg.in/yaml.v3"

	"authproxy/cmd/authproxy/internal/config/tree"
	"authproxy/internal/jsonpath"
)

// special is the schema of a type that is read in a way of its own; nil for all others.
func (s *schemas) special(t reflect.Type, tag reflect.StructTag) *jsonschema.Schema {
	switch reflect.Zero(t).Interface().(type) {
	case time.Duration:
		return s.duration(tag.Get("rule"))
	case int64:
		return s.size(tag.Get("rule"))
	case fs.FileMode:
		mode := matching(bare(modeRule), "integer")
		mode.Minimum, mode.Maximum = "0", "777"
		return mode
	case url.URL:
		return matching(`|(?:https?|socks5h?)://[^/].*`, "null")
	case BaseURL:
		return matching(baseRule, "null")
	case Address:
		return s.define("address", matching(`|unix:[^@].*|systemd:[!-9;-~]+|(?:[^:]*|\[.*\]):[0-9]{1,5}`, "null"))
	case Secret, elsewhere: // see relate
		return &jsonschema.Schema{}
	case Provider:
		provider := s.choice(Presets())
		provider.Default = defaultProvider
		return provider
	case Params, Credentials, Inject, Tokens, Upstreams, Values:
		return s.container(t)
	default:
		return s.pattern(t)
	}
}

// container is the schema of a type that holds others.
func (s *schemas) container(t reflect.Type) *jsonschema.Schema {
	ref := func(name string) *jsonschema.Schema { return &jsonschema.Schema{Ref: "#/$defs/" + name} }
	switch reflect.Zero(t).Interface().(type) {
	case Params:
		return &jsonschema.Schema{AnyOf: []*jsonschema.Schema{{Type: "null"}, {Type: "object"}}} // see relate
	case Inject:
		return ref("injectKeys")
	case Values:
		return named(ref("Value"))
	case Tokens:
		return &jsonschema.Schema{
			Type: "object", MinProperties: ptr(1), AdditionalProperties: ref("Token"),
			PropertyNames: &jsonschema.Schema{Pattern: nameRule.String()},
		}
	case Upstreams:
		return &jsonschema.Schema{Type: "array", MinItems: ptr(1), Items: ref("Upstream")}
	}
	return &jsonschema.Schema{} // Credentials: see relate
}

// named is a mapping of placeholders of the user's own.
func named(member *jsonschema.Schema) *jsonschema.Schema {
	return setTypes(&jsonschema.Schema{AdditionalProperties: member, PropertyNames: &jsonschema.Schema{Pattern: paramRule}}, "object", "null")
}

// pattern is the schema of a type whose values have a syntax of their own; nil for all others.
func (s *schemas) pattern(t reflect.Type) *jsonschema.Schema {
	switch reflect.Zero(t).Interface().(type) {
	case jsonpath.Path:
		return word(pathRule)
	case Hosts:
		return list(s.define("host", word(hostRule)))
	case Origins:
		return list(s.define("origin", matching(originRule)))
	case Unit:
		word := plain("string", "number")
		word.MinLength = ptr(1)
		return &jsonschema.Schema{AnyOf: []*jsonschema.Schema{word, {Ref: "#/$defs/unitKeys"}}}
	case Selector, Ending:
		return s.define("selector", matching("|"+selectorRule, "number", "boolean", "null"))
	case Selectors:
		return list(word(selectorRule))
	case Matches:
		return s.matches()
	case Alternatives:
		all := s.matches()
		return s.define("alternatives", &jsonschema.Schema{AnyOf: []*jsonschema.Schema{
			all, {Type: "array", Items: &jsonschema.Schema{AllOf: []*jsonschema.Schema{all}, MinProperties: ptr(1)}},
		}})
	}
	return nil
}

// matches is a mapping of JSON paths to a value or a list of values.
func (s *schemas) matches() *jsonschema.Schema {
	one := plain("string", "number", "boolean")
	all := setTypes(&jsonschema.Schema{
		PropertyNames:        &jsonschema.Schema{Pattern: "^(?:" + pathRule + ")$"},
		AdditionalProperties: &jsonschema.Schema{AnyOf: []*jsonschema.Schema{one, {Type: "array", Items: one}}},
	}, "object", "null")
	return s.define("matches", all)
}

func (s *schemas) duration(rule string) *jsonschema.Schema {
	if rule == "positive" {
		return s.define("positiveDuration", matching(positiveRule))
	}
	d := matching(durationRule, "integer")
	d.Minimum, d.Maximum = "0", "0"
	return s.define("duration", d)
}

func (s *schemas) size(rule string) *jsonschema.Schema {
	size := matching(bare(sizeRule), "integer")
	size.Minimum = "0"
	if rule == "head" {
		size.Minimum, size.Maximum = json.Number(strconv.Itoa(minHead)), json.Number(strconv.Itoa(maxHead))
		return size
	}
	return s.define("size", size)
}

// integer is a whole number, which may stand in quotes.
func integer(rule string) *jsonschema.Schema {
	bounds := map[string]struct {
		least, most json.Number
		text        string
	}{
		"positive": {"1", "9223372036854775807", `\+?0*[1-9][0-9]{0,18}`},
		"status":   {"100", "599", `\+?0*[1-5][0-9]{2}`},
		"uid":      {"0", "4294967294", `\+?[0-9]{1,10}`},
	}[rule]
	n := matching(bounds.text, "integer")
	n.Minimum, n.Maximum = bounds.least, bounds.most
	return n
}

// text is a string as the tags want it. A number or a word such as true is text as good as any.
func (s *schemas) text(tag reflect.StructTag) *jsonschema.Schema {
	choice, isChoice := tag.Lookup("oneof")
	rule := tag.Get("rule")
	switch {
	case isChoice:
		return s.choice(s.words.choices(choice))
	case rule == "cipher":
		return s.choice(slices.Sorted(slices.Values(cipherSuites())))
	case strings.HasSuffix(rule, "name"):
		return word(bare(nameRule))
	case patternOf(rule) != "":
		text := word(patternOf(rule))
		if rule == "upgrade" {
			text.Not = &jsonschema.Schema{Type: "string", Pattern: "^[Hh]2[Cc]$"}
		}
		return text
	case begins(rule, "required") || begins(rule, "nonempty"):
		text := plain("string", "number", "boolean")
		text.MinLength = ptr(1)
		return text
	case rule == "line":
		return s.define("line", free(lineCharacter, "string", "number", "boolean", "null"))
	}
	return s.define("text", plain("string", "number", "boolean", "null"))
}

// choice is one of the words, or a variable. What YAML takes for a number counts as well.
func (s *schemas) choice(words []string) *jsonschema.Schema {
	var enum []any
	for _, word := range words {
		enum = append(enum, word)
	}
	for _, word := range words {
		if v := inYAML(word); v != word {
			enum = append(enum, v)
		}
	}
	variable := s.define("variable", &jsonschema.Schema{Type: "string", Pattern: tree.Variable})
	return &jsonschema.Schema{AnyOf: []*jsonschema.Schema{{Enum: enum}, variable}}
}

// list is a list of items, one of them alone, or nothing.
func list(items *jsonschema.Schema) *jsonschema.Schema {
	return &jsonschema.Schema{AnyOf: []*jsonschema.Schema{many(items), items}}
}

// many is a list of items, or nothing.
func many(items *jsonschema.Schema) *jsonschema.Schema {
	return setTypes(&jsonschema.Schema{Items: items}, "array", "null")
}

// mapping is a mapping of names of the user's own, or nothing.
func mapping(member *jsonschema.Schema, tag reflect.StructTag) *jsonschema.Schema {
	m := setTypes(&jsonschema.Schema{AdditionalProperties: member}, "object", "null")
	if tag.Get("keys") == "header" {
		m.PropertyNames = &jsonschema.Schema{
			Pattern: "^(?:" + tokenRule + ")$",
			Not:     &jsonschema.Schema{Pattern: "^(?:" + anyCase(ownHeaders()) + ")$"},
		}
	}
	return m
}

// defaultOf is what a default tag means for a t.
func defaultOf(text string, t reflect.Type) any {
	switch t.Kind() {
	case reflect.Slice:
		all := []any{}
		for _, item := range strings.Split(text, ",") {
			all = append(all, defaultOf(item, t.Elem()))
		}
		return all
	case reflect.Bool, reflect.Int:
		return inYAML(text)
	}
	return text
}

// inYAML is what YAML takes a bare word for.
func inYAML(word string) (value any) {
	if yaml.Unmarshal([]byte(word), &value) != nil {
		return word
	}
	return value
}
