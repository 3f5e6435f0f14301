package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// withToken is a configuration whose token has these lines; two upstreams need none.
func withToken(lines ...string) string {
	return "tokens:\n  t:\n    " + strings.Join(lines, "\n    ") + "\nupstreams: [{ name: a, token: t, url: 'https://a.example' }]\n"
}

// TestUnlikely: what is accepted but probably not meant is told, with what to write, and what is meant is
// not.
func TestUnlikely(t *testing.T) {
	dir := t.TempDir()
	for name, content := range map[string]string{"file": "x", "quoted": `"s3cr3t"`, "invisible": "s3c\u200br3t", "good": "\ufeffs3cr3t\r\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const url, id, secret = "token_url: https://id.example/t", "client_id: me", "client_secret: s3cr3t"
	for name, c := range map[string]struct {
		lines []string
		want  string // the one warning; "" for none
	}{
		"nothing":                       {[]string{url, id, secret}, ""},
		"a variable without braces":     {[]string{url, "client_id: $NOPE", secret}, "client_id: looks like a value that was to be filled in, and is taken as it stands; write ${NAME}"},
		"a variable of a shell":         {[]string{url, id, "client_secret: $(cat /secret)"}, "client_secret: looks like a value that was to be filled in"},
		"a variable of Windows":         {[]string{url, id, "client_secret: '%SECRET%'"}, "looks like a value that was to be filled in"},
		"a chart that was not rendered": {[]string{url, id, "client_secret: '{{ .Values.secret }}'"}, "looks like a value that was to be filled in"},
		"an example":                    {[]string{url, "client_id: <your client id>", secret}, "looks like a value that was to be filled in, and is taken as it stands; write the value itself"},
		"crosses":                       {[]string{url, "client_id: xxxxxxxx", secret}, "looks like a value that was to be filled in"},
		"dollars in a password":         {[]string{url, id, "client_secret: a$B$c9"}, ""},
		"the path of a file":            {[]string{url, id, "client_secret: /run/secrets/x"}, "client_secret: looks like the path of a file, and is taken as the value itself; write client_secret_file: PATH, if it is one"},
		"a file beside it":              {[]string{url, id, "client_secret: " + filepath.Join(dir, "file")}, "looks like the path of a file"},
		"a slash in a secret":           {[]string{url, id, "client_secret: ab/cd+ef=="}, ""},
		"a comment right behind":        {[]string{url, id, "client_secret: abc #def"}, "client_secret: what stands behind # is a comment and no part of the value"},
		"a comment behind quotes":       {[]string{url, id, "client_secret: 'abc' # of the test tenant"}, ""},
		"a comment behind the id":       {[]string{url, "client_id: abc #def", secret}, "client_id: what stands behind #"},
		"quotes in quotes":              {[]string{url, id, `client_secret: '"s3cr3t"'`}, "client_secret: the value stands in quotes, which count"},
		"quotes of a word processor":    {[]string{url, id, `client_secret: “s3cr3t”`}, "the value stands in quotes"},
		"quotes in a file":              {[]string{url, id, "client_secret_file: " + filepath.Join(dir, "quoted")}, "client_secret_file: what the file holds stands in quotes"},
		"a blank of no width":           {[]string{url, id, "client_secret: \"s3c\\u200br3t\""}, "holds a character that cannot be seen"},
		"a blank that does not break":   {[]string{url, id, "client_secret: \"s3cr3t\\u00a0\""}, "holds a character that cannot be seen"},
		"the same in a file":            {[]string{url, id, "client_secret_file: " + filepath.Join(dir, "invisible")}, "what the file holds holds a character that cannot be seen"},
		"a blank at the end":            {[]string{url, id, "client_secret: 's3cr3t '"}, "begins or ends with a blank"},
		"blanks around it in a file":    {[]string{url, id, "client_secret_file: " + filepath.Join(dir, "good")}, ""},
		"a function":                    {[]string{url, id, secret, "request: { form: { s: '{md5(client_secret)}', i: '{client_id}' } }"}, "request.form.s: {md5(client_secret)} is no placeholder, and is sent as it stands"},
		"blanks in a placeholder":       {[]string{url, secret, id, "request: { form: { s: '{ client_secret }', i: '{client_id}' } }"}, "{ client_secret } is no placeholder"},
		"capitals in a placeholder":     {[]string{url, secret, id, "request: { headers: { X: '{clientId}' } }"}, "{clientId} is no placeholder"},
		"two braces":                    {[]string{url, secret, id, "request: { headers: { X: 'x {{Client_Id}}' } }"}, "{{Client_Id}} is no placeholder"},
		"JSON in a template":            {[]string{url, secret, id, "request: { headers: { X: '{\"a\":1}' } }"}, ""},
		"TLS 1.0":                       {[]string{url, id, secret, `tls: { min_version: "1.0" }`}, "tls.min_version: TLS 1.0 is broken"},
		"weak ciphers":                  {[]string{url, id, secret, `tls: { cipher_suites: [TLS_RSA_WITH_AES_128_CBC_SHA, TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256] }`}, "tls.cipher_suites: known to be weak: TLS_RSA_WITH_AES_128_CBC_SHA; "},
		"ciphers with TLS 1.3":          {[]string{url, id, secret, `tls: { min_version: "1.3", cipher_suites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256] }`}, "tls.cipher_suites: has no effect"},
	} {
		cfg, err := testParse("test.yaml", withToken(c.lines...))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got := strings.Join(cfg.Warnings, "\n")
		if (c.want == "") != (got == "") || !strings.Contains(got, c.want) || strings.Count(got, "\n") > 0 {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
		if strings.Contains(got, "s3cr3t") || strings.Contains(got, "abc") || strings.Contains(got, "NOPE") {
			t.Errorf("%s: the secret is told: %s", name, got)
		}
	}
}

// TestInlineSecretInTheOpen: a secret in a configuration that others can read is told once.
func TestInlineSecretInTheOpen(t *testing.T) {
	dir, err := os.MkdirTemp("/tmp", "authproxy") // every user can look into it
	if err != nil {
		t.Skip("there is no /tmp:", err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "authproxy.yaml")
	text := withToken("token_url: https://id.example/t", "client_id: me", "client_secret: s3cr3t")
	for mode, want := range map[os.FileMode]string{
		0o600: "", 0o640: "",
		0o644: "stands in a file that every user of this machine can read; run chmod 600 on " + file,
		0o666: "stands in a file that every user of this machine can write into",
	} {
		if err := os.WriteFile(file, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(file, mode); err != nil {
			t.Fatal(err)
		}
		cfg, err := Load(file, testWords())
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(cfg.Warnings, "\n"); (want == "") != (got == "") || !strings.Contains(got, want) {
			t.Errorf("%o: %q, want %q", mode, got, want)
		}
	}
}

// TestFaultsWithoutFollowers: one mistake is one fault.
func TestFaultsWithoutFollowers(t *testing.T) {
	for text, want := range map[string]string{
		withToken("provder: weda", "params: { env_id: e }", "client_id: a", "client_secret: b"):                                              "tokens.t.provder: unknown key; did you mean provider?",
		withToken("token_ulr: https://id.example/t", "client_id: a", "client_secret: b"):                                                     "tokens.t.token_ulr: unknown key; did you mean token_url?",
		withToken("token_url: https://id.example/t", "client_id: a", "client_secrt: b"):                                                      "client_secrt: unknown key; did you mean client_secret?",
		withToken("token_file: /run/token"):                                                                                                  "test.yaml:3: tokens.t.token_file: the file /run/token cannot be read (no such file or directory); check path and permissions",
		withToken("token_url: https://id.example/t", "client_id: a", "client_secret: b", "inject: {header: X-Token}"):                        "tokens.t.inject: unknown key; it belongs under upstreams[] or tokens.NAME.upstream",
		withToken("token_url: https://id.example/t", "client_id: a", "client_secret: b", "body_limit: 1MiB"):                                 "tokens.t.body_limit: unknown key; it belongs under upstreams[].retry",
		withToken("token_url: https://id.example/t", "client_id: a", "client_secret: b", "hosts: [a]"):                                       "tokens.t.hosts: unknown key; it belongs under upstreams[]",
		withToken("token_url: https://id.example/t", "client_id: a", "client_secret: b") + "access: all\n":                                   "access: unknown key; it belongs under log or upstreams[]",
		strings.Replace(withToken("token_url: https://id.example/t", "client_id: a", "client_secret: b"), "upstreams:", "upstream:", 1):      "upstream: unknown key; did you mean upstreams?",
		strings.Replace(withToken("token_url: https://id.example/t", "client_id: a", "client_secret: b"), "tokens:", "toknes:", 1):           "toknes: unknown key; did you mean tokens?",
		strings.Replace(withToken("token_url: https://id.example/t", "client_id: a", "client_secret: b"), "name: a", "nmae: a", 1):           "upstreams[0].nmae: unknown key; did you mean name?",
		withToken("request: { auth: basic_raw }", "token_url: https://id.example/t", "client_id: 'a:b'", "client_secret: b"):                 "tokens.t.client_id: holds a colon, and auth: basic_raw ends client_id at the first one",
		withToken("token_url: https://id.example/t", "client_id: a", "client_secret: b", "tls: { cipher_suites: [TLS_AES_128_GCM_SHA256] }"): "cipher_suites[0]: TLS_AES_128_GCM_SHA256 is one of TLS 1.3",
		withToken("token_url: https://id.example/t", "client_id: a", "client_secret: b", "tls: { cipher_suites: [AES128-SHA] }"):             "cipher_suites[0]: is no cipher suite that there is here",
	} {
		_, err := testParse("test.yaml", text)
		if err == nil {
			t.Errorf("%s\nhas no fault", text)
			continue
		}
		if got := err.Error(); !strings.Contains(got, want) || strings.Count(got, "\n") > 0 {
			t.Errorf("%s\ngot  %s\nwant %s", text, got, want)
		}
	}
}
