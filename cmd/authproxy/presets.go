package main

import (
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"authproxy/cmd/authproxy/internal/config"
)

func presetsCommand(std streams) *cobra.Command {
	return &cobra.Command{
		Use: "presets [NAME]", Short: "Lists the presets, or prints one as YAML", Args: atMost(1), ValidArgsFunction: presetNames,
		Example: "  authproxy presets\n  authproxy presets weda",
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
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
}

func listPresets(std streams) error {
	table := tabwriter.NewWriter(std.out, 0, 0, 2, ' ', 0)
	for _, name := range config.Presets() {
		fmt.Fprintf(table, "%s\t%s\n", name, config.PresetSummary(name))
	}
	return table.Flush()
}
