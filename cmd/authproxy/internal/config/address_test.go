package config

import (
	"errors"
	"testing"
)

// TestAdminListen: the one key is read as strictly as by Parse, and nothing else of the file matters.
func TestAdminListen(t *testing.T) {
	const address = "is not an address to listen on; write host:port, such as 127.0.0.1:8080, unix:/run/authproxy.sock or systemd:NAME"
	tests := []struct{ text, want, fault string }{
		{"log: {}", "127.0.0.1:9090", ""},
		{"admin:", "127.0.0.1:9090", ""},
		{"admin: {}", "127.0.0.1:9090", ""},
		{"admin: { listen: 127.0.0.1:09191 }", "127.0.0.1:9191", ""},
		{`admin: { listen: "${EMPTY:-[::1]:1}" }`, "[::1]:1", ""},
		{"admin: { listen: unix:a.sock }", "unix:/etc/authproxy/a.sock", ""},
		{`admin: { listen: "" }`, "", ""},
		{"admin: { listen: }", "", ""},
		{"admin: { listen: ':9090', colour: red }\nallow_non_loopback: perhaps", ":9090", ""},
		{"base: &b { listen: 127.0.0.1:1 }\nadmin: { <<: *b }", "127.0.0.1:1", ""},
		{"tokens: { t: { client_secret_file: none, client_id: '${NONE}' } }\nupstreams: 5\nlisten: x\nlisten: y", "127.0.0.1:9090", ""},

		{"admin: { listen: x }", "", "f.yaml:1: admin.listen: " + address},
		{"log: {}\nadmin: { listen: [] }", "", "f.yaml:2: admin.listen: must be a single value, not a list; write host:port, such as 127.0.0.1:8080, unix:/run/authproxy.sock or systemd:NAME"},
		{"admin: { listen: '${NONE}:1' }", "", "f.yaml:1: admin.listen: environment variable NONE is not set; set it, or write ${NONE:-default}"},
		{"admin: 9090", "", "f.yaml:1: admin: must be a mapping, not a single value; write its keys below it, each with its value"},
		{"admin: { listen: 127.0.0.1:1,\n listen: 127.0.0.1:2 }", "", "f.yaml:2: admin.listen: duplicate key; the first one is on line 1"},
		{"- a", "", "f.yaml:1: must be a mapping, not a list; write its keys below it, each with its value"},
		{"log: {}\nadmin: [", "", "f.yaml:2: not valid YAML: did not find expected node content; check indentation, colons and quotes there and in the line before"},
		{"", "", "f.yaml:1: the file is empty; config.example.yaml shows every key"},
	}
	for _, tt := range tests {
		got, err := adminListen("f.yaml", []byte(tt.text), "/etc/authproxy", testEnv)
		if _, ok := errors.AsType[Faults](err); string(got) != tt.want || (err != nil) != (tt.fault != "") || err != nil && (!ok || err.Error() != tt.fault) {
			t.Errorf("%s\n%q, %v\nwant %q, %s", tt.text, got, err, tt.want, tt.fault)
		}
	}
}

func TestOrigins(t *testing.T) {
	for in, want := range map[string]string{
		"http://localhost:3000":         "http://localhost:3000",
		"http://app.example.com:80":     "http://app.example.com",
		"https://app.example.com:443":   "https://app.example.com",
		"http://app.example.com:443":    "http://app.example.com:443",
		"https://app.example.com:80":    "https://app.example.com:80",
		"HTTPS://App.Example.COM:0443":  "https://app.example.com",
		"http://app.example.com:":       "http://app.example.com",
		"http://[0:0:0:0:0:0:0:1]:080":  "http://[::1]",
		"http://127.0.0.1:8000":         "http://127.0.0.1:8000",
		"chrome-extension://abcdef":     "chrome-extension://abcdef",
		"https://xn--gre-6ka8i.example": "https://xn--gre-6ka8i.example",
	} {
		cfg := good(t, withTop("allowed_origins: ['"+in+"']"))
		if got := cfg.AllowedOrigins; len(got) != 1 || got[0] != want {
			t.Errorf("%s: %q, want %q", in, got, want)
		}
	}
	for _, in := range []string{"http://a/", "http://a?", "http://a#", "a.example", "//a", "http://", "http://u@a", "http://a:65536", "http://a:x", "http://a b", "null", "*", "http://*.a"} {
		if page, ok := origin(in); ok {
			t.Errorf("%s: %q", in, page)
		}
	}
}
