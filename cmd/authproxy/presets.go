package main

import (
	"errors"
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"authproxy/cmd/authproxy/internal/config"
)

func presetsCommand(std streams) *cobra.Command {
	markdown := false
	cmd := &cobra.Command{
		Use: "presets [NAME]", Short: "Lists the presets, or prints one as YAML", Args: atMost(1), ValidArgsFunction: presetNames,
		Example: "  authproxy presets\n  authproxy presets weda",
		RunE: func(_ *cobra.Command, args []string) error {
			switch {
			case len(args) > 0 && markdown:
				return usageError{errors.New("--markdown lists all presets: leave the name out")}
			case markdown:
				return tablePresets(std)
			case len(args) == 0:
				return listPresets(std)
			}
			preset, err := config.Preset(args[0])
			if err != nil {
				return usageError{err}
			}
			_, err = std.out.Write(preset)
			return err
		},
	}
	cmd.Flags().BoolVar(&markdown, "markdown", false, "list them as tables for a document")
	return cmd
}

func listPresets(std streams) error {
	table := tabwriter.NewWriter(std.out, 0, 0, 2, ' ', tabwriter.TabIndent)
	for i, group := range config.PresetGroups() {
		if i > 0 {
			fmt.Fprintln(table)
		}
		fmt.Fprintf(table, "%s:\n", group.Name)
		for _, name := range group.Presets {
			fmt.Fprintf(table, "  %s\t%s\n", name, config.PresetSummary(name))
		}
	}
	return table.Flush()
}

// tablePresets writes the presets as a table for documents.
func tablePresets(std streams) error {
	for _, group := range config.PresetGroups() {
		if _, err := fmt.Fprintf(std.out, "| %s | |\n|---|---|\n", group.Name); err != nil {
			return err
		}
		for _, name := range group.Presets {
			fmt.Fprintf(std.out, "| `%s` | %s |\n", name, config.PresetSummary(name))
		}
		fmt.Fprintln(std.out)
	}
	return nil
}
