package config

import (
	"strings"
	"testing"
)

// TestPermissionOfAPreset: what a preset allows for its own address is not allowed for another one, until
// the file says so for the token and for the upstream. The faults are in testdata/bad/plain.yaml.
func TestPermissionOfAPreset(t *testing.T) {
	const base = `params: { base_url: "http://platform.example.com" }`
	tests := []struct {
		name, token, upstream string
		warnings              int
	}{
		{"its own address", "", "", 2},
		{"the file allows it", base + ", allow_plain_http: true", "allow_plain_http: true", 2},
		{"the file allows it, in the token", base + ", allow_plain_http: true, upstream: { allow_plain_http: true }", "", 2},
		{"only the token goes there", base + ", allow_plain_http: true", "url: 'https://platform.example.com'", 1},
		{"near", `params: { base_url: "http://10.1.2.3" }`, "", 0},
		{"https", `params: { base_url: "https://platform.example.com" }`, "", 0},
		{"through a proxy far away", `proxy_url: "http://proxy.example.com:3128"`, "proxy_url: 'http://proxy.example.com:3128'", 2},
	}
	for _, tt := range tests {
		cfg, err := testParse("test.yaml", "tokens: { a: { provider: gongjiangyun, client_id: i, client_secret: s, "+tt.token+
			" } }\nupstreams: [{ name: a, token: a, "+tt.upstream+" }]\n")
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if got := strings.Join(cfg.Warnings, "\n"); len(cfg.Warnings) != tt.warnings || strings.Count(got, "plain http") != tt.warnings {
			t.Errorf("%s: %s", tt.name, got)
		}
	}
}

func TestRevokeOnExit(t *testing.T) {
	for _, token := range []string{
		"provider: hengshi, params: { base_url: 'https://h' }, client_id: i, client_secret: s",
		"provider: cloudbase-user, params: { base_url: 'https://h' }, username: u, password: p",
		"token_url: 'https://x/t', client_id: i, client_secret: s, revoke: { url: 'https://x/r', form: { token: '{token}' } }, upstream: { url: 'https://x' }",
	} {
		cfg := good(t, "tokens: { a: { revoke_on_exit: true, "+token+" } }"+upstreamA)
		if tok := cfg.Tokens[0]; !tok.RevokeOnExit || tok.Revoke == nil {
			t.Errorf("%s: %+v", token, tok)
		}
	}
}
