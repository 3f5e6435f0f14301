package config

import (
	"reflect"
	"slices"
	"strings"

	"authproxy/cmd/authproxy/internal/config/tree"
)

// shape is which keys a part of the configuration has. The zero shape has none of its own: single
// values, and mappings whose keys are the user's.
type shape struct {
	keys map[string]*shape // of a mapping; nil: none
	each *shape            // of each item of a list, or of each member of a mapping of names; nil: none
}

// wholeShape is that of a configuration.
func wholeShape() *shape {
	root := shapeOf(Config{})
	token := shapeOf(Token{}, oauthKeys{})
	token.keys["values"] = &shape{each: shapeOf(Value{})}
	token.keys["secrets"] = &shape{each: shapeOf(secretKeys{})}
	token.keys["upstream"] = shapeOf(inherited{})
	root.keys["tokens"] = &shape{each: token}
	root.keys["upstreams"] = &shape{each: shapeOf(Upstream{})}
	for _, place := range []*shape{token.keys["upstream"], root.keys["upstreams"].each} {
		place.keys["inject"] = shapeOf(injectKeys{})
	}
	return root
}

// shapeOf is that of a mapping that is read into these structs.
func shapeOf(structs ...any) *shape {
	s := &shape{keys: map[string]*shape{}}
	for _, one := range structs {
		for _, key := range fields(reflect.New(reflect.TypeOf(one)).Interface()) {
			s.keys[key] = &shape{}
		}
		t := reflect.TypeOf(one)
		for i := range t.NumField() {
			if key := t.Field(i).Tag.Get("yaml"); key != "" {
				s.member(key, t.Field(i).Type)
			}
		}
	}
	return s
}

// member adds the shape of a key whose value is read into a t.
func (s *shape) member(key string, t reflect.Type) {
	list := t.Kind() == reflect.Slice
	for t.Kind() == reflect.Slice || t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || !slices.Contains(fields(reflect.New(t).Interface()), firstKey(t)) {
		return
	}
	inner := shapeOf(reflect.Zero(t).Interface())
	if list {
		inner = &shape{each: inner}
	}
	s.keys[key] = inner
}

// firstKey is the first key of the struct t; " " when it has none.
func firstKey(t reflect.Type) string {
	for i := range t.NumField() {
		if key := t.Field(i).Tag.Get("yaml"); key != "" {
			return key
		}
	}
	return " "
}

// mend reads a misspelt key as the one that was probably meant, after its fault: what would follow from
// it need not be told.
func (p *parser) mend(n *tree.Node, s *shape) *tree.Node {
	out := *n
	out.Items, out.Entries = slices.Clone(n.Items), slices.Clone(n.Entries)
	if s.each != nil {
		for i, item := range n.Items {
			out.Items[i] = p.mend(item, s.each)
		}
	}
	for i, e := range n.Entries {
		inner := s.each
		if s.keys != nil {
			out.Entries[i].Name = p.meant(n, e, s)
			inner = s.keys[out.Entries[i].Name]
		}
		if inner != nil {
			out.Entries[i].Value = p.mend(e.Value, inner)
		}
	}
	return &out
}

// meant returns the key that the entry e of n stands for.
func (p *parser) meant(n *tree.Node, e tree.Entry, s *shape) string {
	if s.keys[e.Name] != nil || e.Bare || later(e.Value.Path) {
		return e.Name
	}
	var free []string
	for key := range s.keys {
		if n.Get(key) == nil {
			free = append(free, key)
		}
	}
	if tree.Nearest(e.Name, keysOfShape(s)) == "" { // what is near to a key that is there is a fault too
		return e.Name
	}
	near := tree.Nearest(e.Name, free)
	if near == "" {
		return e.Name
	}
	p.fault(&tree.Node{File: e.Value.File, Line: e.Line, Path: e.Value.Path}, "unknown key", "did you mean "+near+"?")
	return near
}

func keysOfShape(s *shape) []string {
	var keys []string
	for key := range s.keys {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// belongs returns where in a configuration there is a key of that name, such as upstreams[].retry; "" for
// the top.
func belongs(key string) []string {
	var places []string
	var visit func(s *shape, path string, depth int)
	visit = func(s *shape, path string, depth int) {
		if s.keys[key] != nil {
			places = append(places, strings.TrimPrefix(path, "."))
		}
		for _, name := range keysOfShape(s) {
			inner := s.keys[name]
			if inner.each != nil && name == "tokens" {
				visit(inner.each, path+".tokens.NAME", depth+1)
			} else if inner.each != nil {
				visit(inner.each, path+"."+name+"[]", depth+1)
			}
			visit(inner, path+"."+name, depth+1)
		}
	}
	visit(wholeShape(), "", 0)
	return places
}

// elsewhereFix says where an unknown key belongs, if it is one that there is, or which ones there are.
func elsewhereFix(key string, known []string) string {
	if tree.Nearest(key, known) != "" {
		return tree.Suggest(key, "keys", known)
	}
	places := belongs(key)
	slices.SortStableFunc(places, func(a, b string) int { return strings.Count(a, ".") - strings.Count(b, ".") })
	for i, place := range places {
		if place == "" {
			places[i] = "the top of the file"
		}
	}
	switch {
	case len(places) == 0:
		return tree.Suggest(key, "keys", known)
	case len(places) > 3:
		places = places[:3]
	}
	return "it belongs under " + strings.Join(places, " or ")
}
