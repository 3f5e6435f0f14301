package main

import (
	"github.com/spf13/cobra"

	"authproxy/cmd/authproxy/internal/config"
)

func schemaCommand(std streams) *cobra.Command {
	cmd := &cobra.Command{Use: "schema", Short: "Prints the JSON Schema of the configuration", Args: atMost(0),
		Long: "Prints the JSON Schema of the configuration (draft 2020-12), with what each key means. An editor that knows it completes keys, shows what they mean and marks faults; " +
			"a file names it in its first line:\n\n  # yaml-language-server: $schema=authproxy.schema.json",
		Example: "  authproxy schema > authproxy.schema.json"}
	cmd.RunE = func(*cobra.Command, []string) error {
		_, err := std.out.Write(config.Schema())
		return err
	}
	return cmd
}
