package config

import (
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"authproxy/internal/jsonpath"
)

// wholeConfig returns a configuration in which every key has a value.
func wholeConfig(t *testing.T) *Config {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "secret")
	if err := os.WriteFile(file, []byte("a-long-secret-of-callers"), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg := good(t, withTop("caller_token_file: "+file))
	fillValue(reflect.ValueOf(cfg).Elem())
	return cfg
}

// fillValue gives a value to everything below v that has none.
func fillValue(v reflect.Value) {
	switch v.Interface().(type) {
	case Secret:
		v.Set(reflect.ValueOf(inlineSecret("x")))
		return
	case jsonpath.Path:
		v.Set(reflect.ValueOf(jsonpath.MustParse("a.b")))
		return
	case *url.URL:
		v.Set(reflect.ValueOf(&url.URL{Scheme: "http", Host: "a.example", User: url.UserPassword("u", "p")}))
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fillValue(v.Field(i))
		}
	case reflect.Slice:
		if v.Len() == 0 {
			v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		}
		for i := range v.Len() {
			fillValue(v.Index(i))
		}
	case reflect.Map:
		value := reflect.New(v.Type().Elem()).Elem()
		fillValue(value)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(reflect.ValueOf("key"), value)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fillValue(v.Elem())
	case reflect.Interface:
		v.Set(reflect.ValueOf(map[string]any{"a": []any{"b", json.Number("1"), true}}))
	case reflect.String:
		v.SetString("x")
	}
}

// changes calls try once for each single value below v, after having changed it.
func changes(v reflect.Value, path string, try func(path string)) {
	change := func(to any) {
		before := reflect.New(v.Type()).Elem()
		before.Set(v)
		v.Set(reflect.ValueOf(to).Convert(v.Type()))
		try(path)
		v.Set(before)
	}
	switch value := v.Interface().(type) {
	case Secret:
		change(inlineSecret("y"))
		change(Secret{file: "x"})
		return
	case jsonpath.Path:
		change(jsonpath.MustParse("a.c"))
		return
	case *url.URL:
		other := *value
		other.User = url.UserPassword("u", "q")
		change(&other)
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			changes(v.Field(i), path+"."+v.Type().Field(i).Name, try)
		}
	case reflect.Slice:
		change(reflect.Zero(v.Type()).Interface())
		change(reflect.Append(v, v.Index(0)).Interface())
		changes(v.Index(0), path+"[0]", try)
	case reflect.Map:
		change(reflect.Zero(v.Type()).Interface())
		element := reflect.New(v.Type().Elem()).Elem()
		element.Set(v.MapIndex(reflect.ValueOf("key")))
		changes(element, path+"[key]", func(path string) {
			before := v.MapIndex(reflect.ValueOf("key"))
			v.SetMapIndex(reflect.ValueOf("key"), element)
			try(path)
			v.SetMapIndex(reflect.ValueOf("key"), before)
		})
	case reflect.Pointer:
		changes(v.Elem(), path, try)
		change(reflect.Zero(v.Type()).Interface())
	case reflect.Interface:
		change(map[string]any{"a": []any{"b", json.Number("1"), "true"}, "c": nil})
	case reflect.String:
		change("y")
	case reflect.Bool:
		change(!v.Bool())
	case reflect.Int, reflect.Int64:
		change(v.Int() + 1)
	case reflect.Uint32:
		change(v.Uint() + 1)
	default:
		panic("no change of a " + v.Type().String())
	}
}

// TestEveryChangeCounts: what differs in any key is another configuration, and
// another token where it is a key of one.
func TestEveryChangeCounts(t *testing.T) {
	one, two := wholeConfig(t), wholeConfig(t)
	if !one.Equal(two) || one.Tokens[0].Digest() != two.Tokens[0].Digest() {
		t.Fatal("two that are alike are not equal")
	}
	seen, tried := map[string]string{}, 0
	changes(reflect.ValueOf(two).Elem(), "", func(path string) {
		tried++
		if one.Equal(two) != (path == ".Warnings" || path == ".Warnings[0]") {
			t.Errorf("%s is changed; equal: %t", path, one.Equal(two))
		}
	})
	changes(reflect.ValueOf(&two.Tokens[0]).Elem(), "token", func(path string) {
		tried++
		sum := two.Tokens[0].Digest()
		if sum == one.Tokens[0].Digest() || seen[sum] != "" && seen[sum] != path {
			t.Errorf("%s is changed, and the digest is that of %q", path, seen[sum])
		}
		seen[sum] = path
	})
	if tried < 100 || !one.Equal(two) {
		t.Errorf("%d changes were tried", tried)
	}
}

// TestReadingsOfOneTextAreEqual, and a warning more or less makes no difference.
func TestReadingsOfOneTextAreEqual(t *testing.T) {
	files, _ := filepath.Glob("testdata/good/*.yaml")
	for _, file := range append(files, example) {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		one, err := testParse(file, string(data))
		if err != nil {
			continue // it needs its own folder
		}
		two, _ := testParse(file, string(data))
		two.Warnings = append(two.Warnings, "another one")
		if !one.Equal(two) {
			t.Errorf("%s: two readings differ", file)
		}
		for i := range one.Tokens {
			if a, b := one.Tokens[i].Digest(), two.Tokens[i].Digest(); a != b {
				t.Errorf("%s: %s and %s", file, a, b)
			}
		}
	}
	if s, other := inlineSecret("x"), inlineSecret("x"); s != other || s == inlineSecret("y") || fmt.Sprint(s) != hidden {
		t.Error("secrets do not compare")
	}
}
