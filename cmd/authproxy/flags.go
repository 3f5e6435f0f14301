package main

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"gopkg.in/yaml.v3"

	"authproxy/cmd/authproxy/internal/config"
	"authproxy/cmd/authproxy/internal/server"
)

// flagged is a configuration that stands in flags: one upstream and one token, both called main.
// It is written as the file that would say the same, and read as that.
type flagged struct {
	flags          *pflag.FlagSet
	keys           map[string]string // of each flag that stands for a key: the key's path
	params, scopes []string
	words          []spoken // what f.say puts otherwise
}

// spoken is how a file says something, and how the command line does.
type spoken struct {
	file *regexp.Regexp
	line string
}

const (
	tokenPath    = "tokens.main."
	upstreamPath = "upstreams[0]."
)

// addFlagged adds the flags to cmd, and their completion.
func addFlagged(cmd *cobra.Command) *flagged {
	f := &flagged{flags: cmd.Flags(), keys: map[string]string{}}
	f.flags.SortFlags = false
	f.add("upstream", upstreamPath+"url", "without a file: `URL` of the platform's API; by default the preset's")
	f.add("provider", tokenPath+"provider", "`PRESET` of the token; by default plain oauth2")
	f.flags.StringArrayVar(&f.params, "param", nil, "`NAME=VALUE` for the preset; once for each")
	f.add("token-url", tokenPath+"token_url", "`URL` of the token endpoint, for oauth2")
	f.flags.StringArrayVar(&f.scopes, "scope", nil, "`SCOPE` to ask for; once for each")
	for _, name := range config.CredentialNames() {
		f.addCredential(name)
	}
	f.add("listen", "listen", "`ADDRESS` for applications; by default 127.0.0.1:8080")
	f.add("admin-listen", "admin.listen", "`ADDRESS` for probes and metrics; by default 127.0.0.1:9090")
	for name, complete := range map[string]cobra.CompletionFunc{
		"provider": f.completeProvider, "param": f.completeParam, "upstream": cobra.NoFileCompletions, "token-url": cobra.NoFileCompletions,
		"scope": cobra.NoFileCompletions, "listen": cobra.NoFileCompletions, "admin-listen": cobra.NoFileCompletions,
	} {
		if err := cmd.RegisterFlagCompletionFunc(name, complete); err != nil {
			panic(err) // the flags were added above
		}
	}
	return f
}

func (f *flagged) add(name, path, usage string) {
	f.flags.String(name, "", usage)
	f.keys[name] = path
}

// addCredential adds a flag for a credential, and one for a file with it.
func (f *flagged) addCredential(name string) {
	words := strings.ReplaceAll(name, "_", " ")
	usage := "the `VALUE` of the " + words
	if config.IsConfidential(name) {
		usage = "`'${VARIABLE}'` of the environment with the " + words + "; the value itself is refused"
	}
	f.add(flagOf(name), tokenPath+name, usage)
	f.add(flagOf(name)+"-file", tokenPath+name+"_file", "`FILE` with the "+words)
}

// flagOf is the flag for a key.
func flagOf(key string) string { return strings.ReplaceAll(key, "_", "-") }

func (f *flagged) value(name string) string { return f.flags.Lookup(name).Value.String() }

// given are the flags that were, as they are written.
func (f *flagged) given() []string {
	var all []string
	f.flags.Visit(func(one *pflag.Flag) {
		if f.keys[one.Name] != "" || one.Name == "param" || one.Name == "scope" {
			all = append(all, "--"+one.Name)
		}
	})
	return all
}

var variableOnly = regexp.MustCompile(`^\$\{[A-Za-z_][A-Za-z0-9_]*\}$`)

// check refuses what no file could say, and secrets that the command line would give away.
func (f *flagged) check() error {
	for _, name := range config.CredentialNames() {
		value := f.value(flagOf(name))
		if config.IsConfidential(name) && value != "" && !variableOnly.MatchString(value) {
			return fmt.Errorf("--%[1]s: a value here is seen by every user of this machine, and stays in the shell's history: give --%[1]s-file FILE, or --%[1]s '${VARIABLE}', in single quotes, for one of the environment", flagOf(name))
		}
	}
	var names []string
	for _, param := range f.params {
		name, _, ok := strings.Cut(param, "=")
		switch {
		case !ok || name == "":
			return fmt.Errorf("--param %q is not a name with a value: write --param NAME=VALUE", param)
		case slices.Contains(names, name):
			return fmt.Errorf("--param %s was given twice: give it once", name)
		}
		names = append(names, name)
	}
	return nil
}

// text is the file that says what the flags say.
func (f *flagged) text() ([]byte, error) {
	top, token, upstream, admin := map[string]any{}, map[string]any{}, map[string]any{"name": "main", "token": "main"}, map[string]any{}
	f.flags.Visit(func(one *pflag.Flag) {
		path := f.keys[one.Name]
		for prefix, in := range map[string]map[string]any{tokenPath: token, upstreamPath: upstream, "admin.": admin} {
			if key, ok := strings.CutPrefix(path, prefix); ok {
				in[key] = one.Value.String()
			}
		}
		if path == "listen" {
			top[path] = one.Value.String()
		}
	})
	if len(f.params) > 0 {
		params := map[string]string{}
		for _, param := range f.params {
			name, value, _ := strings.Cut(param, "=")
			params[name] = value
		}
		token["params"] = params
	}
	if len(f.scopes) > 0 {
		token["scopes"] = f.scopes
	}
	top["tokens"], top["upstreams"], top["admin"] = map[string]any{"main": token}, []any{upstream}, admin
	return yaml.Marshal(top)
}

// load reads the configuration. Relative paths start at the working directory.
func (f *flagged) load(context.Context) (*config.Config, error) {
	text, err := f.text()
	if err != nil {
		return nil, usageError{err}
	}
	f.words = f.vocabulary()
	cfg, err := server.ParseSaid(text, ".", f.say)
	return cfg, usageUnlessFaults(err)
}

// options say that flags are not read again.
func (f *flagged) options() server.Options { return server.Options{File: "the command line"} }
