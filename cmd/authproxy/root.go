package main

import (
	"errors"

	"github.com/spf13/cobra"

	"authproxy/cmd/authproxy/internal/config"
	"authproxy/cmd/authproxy/internal/server"
)

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
	root.AddCommand(serveCommand(std), demoCommand(std), checkCommand(std), tokenCommand(std),
		presetsCommand(std), healthcheckCommand(), versionCommand(std))
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

// loadConfig reads a configuration.
func loadConfig(file string) (*config.Config, error) {
	cfg, err := server.Load(file)
	return cfg, usageUnlessFaults(err)
}

// usageUnlessFaults makes an error of reading a configuration one of usage:
// whatever fails then is the user's to mend. Faults are it already.
func usageUnlessFaults(err error) error {
	if err == nil || errors.As(err, new(config.Faults)) {
		return err
	}
	return usageError{err}
}
