package config

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"gopkg.in/yaml.v3"

	"authproxy/cmd/authproxy/internal/config/tree"
)

// Why a schema does not see a fault.
const (
	files    = "what a file holds, and whether it is there"
	around   = "the environment"
	others   = "what stands elsewhere in the file: names, routes, addresses of its own"
	needs    = "what the requests of the token need, by its preset and by what stands over it"
	meaning  = "what an address or a number means: private networks, loopback, a range in units"
	braces   = "which placeholders there are, and what they come to"
	escapes  = "patterns that JavaScript and Go both know cannot exclude an escape, or a step up, in a path"
	spelling = "what YAML makes of it: the schema gets true"
)

// unseen are the faults that the loader finds and the schema does not, by file and reason.
func unseen() map[string]map[string][]string {
	return map[string]map[string][]string{
		"addresses.yaml": {
			meaning: {"listen", "admin.listen", "tokens.e.params.env_id", "tokens.f.token_url", "tokens.t.token_url", "upstreams[0].listen", "upstreams[0].url", "upstreams[7].proxy_url"},
			around:  {"tokens.t.client_id"}, needs: {"upstreams[3].url"}, others: {"upstreams[4]"},
		},
		"callers.yaml": {files: {"caller_token_file"}, escapes: {"upstreams[4].access[0].paths[4]"}},
		"keys.yaml": {
			files:   {"tokens.weda2.client_secret_file", "tokens.hengshi.tls.ca_file", "tokens.user.username_file", "tokens.user.password_file", "upstreams[1].tls.cert_file"},
			needs:   {"tokens.weda2.params.env_id"},
			braces:  {"tokens.hengshi.request.form.a"},
			meaning: {"tokens.hengshi.params.base_url", "tokens.user.params.base_url"},
			others:  {"upstreams[1]", "upstreams[1].name", "upstreams[1].token", "upstreams[2].headers.set.Authorization"},
		},
		"listentls.yaml":              {files: {"listen_tls.cert_file", "listen_tls.client_ca_file"}, others: {"upstreams[1]"}},
		"listen-tls-without-key.yaml": {files: {"listen_tls.cert_file"}},
		"loop.yaml":                   {others: {"upstreams[0].url", "upstreams[1].url", "upstreams[2].url", "upstreams[3].url"}},
		"missing.yaml": {
			needs: {"tokens.plain.client_id", "tokens.plain.client_secret", "tokens.plain.token_url", "tokens.weda.client_id", "tokens.weda.client_secret",
				"tokens.weda.params.env_id", "tokens.private.client_id", "tokens.private.client_secret", "tokens.private.params.base_url",
				"tokens.private.scopes", "tokens.post.auth_method", "tokens.post.username", "upstreams[0].url"},
			others: {"upstreams[2]"},
		},
		"plain.yaml": {meaning: {"tokens.g.params.base_url", "tokens.i.params.base_url.default", "tokens.j.params.base_url", "upstreams[2].url", "upstreams[4].proxy_url"}},
		"provider.yaml": {
			files:   {"tokens.weda.client_id_file", "tokens.weda.tls.ca_file", "tokens.list.username_file", "tokens.list.password_file"},
			braces:  {"upstreams[0].query.set.a"},
			meaning: {"upstreams[2].url"},
		},
		"requests.yaml": {
			needs: {"tokens.own.client_id", "tokens.own.client_secret", "tokens.own.revoke_on_exit", "tokens.preset.revoke_on_exit", "tokens.host.params.host",
				"tokens.header.request.headers.authorization", "tokens.preset.request.headers.AUTHORIZATION", "tokens.own.check.headers.Authorization"},
			braces:  {"tokens.own.params.lines.default", "tokens.own.params.unused.default", "tokens.host2.params.host.default", "upstreams[3].url"},
			meaning: {"tokens.preset.params.base_url"},
		},
		"types.yaml":                   {files: {"tokens.t.tls.ca_file", "tokens.t.tls.cert_file"}, meaning: {"upstreams[0].retry.body_limit"}, needs: {"upstreams[1].url"}},
		"boolean-in-capitals.yaml":     {spelling: {"allow_non_loopback"}},
		"listen-beyond-loopback.yaml":  {meaning: {"listen"}},
		"preset-param-missing.yaml":    {needs: {"tokens.t.params.env_id"}},
		"secret-file-missing.yaml":     {files: {"tokens.t.client_id_file"}},
		"secret-missing.yaml":          {needs: {"tokens.t.client_secret"}},
		"set-header-of-the-token.yaml": {others: {"upstreams[0].headers.set.authorization"}},
		"set-placeholder.yaml":         {braces: {"upstreams[0].query.set.a"}},
		"size-of-a-head.yaml":          {meaning: {"max_header"}},
		"jwt.yaml":                     {others: {"tokens.b.jwt.key", "tokens.d.jwt.key"}, needs: {"tokens.b.jwt", "tokens.d.client_id"}, files: {"tokens.c.jwt.key"}},
		"given.yaml":                   {files: {"tokens.e.token_file"}, braces: {"tokens.c.token"}, needs: {"tokens.e.scopes"}},
		"secrets.yaml":                 {files: {"tokens.t.secrets.c.file", "tokens.t.secrets.e.file"}, needs: {"tokens.t.secrets.d"}, others: {"tokens.t.secrets.client_id"}},
		"values.yaml":                  {braces: {"tokens.t.values.c.text", "tokens.t.values.token"}, meaning: {"tokens.t.values.f.zone"}},
		"token-unknown.yaml":           {others: {"upstreams[0].token"}},
		"tokens-missing.yaml":          {others: {"upstreams[0].token"}},
		"upstream-name-twice.yaml":     {others: {"upstreams[1].name"}},
		"upstream-no-url.yaml":         {needs: {"upstreams[0].url"}},
		"upstream-twice.yaml":          {others: {"upstreams[1]"}},
		"upstream-url-in-plain.yaml":   {meaning: {"upstreams[0].url"}},
		"variable-not-set.yaml":        {around: {"tokens.t.client_id"}},
	}
}

// fromEditor are faults that an editor's own reader of YAML tells, whatever the schema says.
func fromEditor(name string, data []byte) (root *tree.Node, own tree.Faults) {
	root = tree.Read(name, data, nil, &own)
	return root, own
}

// compare returns the paths of the faults that the loader finds in data and the schema does not, and the
// complaints of the schema without a fault of the loader there, above or below.
func compare(schema *jsonschema.Schema, name string, data []byte) (missed, accused []string) {
	_, err := testParse(name, string(data))
	faults, _ := errors.AsType[Faults](err)
	root, own := fromEditor(name, data)
	var said []string
	if root != nil {
		said = complaints(schema, root)
	}
	for _, f := range faults {
		here := func(complaint string) bool { return meets(complaint, f.Path) }
		bare := strings.HasPrefix(f.What, "a word without a value") // the editor knows it by another name
		if !slices.Contains(own, f) && !slices.ContainsFunc(said, here) && !bare && !slices.Contains(missed, f.Path) {
			missed = append(missed, f.Path)
		}
	}
	for _, complaint := range said {
		near := func(f Fault) bool {
			return meets(complaint, f.Path) || strings.HasPrefix(f.Path, complaint) || strings.HasPrefix(complaint, f.Path)
		}
		if !slices.ContainsFunc(faults, near) {
			accused = append(accused, complaint)
		}
	}
	slices.Sort(missed)
	return missed, accused
}

// badFiles are the files with faults, by name.
func badFiles(t *testing.T) map[string][]byte {
	t.Helper()
	all := archive(t, "testdata/schema/bad.txtar")
	names, _ := filepath.Glob("testdata/bad/*.yaml")
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all[filepath.Base(name)] = data
	}
	return all
}

func archive(t *testing.T, name string) map[string][]byte {
	t.Helper()
	a, err := txtar.ParseFile(name)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][]byte{}
	for _, f := range a.Files {
		all[f.Name] = f.Data
	}
	return all
}

// TestSchemaSeesFaults: each fault of the loader is a complaint of the schema at the same key, but for those
// that are listed with their reason; and the schema complains of nothing else.
func TestSchemaSeesFaults(t *testing.T) {
	schema, listed := compiled(t), unseen()
	for name, data := range badFiles(t) {
		if _, err := testParse(name, string(data)); err == nil {
			t.Errorf("%s has no fault", name)
		}
		missed, accused := compare(schema, name, data)
		if want := slices.Sorted(slices.Values(slices.Concat(slices.Collect(maps.Values(listed[name]))...))); !slices.Equal(missed, want) {
			t.Errorf("%s: not seen:\n%s\nlisted:\n%s", name, strings.Join(missed, "\n"), strings.Join(want, "\n"))
		}
		if len(accused) > 0 {
			t.Errorf("%s: what the loader takes is complained of: %q", name, accused)
		}
		delete(listed, name)
	}
	if len(listed) > 0 {
		t.Errorf("no such files: %v", listed)
	}
}

// goodFiles are configurations that are accepted, but for files that are not here, by name.
func goodFiles(t *testing.T) map[string][]byte {
	t.Helper()
	all := archive(t, "testdata/schema/good.txtar")
	for _, pattern := range []string{"testdata/good/*.yaml", example, "../../../../deploy/authproxy*.yaml", "../../../../deploy/kubernetes.yaml", "../../../../*.md", "../../../../docs/*.md"} {
		names, _ := filepath.Glob(pattern)
		if len(names) == 0 {
			t.Errorf("no %s", pattern)
		}
		for _, name := range names {
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			for _, text := range configurations(name, data) {
				all[name+" "+text[:min(40, len(text))]] = []byte(text)
			}
		}
	}
	return all
}

var (
	fence   = regexp.MustCompile("(?s)```yaml\n(.*?)```")
	mounted = regexp.MustCompile(`(?m)^tokens:$`)
)

// configurations are those in a file: itself, those between the fences of a document, and those in a
// ConfigMap of Kubernetes.
func configurations(name string, data []byte) (all []string) {
	switch {
	case strings.HasSuffix(name, ".md"):
		for _, m := range fence.FindAllStringSubmatch(string(data), -1) {
			if mounted.MatchString(m[1]) {
				all = append(all, m[1])
			}
		}
	case strings.HasSuffix(name, "kubernetes.yaml"):
		for d := yaml.NewDecoder(strings.NewReader(string(data))); ; {
			var object struct{ Data map[string]string }
			if d.Decode(&object) != nil {
				return all
			}
			all = append(all, slices.Collect(maps.Values(object.Data))...)
		}
	default:
		return []string{string(data)}
	}
	return all
}

// TestSchemaTakesGoodFiles: what is accepted, shown and deployed.
func TestSchemaTakesGoodFiles(t *testing.T) {
	schema := compiled(t)
	all := goodFiles(t)
	for name, data := range all {
		root, own := fromEditor(name, data)
		if root == nil || len(own) > 0 {
			t.Errorf("%s: %v", name, own)
			continue
		}
		if said := complaints(schema, root); len(said) > 0 {
			t.Errorf("%s: %q", name, said)
		}
		_, err := testParse(name, string(data))
		faults, _ := errors.AsType[Faults](err)
		for _, f := range faults {
			if !strings.Contains(f.What, "cannot be read") {
				t.Errorf("%s", f)
			}
		}
	}
	if len(all) < 12 {
		t.Errorf("only %d files", len(all))
	}
}
