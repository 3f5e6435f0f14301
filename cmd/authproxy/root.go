package main

import "github.com/spf13/cobra"

// newRoot returns the command tree, and whether a command's own code has begun:
// an error before that is one of usage.
func newRoot(std streams) (root *cobra.Command, begun *bool) {
	begun = new(bool)
	root = &cobra.Command{
		Use:           "authproxy",
		Short:         "Forwards a legacy application's requests with a valid access token",
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          unknownCommand,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.AddCommand(serveCommand(std), initCommand(std), demoCommand(std), checkCommand(std), tokenCommand(std),
		presetsCommand(std), schemaCommand(std), healthcheckCommand(std), versionCommand(std))
	for _, cmd := range root.Commands() {
		body := cmd.RunE
		cmd.RunE = func(cmd *cobra.Command, args []string) error {
			*begun = true
			return body(cmd, args)
		}
	}
	inWords(root)
	return root, begun
}
