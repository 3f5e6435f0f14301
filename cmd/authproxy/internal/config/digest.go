package config

import (
	"crypto/sha256"
	"encoding"
	"encoding/hex"
	"fmt"
	"io"
	"net/url"
	"reflect"
	"slices"
	"strings"
)

// Equal says whether c and other mean the same: everything but their warnings. A secret in a file is
// known by the file's path, whatever the file holds.
func (c *Config) Equal(other *Config) bool {
	a, b := *c, *other
	a.Warnings, b.Warnings = nil, nil
	return digest(a) == digest(b)
}

// Digest identifies what makes a token: every key of its block, with the values of secrets that stand in
// the configuration and the paths of the others. Tokens with one digest are interchangeable. It is a
// plain SHA-256, in hexadecimal: a secret that is easily guessed could be found from it, so it is not to
// be shown.
func (t Token) Digest() string { return digest(t) }

func digest(v any) string {
	h := sha256.New()
	writeValue(h, reflect.ValueOf(v))
	return hex.EncodeToString(h.Sum(nil))
}

// writeValue writes v so that no two values are written alike: each text and each collection with its
// length, mappings in the order of their keys.
func writeValue(w io.Writer, v reflect.Value) {
	if text, ok := asText(v); ok {
		fmt.Fprintf(w, "%d:%s", len(text), text)
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			writeValue(w, v.Field(i))
		}
	case reflect.Slice:
		fmt.Fprintf(w, "[%d]", v.Len())
		for i := range v.Len() {
			writeValue(w, v.Index(i))
		}
	case reflect.Map:
		keys := v.MapKeys()
		slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
		fmt.Fprintf(w, "{%d}", len(keys))
		for _, key := range keys {
			writeValue(w, key)
			writeValue(w, v.MapIndex(key))
		}
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			fmt.Fprint(w, "nil")
			return
		}
		fmt.Fprintf(w, "<%s>", v.Elem().Type())
		writeValue(w, v.Elem())
	default:
		panic("config: no digest of a " + v.Type().String())
	}
}

// asText returns the text that a single value is known by.
func asText(v reflect.Value) (text string, ok bool) {
	switch s := v.Interface().(type) {
	case Secret:
		if s.file == "" && !s.IsZero() {
			return "value " + s.inline.Value(), true
		}
		return "file " + s.file + " " + s.member, true
	case *url.URL:
		if s != nil {
			return "url " + s.String(), true
		}
	case encoding.TextMarshaler:
		written, err := s.MarshalText()
		return string(written), err == nil
	}
	switch v.Kind() {
	case reflect.String:
		return v.String(), true
	case reflect.Bool, reflect.Int, reflect.Int64, reflect.Uint32:
		return fmt.Sprint(v.Interface()), true
	}
	return "", false
}
