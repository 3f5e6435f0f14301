package server

import (
	"encoding/json"
	"testing"

	"authproxy/cmd/authproxy/internal/config"
)

// words are what a configuration is made of: what templates and their neighbours
// can hold.
type words struct{ url, auth, header, value, name, param, path, env string }

// parse returns the configuration, or its faults.
func (o words) parse(t *testing.T) (*config.Config, error) {
	t.Helper()
	request := map[string]any{
		"url": o.url, "auth": o.auth,
		"headers": map[string]string{o.header: o.value, "X-Env": "{env}"},
		"query":   map[string]string{o.name: o.value, "a": "{client_id}{client_secret}{" + o.name + "}"},
		"json":    map[string]any{o.name: []string{o.value, "{env}"}},
	}
	token := map[string]any{
		"params": map[string]any{
			"p": map[string]string{"default": o.param}, "env": map[string]string{"default": "${ENV}"},
			o.name: map[string]string{"default": "{p}"},
		},
		"client_id": "i", "client_secret": "s",
		"request":  request,
		"revoke":   map[string]any{"method": "DELETE", "url": o.url, "form": map[string]string{o.name: o.value}},
		"response": map[string]any{"token": o.path, "expires_in": o.path, "ok": map[string]string{o.path: o.value}},
	}
	upstream := map[string]any{
		"name": "u", "token": "t", "url": "https://api.example.com", "path": "/${ENV}",
		"access": []any{map[string]any{"paths": []string{"/${ENV}", "/" + o.name}}},
	}
	text, err := json.Marshal(map[string]any{ // which is YAML as well
		"listen": "127.0.0.1:0", "admin": map[string]string{"listen": ""},
		"tokens": map[string]any{"t": token}, "upstreams": []any{upstream},
	})
	if err != nil {
		t.Fatal(err)
	}
	return config.Parse("words.yaml", text, t.TempDir(), func(string) (string, bool) { return o.env, true }, vocabulary())
}

// wired fails the test when what config has accepted cannot be wired: that
// fault would come without file and line, and without the others.
func wired(t *testing.T, cfg *config.Config) {
	t.Helper()
	if err := Check(cfg); err != nil {
		t.Errorf("config accepts this, and then: %v", err)
	}
}

// wordings are requests that can be sent, and such that cannot; each is plain
// but for one or two words.
func wordings() map[bool][]words {
	plain := words{"https://x.example.com/t", "none", "X-A", "v {p}", "n", "p", "a.b", "e"}
	with := func(change func(*words)) words {
		o := plain
		change(&o)
		return o
	}
	return map[bool][]words{
		true: {
			plain,
			with(func(o *words) { o.url, o.param = "{p}/t", "https://x.example.com/" }),
			with(func(o *words) { o.url, o.param = "https://x.example.com/{p}?q={p}", "a#b/c ?" }),
			with(func(o *words) { o.url, o.param = "https://{p}/t", "x.example.com:8443" }),
			with(func(o *words) { o.header = "authorization" }),
			with(func(o *words) { o.auth = "basic_raw" }),
		},
		false: {
			with(func(o *words) { o.header, o.auth = "authorization", "basic" }),
			with(func(o *words) { o.header, o.auth = "Authorization", "basic_raw" }),
			with(func(o *words) { o.header = "content-length" }),
			with(func(o *words) { o.header = "x a" }),
			with(func(o *words) { o.header = "x-env" }),
			with(func(o *words) { o.value = "a\tb" }),
			with(func(o *words) { o.param = "a\nb" }),
			with(func(o *words) { o.env = "\xff" }),
			with(func(o *words) { o.env = "a\nb" }),
			with(func(o *words) { o.name = "a}{b" }),
			with(func(o *words) { o.url += "#f" }),
			with(func(o *words) { o.url, o.param = "{p}/t", "https://x.example.com/#f" }),
			with(func(o *words) { o.url, o.param = "https://{p}/t", "a/b" }),
			with(func(o *words) { o.url = "ftp://x.example.com/t" }),
			with(func(o *words) { o.url = "{token}" }),
			with(func(o *words) { o.url = "https://u:p@x.example.com/t" }),
		},
	}
}

// TestWhatConfigAcceptsIsWired: requests that cannot be sent are faults of the
// configuration, and what is none is sent.
func TestWhatConfigAcceptsIsWired(t *testing.T) {
	for accepted, all := range wordings() {
		for _, o := range all {
			cfg, err := o.parse(t)
			if (err == nil) != accepted {
				t.Errorf("%q: %v", o, err)
			}
			if err == nil {
				wired(t, cfg)
			}
		}
	}
}

// FuzzWiring looks for more.
func FuzzWiring(f *testing.F) {
	for _, all := range wordings() {
		for _, o := range all {
			f.Add(o.url, o.auth, o.header, o.value, o.name, o.param, o.path, o.env)
		}
	}
	f.Fuzz(func(t *testing.T, url, auth, header, value, name, param, path, env string) {
		if cfg, err := (words{url, auth, header, value, name, param, path, env}).parse(t); err == nil {
			wired(t, cfg)
		}
	})
}
