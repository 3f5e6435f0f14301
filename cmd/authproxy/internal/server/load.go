package server

import (
	"os"

	"authproxy/cmd/authproxy/internal/config"
	"authproxy/tokencache/endpoint"
)

// Load reads the configuration in a file; see [config.Load].
func Load(file string) (*config.Config, error) { return config.Load(file, vocabulary()) }

// Parse reads a configuration that is called name and whose relative paths start
// at dir, with the environment of the process; see [config.Parse].
func Parse(name string, data []byte, dir string) (*config.Config, error) {
	return config.Parse(name, data, dir, os.LookupEnv, vocabulary())
}

// ParseSaid reads a configuration that stands in no file; see [config.ParseSaid].
func ParseSaid(data []byte, dir string, say func(config.Fault) config.Fault) (*config.Config, error) {
	return config.ParseSaid(data, dir, os.LookupEnv, vocabulary(), say)
}

// vocabulary returns the words of the token endpoint, which the configuration
// does not know.
func vocabulary() config.Vocabulary {
	words := config.Vocabulary{Reserved: endpoint.Reserved(), Hashes: endpoint.Hashes(), Encodings: endpoint.Encodings(), Units: endpoint.Units()}
	for _, m := range endpoint.AuthMethods() {
		words.Auth = append(words.Auth, config.AuthMethod{Name: m.Name, Needs: m.Needs, Header: m.Header})
	}
	return words
}

// NewDraft returns a configuration to begin with; see [config.NewDraft].
func NewDraft(preset string, inFiles bool) (config.Draft, error) {
	return config.NewDraft(preset, inFiles, vocabulary())
}
