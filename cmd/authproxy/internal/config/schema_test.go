package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"

	"authproxy/cmd/authproxy/internal/config/tree"
)

// schemaText is the schema as it is printed.
func schemaText(t *testing.T) []byte {
	t.Helper()
	data, err := os.ReadFile(example)
	if err != nil {
		t.Fatal(err)
	}
	text, err := makeSchema(data, testWords())
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// TestSchemaIsMade: what is printed is what the types and the example say now.
func TestSchemaIsMade(t *testing.T) {
	made := schemaText(t)
	if *update {
		if err := os.WriteFile("authproxy.schema.json", made, 0o644); err != nil {
			t.Fatal(err)
		}
	} else if !bytes.Equal(made, Schema()) {
		t.Error("authproxy.schema.json is not made from the types and config.example.yaml as they are: run this test with -update")
	}
}

// compiled is the schema as a validator has it, which has looked at the schema itself first.
func compiled(t *testing.T) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(schemaText(t)))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("authproxy.json", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("authproxy.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// plainValue is n as an editor has it: without the environment.
func plainValue(n *tree.Node) any {
	switch n.Kind {
	case tree.Mapping:
		out := map[string]any{}
		for _, e := range n.Entries {
			out[e.Name] = plainValue(e.Value)
		}
		return out
	case tree.List:
		out := []any{}
		for _, item := range n.Items {
			out = append(out, plainValue(item))
		}
		return out
	case tree.Null:
		return nil
	}
	if number := json.Number(n.Raw); (n.Tag == "!!int" || n.Tag == "!!float") && json.Valid([]byte(n.Raw)) {
		return number
	}
	if n.Tag == "!!bool" {
		return n.Raw == "true" || n.Raw == "True" || n.Raw == "TRUE"
	}
	return n.Raw
}

// complaints are the paths at which the schema finds fault with n, sorted.
func complaints(schema *jsonschema.Schema, n *tree.Node) []string {
	err, ok := errors.AsType[*jsonschema.ValidationError](schema.Validate(plainValue(n)))
	if !ok {
		return nil
	}
	found := map[string]bool{}
	leaves(err, n, found)
	return slices.Sorted(maps.Keys(found))
}

func leaves(err *jsonschema.ValidationError, root *tree.Node, found map[string]bool) {
	path := pathOf(err.InstanceLocation, root)
	switch what := err.ErrorKind.(type) {
	case *kind.AdditionalProperties:
		for _, name := range what.Properties {
			found[tree.Join(path, name)] = true
		}
	case *kind.Required:
		for _, name := range what.Missing {
			found[tree.Join(path, name)] = true
		}
	case *kind.PropertyNames:
		found["*."+tree.Join("", what.Property)] = true // the validator does not keep where
	default:
		if len(err.Causes) == 0 {
			found[path] = true
		}
		for _, cause := range err.Causes {
			leaves(cause, root, found)
		}
	}
}

// meets says whether a complaint stands at path: its place is path, or ends like it where it begins with a star.
func meets(complaint, path string) bool {
	end, anywhere := strings.CutPrefix(complaint, "*")
	return complaint == path || anywhere && strings.HasSuffix(path, end)
}

// pathOf is a place in the words of a fault.
func pathOf(location []string, n *tree.Node) string {
	path := ""
	for _, step := range location {
		i, err := strconv.Atoi(step)
		if n != nil && n.Kind == tree.List && err == nil && i < len(n.Items) {
			path, n = path+"["+step+"]", n.Items[i]
			continue
		}
		path, n = tree.Join(path, step), n.Get(step)
	}
	return path
}
