package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestStore: what is accepted of store, what is a fault, and what is warned of; the
// password is never told.
func TestStore(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "url")
	if err := os.WriteFile(file, []byte("redis://:s3cr3t@redis:6379/0\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{ // the fault or the warning; "" for neither
		"store: {}": "", "store: { file: /var/lib/x/tokens }": "", `store: { file: "", redis: { url: "", key_prefix: "a:", tls: {} } }`: "",
		`store: { redis: { url: "redis://:s3cr3t@redis:6379/0" } }`:                           "",
		"store: { redis: { url_file: " + file + " }, timeout: 1s, required: true }":           "",
		`store: { redis: { url: "rediss://u:s3cr3t@h.example:6380", tls: { ca_file: "" } } }`: "",
		`store: { redis: { url: "unix:///run/redis.sock" } }`:                                 "",
		`store: { file: x, redis: { url: "redis://h:1" } }`:                                   "store.file: stands beside redis",
		`store: { redis: { key_prefix: "x:" } }`:                                              "store.redis.url: missing; write redis://host:6379",
		`store: { redis: { url: "http://:s3cr3t@h:1" } }`:                                     "store.redis.url: is not a URL of Redis",
		`store: { redis: { url: "s3cr3t" } }`:                                                 "store.redis.url: is not a URL of Redis",
		`store: { redis: { url: "redis://:s3cr3t@h.example.com:6379" } }`:                     "store.redis.url: redis without TLS beyond",
		`store: { redis: { url: "redis://h:1", tls: { server_name: x } } }`:                   "store.redis.tls: has no effect without TLS",
		"store: { required: true }":                                                           "store.required: has no effect",
		"store: { timeout: 0s }":                                                              "store.timeout: must be more than 0",
		`store: { redis: { urll: "redis://:s3cr3t@h:1" } }`:                                   "store.redis.urll: unknown key; did you mean url?",
		"store: { redis: { url: 'redis://h:1', url_file: " + file + " } }":                    "store.redis.url_file: stands beside url",
	} {
		cfg, err := testParse("test.yaml", withTop(text))
		got := ""
		switch {
		case err != nil:
			got = err.Error()
		default:
			got = strings.Join(cfg.Warnings, "\n")
		}
		if (want == "") != (got == "") || !strings.Contains(got, want) || strings.Contains(got, "s3cr3t") {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}

// TestPrefetchWhereANewTokenKills: by default only where it is shared.
func TestPrefetchWhereANewTokenKills(t *testing.T) {
	const token = "provider: gongjiangyun, client_id: a, client_secret: b"
	for text, want := range map[string]bool{
		"tokens: { t: { " + token + " } }\n":                                        false,
		"tokens: { t: { " + token + ", prefetch: true } }\n":                        true,
		"store: { file: x/y }\ntokens: { t: { " + token + " } }\n":                  true,
		"store: { file: x/y }\ntokens: { t: { " + token + ", prefetch: false } }\n": false,
	} {
		if got := good(t, text+"upstreams: [ { name: u, token: t } ]\n").Tokens[0].Prefetch; got != want {
			t.Errorf("%s: %t", text, got)
		}
	}
}
