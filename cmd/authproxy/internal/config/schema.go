package config

import _ "embed" // for the schema

//go:embed authproxy.schema.json
var schema []byte

// Schema returns the JSON Schema (draft 2020-12) of a configuration. What it refuses, Parse refuses too; not
// the reverse, since it does not look at files, names, addresses, and what one key means for another far away.
// It is made from the types of this package, and from what config.example.yaml says of each key: by
// `go test ./cmd/authproxy/internal/config -update`.
func Schema() []byte { return schema }
