package main

import (
	"errors"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"authproxy/cmd/authproxy/internal/config"
	"authproxy/cmd/authproxy/internal/server"
)

func serveCommand(std streams) *cobra.Command {
	cmd := &cobra.Command{Use: "serve -c FILE", Short: "Runs the proxy", Args: onlyFlags}
	file := configFlag(cmd, true)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		signal.Ignore(syscall.SIGPIPE) // who read the log may go away
		cfg, err := loadConfig(*file)
		if err != nil {
			return err
		}
		s, err := start(cfg, std)
		if err != nil {
			return err
		}
		return s.Serve(cmd.Context(), std.out)
	}
	return cmd
}

// start serves cfg. What keeps a configuration from being served is the user's
// to mend, as its faults are.
func start(cfg *config.Config, std streams) (*server.Server, error) {
	v := thisVersion()
	s, err := server.Start(cfg, server.Options{Version: v.Version, Revision: v.Revision, Log: std.err})
	if errors.As(err, new(server.ConfigurationError)) {
		return nil, usageError{err}
	}
	return s, err
}
