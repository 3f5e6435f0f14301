package main

import (
	"github.com/spf13/cobra"

	"authproxy/cmd/authproxy/internal/config"
)

// Here stands what a shell is told that completes a command.

// presetNames completes the name of a preset, each with what it is for.
func presetNames(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return presetChoices(), cobra.ShellCompDirectiveNoFileComp
}

func presetChoices() []string {
	var all []string
	for _, name := range config.Presets() {
		all = append(all, cobra.CompletionWithDesc(name, config.PresetSummary(name)))
	}
	return all
}

// tokenNames completes the name of a token in the file that -c or the environment names, whatever
// is wrong with that file. Standard input is left alone: the shell's user types there.
func (s *source) tokenNames(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 || s.path() == "" || s.isInput() {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	text, err := s.read(cmd.Context())
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return config.TokenNames(text), cobra.ShellCompDirectiveNoFileComp
}
