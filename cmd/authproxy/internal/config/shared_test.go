package config

import (
	"strings"
	"testing"
)

// TestTwoTokensWithOneCredential are warned of where they kill each other.
func TestTwoTokensWithOneCredential(t *testing.T) {
	const base = "{ provider: oauth2, token_url: https://id.example/token, client_id: one, client_secret: s, old_token: dies"
	for name, c := range map[string]struct {
		second string
		told   bool
	}{
		"the same":          {base + " }", true},
		"other scopes":      {base + ", scopes: [a] }", true},
		"another client":    {strings.Replace(base, "one", "two", 1) + " }", false},
		"another platform":  {strings.Replace(base, "id.example", "id2.example", 1) + " }", false},
		"the old one lives": {strings.Replace(base, "dies", "lives", 1) + " }", false},
	} {
		cfg, err := testParse("f.yaml", "tokens:\n  a: "+base+" }\n  b: "+c.second+"\nupstreams:\n"+
			"  - { name: x, token: a, url: https://x.example, path: /x/ }\n  - { name: y, token: b, url: https://x.example, path: /y/ }\n")
		if err != nil {
			t.Fatal(err)
		}
		warnings := strings.Join(cfg.Warnings, "\n")
		if strings.Contains(warnings, `tokens.b: has the same credential as the token "a"`) != c.told {
			t.Errorf("%s: %q", name, warnings)
		}
	}
}
