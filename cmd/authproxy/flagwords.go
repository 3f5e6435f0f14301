package main

import (
	"regexp"
	"strings"

	"github.com/spf13/cobra"

	"authproxy/cmd/authproxy/internal/config"
)

// Here the faults of a configuration that stands in flags get the words of the command line.

// vocabulary is what a file says otherwise.
func (f *flagged) vocabulary() []spoken {
	say := func(file, line string) spoken { return spoken{regexp.MustCompile(file), line} }
	var all []spoken
	for _, name := range config.CredentialNames() {
		flag := "--" + flagOf(name)
		if config.IsConfidential(name) {
			all = append(all, say(`\bgive `+name+` or `+name+`_file\b`, "give "+flag+"-file"))
		}
		all = append(all, say(`\b`+name+`_file\b`, flag+"-file"), say(`\b(give|beside|instead of) `+name+`\b`, "$1 "+flag))
	}
	for _, name := range config.PresetParams(f.value("provider")) {
		all = append(all, say(`\bgive `+name+`\b`, "give --param "+name+"=VALUE"))
	}
	return append(all,
		say(`\bsee that provider\b`, "see that --provider"),
		say(`\bput credentials under tokens\b`, "give credentials by flags of their own"),
		say(`\bremove it\b`, "leave it out"),
		say(`(tokens\.main\.|upstreams\[0\]\.|\ballow_non_loopback\b|\bquery\.set\b|\bauth: basic\b).*`, "$0; that takes a file, which 'authproxy init' begins"),
	)
}

// say puts a fault into the words of the command line. Those of a preset stay as they are.
func (f *flagged) say(fault config.Fault) config.Fault {
	if fault.File != "" {
		return fault
	}
	if config.IsConfidential(strings.TrimPrefix(fault.Path, tokenPath)) {
		fault.Fix, _, _ = strings.Cut(fault.Fix, ", or write ${") // a default would be the secret
	}
	fault.Line, fault.Path = 0, f.flagFor(fault.Path)
	for _, w := range f.words {
		fault.What = w.file.ReplaceAllString(fault.What, w.line)
		fault.Fix = w.file.ReplaceAllString(fault.Fix, w.line)
	}
	return fault
}

// flagFor is the flag that stands for the key at path; path itself where there is none.
func (f *flagged) flagFor(path string) string {
	if name, ok := strings.CutPrefix(path, tokenPath+"params."); ok {
		return "--param " + name
	}
	if strings.HasPrefix(path, tokenPath+"scopes") {
		return "--scope"
	}
	for name, key := range f.keys {
		if key == path {
			return "--" + name
		}
	}
	return path
}

// completeProvider completes the name of a preset, whatever else was given.
func (f *flagged) completeProvider(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return presetChoices(), cobra.ShellCompDirectiveNoFileComp
}

// completeParam completes the name of a param of the preset that was given.
func (f *flagged) completeParam(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	var all []string
	for _, name := range config.PresetParams(f.value("provider")) {
		all = append(all, name+"=")
	}
	return all, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
}
