package config

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"authproxy/cmd/authproxy/internal/config/tree"
	"authproxy/tokencache/endpoint"
)

var update = flag.Bool("update", false, "write the .want files anew")

func testEnv(name string) (string, bool) {
	v, ok := map[string]string{"CLIENT_ID": "id-from-env", "CLIENT_SECRET": "marker-7f3a", "EMPTY": ""}[name]
	return v, ok
}

// testResolve knows localhost, as one address of each kind, and one host elsewhere.
func testResolve(host string) ([]netip.Addr, error) {
	switch host {
	case "localhost":
		return []netip.Addr{netip.MustParseAddr("::1"), netip.MustParseAddr("127.0.0.1")}, nil
	case "elsewhere.example":
		return []netip.Addr{netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("192.0.2.1")}, nil
	}
	return nil, errors.New("no such host")
}

// testWords are the words of the token endpoint.
func testWords() Vocabulary {
	words := Vocabulary{Reserved: endpoint.Reserved(), Hashes: endpoint.Hashes(), Encodings: endpoint.Encodings(), Units: endpoint.Units()}
	for _, m := range endpoint.AuthMethods() {
		words.Auth = append(words.Auth, AuthMethod{Name: m.Name, Needs: m.Needs, Header: m.Header})
	}
	return words
}

func testParser() *parser {
	return &parser{dir: "testdata/good", resolve: testResolve, words: testWords()}
}

func testParse(name, text string) (*Config, error) {
	return testParser().parse(name, []byte(text), testEnv)
}

// good parses the text and fails the test on any fault.
func good(t *testing.T, text string) *Config {
	t.Helper()
	cfg, err := testParse("test.yaml", text)
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

func TestGoodFiles(t *testing.T) {
	files, _ := filepath.Glob("testdata/good/*.yaml")
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := testParse(file, string(data)); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
}

func TestAddress(t *testing.T) {
	tests := []struct{ in, want string }{
		{"127.0.0.1:0", "127.0.0.1:0"},
		{"localhost:8080", "localhost:8080"},
		{"[::1]:1", "[::1]:1"},
		{"127.9.9.9:1", "127.9.9.9:1"},
		{"[::ffff:127.0.0.1]:1", "[::ffff:127.0.0.1]:1"},
		{"unix:/run/a.sock", "unix:/run/a.sock"},
		{"unix:", ""},
		{"unix:@a", ""},
		{":1", ""},
		{"0.0.0.0:1", ""},
		{"[::]:1", ""},
		{"[::ffff:10.0.0.1]:1", ""},
		{"10.0.0.1:1", ""},
		{"elsewhere.example:1", ""},
		{"unknown.example:1", ""},
		{"127.0.0.1", ""},
		{"127.0.0.1:65536", ""},
		{"127.0.0.1:http", ""},
	}
	for _, tt := range tests {
		p := &parser{resolve: testResolve}
		got := p.address(&tree.Node{Kind: tree.Scalar, Text: tt.in}, forApplications(false))
		if (len(p.faults) == 0) != (tt.want != "") || tt.want != "" && string(got) != tt.want {
			t.Errorf("%s: %q, %v", tt.in, got, p.faults)
		}
	}
	p := &parser{resolve: testResolve}
	if got := p.address(&tree.Node{Kind: tree.Scalar, Text: ":1"}, forApplications(true)); got != ":1" || len(p.faults) > 0 {
		t.Errorf("allowed: %q, %v", got, p.faults)
	}
}

// TestAliasesAreBounded reads a file of ten lines that would be a billion values.
func TestAliasesAreBounded(t *testing.T) {
	text := "a0: &a0 [x]\n"
	for i := 1; i < 10; i++ {
		text += fmt.Sprintf("a%d: &a%d [%s]\n", i, i, strings.Repeat(fmt.Sprintf("*a%d, ", i-1), 10))
	}
	_, err := testParse("bomb.yaml", text)
	if err == nil || !strings.Contains(err.Error(), "use fewer aliases") {
		t.Errorf("%v", err)
	}
}

// TestFaultsComeAsOneType is what callers of Parse rely on.
func TestFaultsComeAsOneType(t *testing.T) {
	_, err := Parse("f.yaml", []byte("listen: 1\nloog: {}"), ".", testEnv, testWords())
	faults, ok := errors.AsType[Faults](err)
	if !ok || len(faults) != 4 || faults[len(faults)-1] != (Fault{File: "f.yaml", Line: 2, Path: "loog", What: "unknown key", Fix: "did you mean log?"}) {
		t.Errorf("%v", err)
	}
	if _, err := Load("testdata/none.yaml", testWords()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v", err)
	}
}

func TestIsNear(t *testing.T) {
	for host, want := range map[string]bool{
		"localhost": true, "LOCALHOST.": true, "127.0.0.1": true, "::1": true, "10.0.0.1": true, "192.168.1.1": true,
		"172.16.0.1": true, "fd00::1": true, "169.254.1.1": true, "::ffff:10.0.0.1": true,
		"8.8.8.8": false, "172.32.0.1": false, "platform": false, "localhost.example.com": false, "0.0.0.0": false,
	} {
		if isNear(host) != want {
			t.Errorf("%s: %t", host, !want)
		}
	}
}

func TestBadFiles(t *testing.T) {
	files, _ := filepath.Glob("testdata/bad/*.yaml")
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		_, err = testParse(filepath.Base(file), string(data))
		if err == nil {
			t.Errorf("%s: no faults", file)
			continue
		}
		want := strings.TrimSuffix(file, ".yaml") + ".want"
		if *update {
			if err := os.WriteFile(want, []byte(err.Error()+"\n"), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		text, _ := os.ReadFile(want)
		if got := err.Error() + "\n"; got != string(text) {
			t.Errorf("%s: got\n%swant\n%s", file, got, text)
		}
	}
}

func TestSmallestFileHasEightLines(t *testing.T) {
	data, err := os.ReadFile("testdata/good/smallest.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(data, []byte("\n")); n > 8 {
		t.Errorf("%d lines", n)
	}
	cfg, err := Load("testdata/good/smallest.yaml", testWords())
	if err != nil {
		t.Fatal(err)
	}
	u := cfg.Upstreams[0]
	if got := u.URL.String(); got != "https://lowcode-2gay8jgh25.ap-shanghai.tcb-api.tencentcloudapi.com" {
		t.Errorf("url %s", got)
	}
	if cfg.Listen != "127.0.0.1:8080" || u.Path != "/" || u.Inject != (Inject{Header: "Authorization", Scheme: "Bearer"}) {
		t.Errorf("defaults: %q %q %+v", cfg.Listen, u.Path, u.Inject)
	}
}

const example = "../../../../config.example.yaml"

func TestExampleHasEveryKey(t *testing.T) {
	cfg, err := Load(example, testWords())
	if err != nil {
		t.Fatal(err)
	}
	if len(cfg.Warnings) != 2 { // plain http of one preset, for its token and for its upstream
		t.Errorf("%q", cfg.Warnings)
	}
	text, err := os.ReadFile(example)
	if err != nil {
		t.Fatal(err)
	}
	for key := range keysOf(reflect.TypeFor[Config](), map[string]bool{}) {
		if !bytes.Contains(text, []byte(key+":")) && !strings.HasSuffix(key, "_file") {
			t.Errorf("no %s", key)
		}
	}
	for _, key := range append(CredentialNames(), "client_secret_file") {
		if !bytes.Contains(text, []byte(key+":")) {
			t.Errorf("no %s", key)
		}
	}
	for key := range keysOf(reflect.TypeFor[oauthKeys](), map[string]bool{}) {
		if !bytes.Contains(text, []byte(key+":")) {
			t.Errorf("no %s", key)
		}
	}
}

// keysOf adds to keys those that the fields of typ are read from.
func keysOf(typ reflect.Type, keys map[string]bool) map[string]bool {
	for typ.Kind() == reflect.Slice || typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	if typ.Kind() != reflect.Struct {
		return keys
	}
	for i := range typ.NumField() {
		names := strings.Fields(typ.Field(i).Tag.Get("yaml"))
		for _, name := range names {
			keys[name] = true
		}
		if len(names) > 0 {
			keysOf(typ.Field(i).Type, keys)
		}
	}
	return keys
}

// TestLogThatSaysLess: an access log whose level keeps most of it away is warned of.
func TestLogThatSaysLess(t *testing.T) {
	for log, want := range map[string]int{
		"{ level: warn, access: all }": 1, "{ level: error, access: all }": 1, "{ level: warn, access: errors }": 0, "{ level: info, access: all }": 0, "{ access: all }": 0,
	} {
		text := "log: " + log + "\ntokens: { t: { token_url: \"https://x/\", client_id: x, client_secret: x } }\nupstreams: [ { name: u, token: t, url: \"https://x\" } ]\n"
		cfg, err := Parse("t.yaml", []byte(text), t.TempDir(), os.LookupEnv, testWords())
		if err != nil {
			t.Fatal(err)
		}
		if len(cfg.Warnings) != want {
			t.Errorf("%s: %q", log, cfg.Warnings)
		}
	}
}

// TestSingleValues: a value alone stands for a list of it, wherever a list of values may stand.
func TestSingleValues(t *testing.T) {
	single := string(archive(t, "testdata/schema/good.txtar")["single.yaml"])
	alone := regexp.MustCompile(`(allowed_hosts|allowed_origins|scopes|status|error|hosts|upgrade|X-Error|drop|methods|paths|code): ([^{}\n,[ ]+)`)
	listed := alone.ReplaceAllString(single, "$1: [$2]")
	if n := len(alone.FindAllString(single, -1)); n != 15 {
		t.Fatalf("%d values", n)
	}
	if one, two := good(t, single), good(t, listed); !one.Equal(two) {
		t.Errorf("%+v\n%+v", one, two)
	}
}

// TestPlainParams: in a dialect of the file's own a plain value defines a param; beside a preset an unknown one
// is a fault, since it is a word for one that is known.
func TestPlainParams(t *testing.T) {
	cfg := good(t, `
tokens: { t: { params: { tenant: acme, host: "{tenant}.example.com" }, request: { url: "https://{host}/t" } } }
upstreams: [ { name: u, token: t, url: "https://api.example" } ]`)
	if got := cfg.Tokens[0].Params; got["tenant"] != "acme" || got["host"] != "acme.example.com" {
		t.Errorf("%v", got)
	}
	_, err := testParse("a.yaml", `
tokens: { t: { provider: weda-private, params: { base_url: "https://x.example", tenant: acme }, client_id: a, client_secret: b } }
upstreams: [ { name: u, token: t } ]`)
	if err == nil || !strings.Contains(err.Error(), "tokens.t.params.tenant: unknown param") {
		t.Errorf("%v", err)
	}
}

// TestSetsKnowTheToken: what an upstream sets may hold the client id and the params of its token.
func TestSetsKnowTheToken(t *testing.T) {
	u := good(t, `
tokens: { t: { provider: weda, params: { env_id: e1 }, client_id: app, client_secret: s } }
upstreams: [ { name: u, token: t, headers: { set: { X-App: "{client_id}@{env_id}", X-User: "{header.X-U}" } }, query: { set: { app_id: "{client_id}" } } } ]`).Upstreams[0]
	if u.Headers.Set["X-App"] != "app@e1" || u.Headers.Set["X-User"] != "{header.X-U}" || u.Query.Set["app_id"] != "app" {
		t.Errorf("%v %v", u.Headers.Set, u.Query.Set)
	}
	for _, name := range []string{"client_secret", "token", "nosuch"} {
		_, err := testParse("a.yaml", `
tokens: { t: { provider: weda, params: { env_id: e1 }, client_id: app, client_secret: s } }
upstreams: [ { name: u, token: t, headers: { set: { X-App: "{`+name+`}" } } } ]`)
		if err == nil || !strings.Contains(err.Error(), "upstreams[0].headers.set.X-App: unknown placeholder {"+name+"}; {header.NAME} has a meaning here, such as {header.X-User}, and {client_id} and the params of the token") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
