package main

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"authproxy/cmd/authproxy/internal/config"
	"authproxy/cmd/authproxy/internal/server"
	"authproxy/proxy"
)

// repoFile reads a file of the repository.
func repoFile(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// secretsIn writes credentials to where the deployed configurations and the
// README's expect them, below a folder of the test.
func secretsIn(t *testing.T, folder string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, folder), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"weda_id", "weda_key"} {
		if err := os.WriteFile(filepath.Join(dir, folder, name), []byte("value-of-"+name+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestSmallestConfiguration: what the README and the example promise as eight
// lines is eight lines, and loads.
func TestSmallestConfiguration(t *testing.T) {
	_, after, found := strings.Cut(repoFile(t, "README.md"), "<!-- smallest -->\n```yaml\n")
	text, _, closed := strings.Cut(after, "```")
	if !found || !closed {
		t.Fatal("README.md has no block of yaml behind <!-- smallest -->")
	}
	if lines := strings.Count(text, "\n"); lines > 8 {
		t.Errorf("%d lines, promised are 8:\n%s", lines, text)
	}
	cfg, err := server.Parse("README.md", []byte(text), secretsIn(t, "secrets"))
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Check(cfg); err != nil || len(cfg.Warnings) > 0 {
		t.Errorf("%v, warnings %q", err, cfg.Warnings)
	}
	comment := "#     " + strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n#     ")
	if !strings.Contains(repoFile(t, "config.example.yaml"), comment) {
		t.Error("config.example.yaml shows another smallest configuration than README.md")
	}
}

// TestReadmeTables: the tables name every preset, every error code and every
// module that the program asks for by itself.
func TestReadmeTables(t *testing.T) {
	readme := repoFile(t, "README.md")
	table, err := exec.Command("authproxy", "presets", "--markdown").Output()
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"README.md": readme, "docs/platforms.md": repoFile(t, "docs/platforms.md")} {
		if !strings.Contains(text, "<!-- presets -->\n"+string(table)+"<!-- /presets -->\n") {
			t.Errorf("%s: between its marks it does not hold what authproxy presets --markdown writes:\n%s", name, table)
		}
	}
	for _, code := range proxy.Codes() {
		if !strings.Contains(readme, "`"+string(code)+"`") {
			t.Errorf("README.md does not mention the error code %s", code)
		}
	}
	for line := range strings.Lines(repoFile(t, "go.mod")) {
		if !strings.HasPrefix(line, "\t") || strings.Contains(line, "// indirect") {
			continue
		}
		name := strings.TrimPrefix(strings.Fields(line)[0], "github.com/")
		if !strings.Contains(readme, "\n| "+name+" | ") {
			t.Errorf("README.md gives no reason for the dependency %s", name)
		}
	}
}

// TestExampleHasEveryKey: config.example.yaml loads as it stands, and shows
// every key that the configuration knows, in its place or in a comment.
func TestExampleHasEveryKey(t *testing.T) {
	text := repoFile(t, "config.example.yaml")
	cfg, err := server.Parse("config.example.yaml", []byte(text), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Check(cfg); err != nil {
		t.Error(err)
	}
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(text), &doc); err != nil {
		t.Fatal(err)
	}
	shown := map[string]bool{}
	keysShown(doc.Content[0], "", shown)
	for _, key := range allKeys() {
		_, name, _ := strings.Cut(key, ".")
		commented := regexp.MustCompile(`#.*\b` + name + `\b`)
		if !shown[key] && !commented.MatchString(text) {
			t.Errorf("config.example.yaml does not show %s", key)
		}
	}
}

// allKeys returns the keys of the configuration, each behind the one it stands
// under: "tls.ca_file". Those of fields that the config package keeps to
// itself are added by hand.
func allKeys() []string {
	keys := []string{
		"tokens.client_id_file", "tokens.client_secret", "tokens.client_secret_file", "tokens.username", "tokens.username_file", "tokens.password", "tokens.password_file",
		"tokens.token_url", "tokens.scopes", "tokens.endpoint_params", "tokens.auth_method", "tokens.upstream",
		"tokens.secrets", "tokens.token", "tokens.token_file", "inject.header", "inject.scheme", "inject.query", "inject.cookie",
		"upstream.url", "upstream.inject", "upstream.invalid_token", "upstream.headers", "upstream.query", "upstream.allow_plain_http",
	}
	var walk func(t reflect.Type, under string)
	walk = func(t reflect.Type, under string) {
		for t.Kind() == reflect.Slice || t.Kind() == reflect.Pointer {
			t = t.Elem()
		}
		if t.Kind() != reflect.Struct {
			return
		}
		for i := range t.NumField() {
			field := t.Field(i)
			for _, name := range strings.Fields(field.Tag.Get("yaml")) {
				keys = append(keys, under+"."+name)
				walk(field.Type, room(name))
			}
		}
	}
	walk(reflect.TypeFor[config.Config](), "")
	slices.Sort(keys)
	return slices.Compact(keys)
}

// room returns the key that stands for all that hold the same keys as name:
// the requests of a token are written alike.
func room(name string) string {
	switch name {
	case "refresh", "force", "check", "revoke":
		return "request"
	}
	return name
}

// keysShown collects the keys below n, which stands under that key. The names
// of tokens and the items of lists are no keys: what they hold stands under
// the key above.
func keysShown(n *yaml.Node, under string, shown map[string]bool) {
	for i, child := range n.Content {
		switch {
		case n.Kind == yaml.SequenceNode:
			keysShown(child, under, shown)
		case n.Kind == yaml.MappingNode && i%2 == 1:
			name := n.Content[i-1].Value
			shown[under+"."+name] = true
			keysShown(child, room(name), shown)
			if under == "tokens" { // name is one of the user's
				keysShown(child, under, shown)
			}
		}
	}
}

// yamlFile parses every document of a file.
func yamlFile(t *testing.T, name string) []map[string]any {
	t.Helper()
	decoder := yaml.NewDecoder(strings.NewReader(repoFile(t, name)))
	var all []map[string]any
	for {
		var doc map[string]any
		err := decoder.Decode(&doc)
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		all = append(all, doc)
	}
}

// at walks down keys and indexes of a YAML document; nil where there is nothing.
func at(v any, path ...any) any {
	for _, step := range path {
		switch key := step.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[key]
		case int:
			l, _ := v.([]any)
			if key >= len(l) {
				return nil
			}
			v = l[key]
		}
	}
	return v
}

func mustBe(t *testing.T, doc any, want any, path ...any) {
	t.Helper()
	if got := at(doc, path...); !reflect.DeepEqual(got, want) {
		t.Errorf("%v is %v, want %v", path, got, want)
	}
}

// loadsDeployed loads a configuration whose secrets are in /run/secrets.
func loadsDeployed(t *testing.T, name, text string) {
	t.Helper()
	dir := secretsIn(t, "run")
	moved := strings.ReplaceAll(text, "/run/secrets/", filepath.ToSlash(filepath.Join(dir, "run"))+"/")
	cfg, err := server.Parse(name, []byte(moved), dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Check(cfg); err != nil || len(cfg.Warnings) > 0 {
		t.Errorf("%s: %v, warnings %q", name, err, cfg.Warnings)
	}
	if cfg.Listen != "127.0.0.1:8080" || cfg.Admin.Listen != "127.0.0.1:9090" {
		t.Errorf("%s listens on %s and %s; the files around it count on the defaults", name, cfg.Listen, cfg.Admin.Listen)
	}
}

func TestCompose(t *testing.T) {
	loadsDeployed(t, "deploy/authproxy.yaml", repoFile(t, "deploy/authproxy.yaml"))
	doc := yamlFile(t, "deploy/compose.yaml")[0]
	mustBe(t, doc, "service:authproxy", "services", "app", "network_mode")
	mustBe(t, doc, "service_healthy", "services", "app", "depends_on", "authproxy", "condition")
	mustBe(t, doc, []any{"weda_id", "weda_key"}, "services", "authproxy", "secrets")
	mustBe(t, doc, "./secrets/weda_id", "secrets", "weda_id", "file")
	mustBe(t, doc, "./secrets/weda_key", "secrets", "weda_key", "file")
	mustBe(t, doc, "./authproxy.yaml:/etc/authproxy/authproxy.yaml:ro", "services", "authproxy", "volumes", 0)
	mustBe(t, doc, true, "services", "authproxy", "read_only")
	mustBe(t, doc, []any{"ALL"}, "services", "authproxy", "cap_drop")
	ports, _ := at(doc, "services", "authproxy", "ports").([]any)
	for _, port := range ports {
		if p, _ := port.(string); strings.HasSuffix(p, ":8080") || strings.HasSuffix(p, ":9090") {
			t.Errorf("compose.yaml publishes a port of authproxy: %s", p)
		}
	}
}

func TestKubernetes(t *testing.T) {
	docs := yamlFile(t, "deploy/kubernetes.yaml")
	if len(docs) != 2 {
		t.Fatalf("%d documents, want a ConfigMap and a Pod", len(docs))
	}
	text, _ := at(docs[0], "data", "authproxy.yaml").(string)
	loadsDeployed(t, "deploy/kubernetes.yaml", text)
	if file := repoFile(t, "deploy/authproxy.yaml"); !strings.HasSuffix(file, "\n"+text) {
		t.Error("the configuration in kubernetes.yaml is not that of deploy/authproxy.yaml")
	}
	mustBe(t, docs[1], "Pod", "kind")
	mustBe(t, docs[1], true, "spec", "securityContext", "runAsNonRoot")
	sidecar := at(docs[1], "spec", "initContainers", 0)
	mustBe(t, sidecar, "Always", "restartPolicy")
	mustBe(t, sidecar, []any{"/authproxy", "healthcheck"}, "startupProbe", "exec", "command")
	mustBe(t, sidecar, nil, "readinessProbe")
	mustBe(t, sidecar, true, "securityContext", "runAsNonRoot")
	mustBe(t, sidecar, 65532, "securityContext", "runAsUser")
	mustBe(t, sidecar, true, "securityContext", "readOnlyRootFilesystem")
	mustBe(t, sidecar, false, "securityContext", "allowPrivilegeEscalation")
	mustBe(t, sidecar, []any{"ALL"}, "securityContext", "capabilities", "drop")
	mustBe(t, sidecar, "RuntimeDefault", "securityContext", "seccompProfile", "type")
	mustBe(t, sidecar, "256Mi", "resources", "limits", "memory")
	mustBe(t, sidecar, map[string]any{"name": "config", "mountPath": "/etc/authproxy", "readOnly": true}, "volumeMounts", 0)
	mustBe(t, sidecar, map[string]any{"name": "secrets", "mountPath": "/run/secrets", "readOnly": true}, "volumeMounts", 1)
	mustBe(t, docs[1], "weda-credentials", "spec", "volumes", 1, "secret", "secretName")
}

// TestDockerfile: the promises that hold without an engine to build it with.
func TestDockerfile(t *testing.T) {
	text := repoFile(t, "Dockerfile")
	for _, line := range []string{
		"FROM scratch\n",
		"USER 65532:65532\n",
		`CMD ["/authproxy", "healthcheck"]` + "\n",
		`ENTRYPOINT ["/authproxy"]` + "\n",
		`CMD ["serve", "-c", "/etc/authproxy/authproxy.yaml"]` + "\n",
	} {
		if !strings.Contains(text, line) {
			t.Errorf("the Dockerfile has no %s", line)
		}
	}
	// Every folder that the program is made of gets past .dockerignore.
	ignore := strings.Split(repoFile(t, ".dockerignore"), "\n")
	for _, arrow := range arrows(t) {
		from, to, _ := strings.Cut(arrow, " -> "+module)
		folder, _, _ := strings.Cut(to, "/")
		if strings.HasPrefix(from, module+"bench") {
			continue
		}
		if !slices.Contains(ignore, "!"+folder) {
			t.Errorf(".dockerignore keeps %s out of the image", folder)
		}
	}
}
