package config

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

const callersToken = `
  t: { token_url: "https://x/t", client_id: i, client_secret: s }
`

// withTop is a configuration with these lines at its top.
func withTop(lines string) string {
	return lines + "\ntokens:" + callersToken + "upstreams:\n  - { name: u, token: t, url: \"https://x\" }\n"
}

func TestAccessRules(t *testing.T) {
	cfg := good(t, withTop("")+`    
  - name: v
    token: t
    url: https://y
    path: /v/
    access:
      - { methods: [GET, HEAD], paths: ["/v/**", "/工/*/a b/"], hosts: [App.local., "[0:0:0:0:0:0:0:1]"] }
      - { methods: [PURGE] }
`)
	if cfg.Upstreams[0].Access != nil {
		t.Errorf("rules that nobody gave: %+v", cfg.Upstreams[0].Access)
	}
	want := []Access{
		{Methods: []string{"GET", "HEAD"}, Paths: []string{"/v/**", "/工/*/a b/"}, Hosts: []string{"app.local", "::1"}},
		{Methods: []string{"PURGE"}},
	}
	if got := cfg.Upstreams[1].Access; !reflect.DeepEqual(got, want) {
		t.Errorf("%+v", got)
	}
}

func TestPatterns(t *testing.T) {
	for pattern, want := range map[string]bool{
		"/": true, "/a": true, "/a/": true, "/**": true, "/a/*/b/**": true, "/*": true, "/Users('1')": true, "/a.b/..c": true, "/100%": true,
		"": false, "a": false, "/a//b": false, "/**/a": false, "/a*": false, "/***": false, "/..": false, "/a/./b": false, "/...": false,
		"/a?b": false, "/a#b": false, "/a;b": false, `/a\b`: false, "/%2f": false, "/a\x01": false, "/\xff": false, "https://x/a": false,
	} {
		if isPattern(pattern) != want {
			t.Errorf("%q: %v", pattern, !want)
		}
	}
}

func TestSocketMode(t *testing.T) {
	for written, want := range map[string]string{"": "-rw-rw----", `"0660"`: "-rw-rw----", "0600": "-rw-------", "770": "-rwxrwx---", `"0666"`: "-rw-rw-rw-"} {
		line := "socket_mode: " + written
		if written == "" {
			line = ""
		}
		cfg := good(t, withTop(line))
		if got := cfg.SocketMode.String(); got != want {
			t.Errorf("%s: %s", written, got)
		}
		if len(cfg.Warnings) > 0 {
			t.Errorf("%s: without a socket: %q", written, cfg.Warnings)
		}
	}
}

func TestWarningsAboutCallers(t *testing.T) {
	dir := t.TempDir()
	for name, content := range map[string]string{"short": "guess-me", "caller": "caller-token-of-the-tests"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for lines, want := range map[string]string{
		"listen: unix:/run/a.sock":                                                     "",
		"listen: unix:/run/a.sock\nsocket_mode: '0666'":                                "every user",
		"listen: unix:/run/a.sock\nsocket_mode: '0666'\nallowed_uids: [1000]":          "",
		"listen: unix:/run/a.sock\nallowed_uids: [65534]":                              "another user namespace",
		"caller_token_file: DIR/short":                                                 "guess",
		"caller_token_file: DIR/caller":                                                "",
		"caller_token_file: DIR/caller\nallowed_origins: ['http://localhost:3000']":    "preflight",
		"listen: unix:/run/a.sock\nsocket_mode: '0666'\ncaller_token_file: DIR/caller": "",
		"listen: 0.0.0.0:80\nallow_non_loopback: true":                                 "test.yaml:2: allow_non_loopback: everybody who reaches 0.0.0.0:80 uses the token",
		"listen: 'elsewhere.example:80'\nallow_non_loopback: true":                     "everybody who reaches elsewhere.example:80",
		"listen: 127.0.0.1:80\nallow_non_loopback: true":                               "",
		"listen: localhost:80\nallow_non_loopback: true":                               "",
		"listen: unix:/run/a.sock\nallow_non_loopback: true":                           "",
		"admin: { listen: ':9090', allow_non_loopback: true }":                         "",
		"listen: ':80'\nallow_non_loopback: true\ncaller_token_file: DIR/caller":       "",
		"listen: ':80'\nallow_non_loopback: true\ncaller_token_file: ''":               "everybody who reaches :80",
	} {
		cfg := good(t, withTop(strings.ReplaceAll(lines, "DIR", dir)))
		if got := strings.Join(cfg.Warnings, "\n"); (want == "") != (got == "") || !strings.Contains(got, want) {
			t.Errorf("%s: %q", lines, got)
		}
	}
}

// TestCallersOfSockets: allowed_uids holds for every listener for applications
// or is refused.
func TestCallersOfSockets(t *testing.T) {
	cfg := good(t, withTop("listen: unix:a.sock\nallowed_uids: [0, 1000, 4294967294]"))
	if fmt.Sprint(cfg.AllowedUIDs) != "[0 1000 4294967294]" {
		t.Errorf("%v", cfg.AllowedUIDs)
	}
	own := strings.Replace(withTop("allowed_uids: [1]"), `url: "https://x" }`, `url: "https://x", listen: "unix:/run/a.sock" }`, 1)
	good(t, own) // nobody listens on the common address
	_, err := testParse("f.yaml", own+"  - { name: v, token: t, url: \"https://y\" }\n")
	if err == nil || err.Error() != "f.yaml:1: allowed_uids: cannot be checked on 127.0.0.1:8080, where upstreams[1] is served; listen on unix sockets only, or use caller_token_file" {
		t.Errorf("%v", err)
	}
}

func TestCallerToken(t *testing.T) {
	if cfg := good(t, withTop(`caller_token_file: ""`)); !cfg.CallerToken.IsZero() {
		t.Error("an empty name is a file")
	}
	cfg := good(t, withTop("caller_token_file: ../secrets/caller"))
	if value, err := cfg.CallerToken.Read(); value != "caller-token-of-the-tests" || err != nil {
		t.Errorf("%q %v", value, err)
	}
	file := filepath.Join(t.TempDir(), "token")
	for content, want := range map[string]string{"two words": "no header", "kürzel-mit-umlaut": "no header", "": "is empty", "A_B=c": "NAME=value"} {
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := testParse("f.yaml", withTop("caller_token_file: "+file))
		if err == nil || !strings.Contains(err.Error(), want) || content != "" && strings.Contains(err.Error(), content) {
			t.Errorf("%q: %v", content, err)
		}
	}
}

// TestExposedListenersAreOneWarning: those that no upstream uses are not opened, and two are one line.
func TestExposedListenersAreOneWarning(t *testing.T) {
	const top = "listen: 0.0.0.0:80\nallow_non_loopback: true"
	own := strings.Replace(withTop(top), `url: "https://x" }`, `url: "https://x", listen: "127.0.0.1:81" }`, 1)
	if cfg := good(t, own); len(cfg.Warnings) > 0 {
		t.Errorf("a listener that is not opened: %q", cfg.Warnings)
	}
	two := withTop(top) + "  - { name: v, token: t, url: \"https://y\", listen: \"[::]:81\" }\n"
	if cfg := good(t, two); len(cfg.Warnings) != 1 {
		t.Errorf("%q", cfg.Warnings)
	}
}
