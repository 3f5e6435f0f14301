package config

import (
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/invopop/jsonschema"

	"authproxy/cmd/authproxy/internal/config/tree"
)

// The patterns of the schema are read by Go and by JavaScript, so they keep to what both know: there is no
// looking ahead. None refuses what the decoder takes, and some take more.
const (
	units        = `(?:ns|us|µs|μs|ms|s|m|h)`
	oneTime      = `(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)` + units + `)`
	durationRule = `\+?(?:0|` + oneTime + `+)`
	positiveRule = `\+?` + oneTime + `*(?:[0-9]*[1-9][0-9]*\.?[0-9]*|[0-9]*\.[0-9]*[1-9][0-9]*)` + units + oneTime + `*`

	tokenRule  = "[!#$%&'*+.^_`|~0-9A-Za-z-]+"
	methodRule = "[!#$%&'*+.^_`|~0-9A-Z-]+"

	paramRule = `^[a-z_][a-z0-9_]*$`

	label      = "[!$&()+;=^_`|~0-9A-Za-z-]+"
	ipRule     = `\[?[0-9A-Fa-f]*:[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*\]?`
	hostRule   = label + `(?:\.` + label + `)*\.?|` + ipRule
	originRule = `[A-Za-z][A-Za-z0-9+.-]*://(?:` + label + `(?:\.` + label + `)*\.?|\[.+\])(?::0*[1-9][0-9]{0,4})?`
	wideLabel  = `[^\x00-\x20\x7f./\\:*?#@\[\]{},"'<>%]+`
	serverRule = wideLabel + `(?:\.` + wideLabel + `)*\.?|` + ipRule

	scheme      = `[Hh][Tt][Tt][Pp][Ss]?://[^/?#@]+`
	tokenURL    = scheme + `(?:[/?][^#]*)?`
	baseURL     = scheme + `(?:/[^?#]*)?`
	requestRule = tokenURL + `|[^#]*\{[^#]*`
	baseRule    = `|` + baseURL + `|unix:[^@].*|[^?#]*\{[^?#]*`

	segment     = `[. ]*[^. */?#;\\\x00-\x1f\x7f][^*/?#;\\\x00-\x1f\x7f]*`
	patternRule = `(?:/(?:\*|` + segment + `))*/(?:\*\*?|` + segment + `)?`
	inPrefix    = `*/?#%;\\\x00-\x1f\x7f]`
	prefixRule  = `/|(?:/(?:[^.` + inPrefix + `[^` + inPrefix + `*|\.[^.` + inPrefix + `[^` + inPrefix + `*|\.\.[^` + inPrefix + `+))+/?`

	step         = "(?:\\.{0,2}[^\\x00-\\x20\\x7f!\"&'()+,./:<=>\\[\\\\\\]`-])"
	brackets     = `\.{0,2}\[.+\]` + step + `*`
	pathRule     = `(?:` + step + `+(?:` + brackets + `)?|` + brackets + `)(?:\.\.)?|\.\.`
	selectorRule = `(?:header|cookie):` + tokenRule + `|` + pathRule

	anyCharacter    = `[^$]`
	lineCharacter   = `[^$\x00-\x08\x0a-\x1f\x7f]`
	headerCharacter = `[^$\x00-\x1f\x7f]`
	secretCharacter = `[^$\x00-\x1f\x7f-\x9f]`
)

// patternOf is what a rule of the decoder asks of a text; empty for the rules that ask nothing of its letters.
func patternOf(rule string) string {
	switch rule {
	case "header", "upgrade":
		return tokenRule
	case "method":
		return methodRule
	case "pattern":
		return patternRule
	case "prefix":
		return prefixRule
	}
	return ""
}

// word is text of that form. A number or true is text as good as any, whatever the form.
func word(form string) *jsonschema.Schema { return matching(form, "number", "boolean") }

// matching is a string of that form, or with a variable in it, or one of the other types.
func matching(form string, others ...string) *jsonschema.Schema {
	s := &jsonschema.Schema{Pattern: "^(?:" + form + ")$|" + tree.Variable}
	return setTypes(s, slices.Concat(others, []string{"string"})...)
}

// free is text of these characters, in which each ${ begins a variable, or is written $${.
func free(character string, types ...string) *jsonschema.Schema {
	s := &jsonschema.Schema{Pattern: `^(?:` + character + `|` + tree.Variable + `|\$\$+\{|\$+[^${])*\$*$`}
	return setTypes(s, types...)
}

// plain is text of any characters.
func plain(types ...string) *jsonschema.Schema { return free(anyCharacter, types...) }

// setTypes has s take values of these types, and returns it.
func setTypes(s *jsonschema.Schema, types ...string) *jsonschema.Schema {
	s.Type, s.Extras = "", map[string]any{"type": types}
	if len(types) == 1 {
		s.Type, s.Extras = types[0], nil
	}
	return s
}

// bare is an expression without its anchors.
func bare(rule *regexp.Regexp) string {
	return strings.TrimSuffix(strings.TrimPrefix(rule.String(), "^"), "$")
}

// anyCase matches each of the words in capitals and in small letters.
func anyCase(words []string) string {
	var all []string
	for _, word := range words {
		var out strings.Builder
		for _, r := range word {
			if unicode.IsLetter(r) {
				out.WriteString("[" + string(unicode.ToUpper(r)) + string(r) + "]")
			} else {
				out.WriteRune(r)
			}
		}
		all = append(all, out.String())
	}
	return strings.Join(all, "|")
}

// begins says whether the first of the rules in a tag is name.
func begins(rules, name string) bool {
	first, _, _ := strings.Cut(rules, ",")
	return first == name
}

func ptr(n uint64) *uint64 { return &n }
