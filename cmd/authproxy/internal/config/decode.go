package config

import (
	"io/fs"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"time"

	"authproxy/cmd/authproxy/internal/config/tree"
	"authproxy/internal/jsonpath"
)

// The decoder reads mappings into structs. What a field may hold stands in its tags:
//
//	yaml:"a"       the key
//	default:"10s"  what holds when the key is missing; lists are written with commas
//	rule:"x,y"     checks of the value, or of each value of a list or mapping; see rules
//	oneof:"a|b"    the values there are; {auth}, {alg}, {hash}, {encoding} for those of the vocabulary
//	fix:"..."      what to write instead of a value that is missing or wrong
//	keys:"header"  the keys of a mapping are header names

// A selfRead is a type of field that knows how it is read.
type selfRead interface {
	read(p *parser, n *tree.Node)
}

// A readElsewhere is a type of field that fill leaves alone, because it takes more than its own node;
// the field says who fills it. keys are those that belong to it, of which own is the one in its tag.
type readElsewhere interface {
	keys(own string) []string
}

// elsewhere is a readElsewhere without a value: who reads it looks at the node.
type elsewhere struct{}

func (elsewhere) keys(own string) []string { return []string{own} }

// fill reads the mapping n into the structs that outs points to; together they hold all keys there are.
func (p *parser) fill(n *tree.Node, outs ...any) {
	if !p.faults.IsMapping(n) {
		n = &tree.Node{Kind: tree.Mapping, File: n.File, Line: n.Line, Path: n.Path, Bad: true}
	}
	var known []string
	for _, out := range outs {
		known = append(known, fields(out)...)
		v := reflect.ValueOf(out).Elem()
		for i := range v.NumField() {
			f := v.Type().Field(i)
			key := f.Tag.Get("yaml")
			if _, other := v.Field(i).Interface().(readElsewhere); key != "" && !other {
				p.field(n, key, f.Tag, v.Field(i))
			}
		}
	}
	p.unknown(n, known)
}

// fields returns the keys of the struct that out points to.
func fields(out any) []string {
	var keys []string
	t := reflect.TypeOf(out).Elem()
	for i := range t.NumField() {
		key := t.Field(i).Tag.Get("yaml")
		switch other, ok := reflect.Zero(t.Field(i).Type).Interface().(readElsewhere); {
		case key == "":
		case ok:
			keys = append(keys, other.keys(key)...)
		default:
			keys = append(keys, key)
		}
	}
	return keys
}

func (p *parser) field(n *tree.Node, key string, tag reflect.StructTag, v reflect.Value) {
	def, hasDefault := tag.Lookup("default")
	child := n.Get(key)
	switch {
	case child != nil:
		p.value(child, tag, v)
	case hasDefault && v.Kind() == reflect.Slice:
		at := n.Missing(key, tree.List)
		for _, item := range strings.Split(def, ",") {
			at.Items = append(at.Items, at.Literal(item))
		}
		p.value(at, tag, v)
	case hasDefault:
		p.value(n.Missing(key, tree.Scalar).Literal(def), tag, v)
	case strings.Contains(tag.Get("rule"), "required"):
		p.fault(n.Missing(key, tree.Scalar), missing, tag.Get("fix"))
	case v.Kind() == reflect.Struct:
		p.value(n.Missing(key, tree.Mapping), tag, v)
	}
}

func (p *parser) unknown(n *tree.Node, known []string) {
	for _, e := range n.Entries {
		at := &tree.Node{File: e.Value.File, Line: e.Line, Path: e.Value.Path}
		switch {
		case contains(known, e.Name):
		case later(e.Value.Path):
			p.fault(at, "not available in this version", "remove it")
		case e.Bare:
			at.Path = n.Path
			p.fault(at, "a word without a value between { and }", "quote a value that holds a comma, a colon or a brace")
		default:
			p.fault(at, "unknown key", elsewhereFix(e.Name, known))
		}
	}
}

// later says whether the key at path is one that this version does not know yet.
func later(path string) bool {
	parts := strings.Split(path, ".")
	if len(parts) == 3 && parts[0] == "tokens" {
		return contains([]string{"connect_to"}, parts[2])
	}
	return contains([]string{"intercept"}, path)
}

// hasLater says whether n has a key that this version does not know yet: what it stands for is not known
// then.
func hasLater(n *tree.Node) bool {
	return slices.ContainsFunc(n.Entries, func(e tree.Entry) bool { return later(e.Value.Path) })
}

// value reads n into v, by the type of v.
func (p *parser) value(n *tree.Node, tag reflect.StructTag, v reflect.Value) {
	switch out := v.Addr().Interface().(type) {
	case *time.Duration:
		p.duration(n, tag, out)
	case *int64:
		p.size(n, tag, out)
	case *fs.FileMode:
		*out = p.fileMode(n)
	case **url.URL:
		*out = p.proxyURL(n)
	case *jsonpath.Path:
		*out = p.jsonPath(n)
	case selfRead:
		out.read(p, n)
	default:
		p.kind(n, tag, v)
	}
}

func (p *parser) kind(n *tree.Node, tag reflect.StructTag, v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		p.text(n, tag, v)
	case reflect.Bool:
		v.SetBool(p.boolean(n))
	case reflect.Int:
		p.integer(n, tag, v)
	case reflect.Slice:
		p.list(n, tag, v)
	case reflect.Map:
		p.mapping(n, tag, v)
	case reflect.Struct:
		p.fill(n, v.Addr().Interface())
	case reflect.Pointer:
		p.pointer(n, v)
	case reflect.Interface:
		if value := jsonOf(n, &p.faults); value != nil {
			v.Set(reflect.ValueOf(value))
		}
	default:
		panic("config: no way to read a " + v.Type().String())
	}
}

// pointer leaves v nil when n is an empty mapping.
func (p *parser) pointer(n *tree.Node, v reflect.Value) {
	if !p.faults.IsMapping(n) || n.Empty() {
		return
	}
	v.Set(reflect.New(v.Type().Elem()))
	p.fill(n, v.Interface())
}

// list reads the list n into v; a single value stands for a list of it.
func (p *parser) list(n *tree.Node, tag reflect.StructTag, v reflect.Value) {
	const fix = "write each item behind a dash, or put them into [ ]"
	items := n.Items
	switch elem := v.Type().Elem(); {
	case elem.Kind() != reflect.Struct:
		items = p.faults.Items(n, fix)
	case !p.faults.IsList(n, fix):
		return
	}
	for _, item := range items {
		element := reflect.New(v.Type().Elem()).Elem()
		p.value(item, tag, element)
		v.Set(reflect.Append(v, element))
	}
}

func (p *parser) mapping(n *tree.Node, tag reflect.StructTag, v reflect.Value) {
	if !p.faults.IsMapping(n) {
		return
	}
	if tag.Get("keys") == "header" {
		p.headerNames(n)
	}
	v.Set(reflect.MakeMap(v.Type()))
	for _, e := range n.Entries {
		element := reflect.New(v.Type().Elem()).Elem()
		p.value(e.Value, tag, element)
		v.SetMapIndex(reflect.ValueOf(e.Name), element)
	}
}
