package authproxytest

import (
	"os"
	"testing"

	"gopkg.in/yaml.v3"
)

// withTransport returns config with the transport that the environment variable
// AUTHPROXY_TEST_TRANSPORT names for the upstreams that name none: what holds with one
// has to hold with the other.
func withTransport(t testing.TB, config string) string {
	t.Helper()
	transport := os.Getenv("AUTHPROXY_TEST_TRANSPORT")
	if transport == "" {
		return config
	}
	var root map[string]any
	if err := yaml.Unmarshal([]byte(config), &root); err != nil {
		return config // the program is to say what is wrong
	}
	upstreams, _ := root["upstreams"].([]any)
	for _, u := range upstreams {
		if m, ok := u.(map[string]any); ok && m["transport"] == nil {
			m["transport"] = transport
		}
	}
	text, err := yaml.Marshal(root)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
