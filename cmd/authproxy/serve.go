package main

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"authproxy/cmd/authproxy/internal/config"
	"authproxy/cmd/authproxy/internal/server"
)

func serveCommand(std streams) *cobra.Command {
	cmd := &cobra.Command{Use: "serve -c FILE", Short: "Runs the proxy", Args: onlyFlags,
		Example: "  authproxy serve -c /etc/authproxy/authproxy.yaml"}
	file := configFlag(cmd, true)
	serve := func(cmd *cobra.Command) error {
		signal.Ignore(syscall.SIGPIPE) // who read the log may go away
		cfg, err := loadConfig(*file)
		if err != nil {
			return err
		}
		s, err := startFile(cfg, *file, std)
		if err != nil {
			return err
		}
		return s.Serve(cmd.Context(), std.out)
	}
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		err := serve(cmd)
		if err == nil || config.LogFormat(*file) != "json" {
			return err
		}
		tellJSON(std.err, err)
		return told{err}
	}
	return cmd
}

// startFile serves cfg, which stands in file, and is read from there again at a reload.
func startFile(cfg *config.Config, file string, std streams) (*server.Server, error) {
	return begin(cfg, std, server.Options{File: file, Load: func() (*config.Config, error) { return server.Load(file) }})
}

// start serves cfg. What keeps a configuration from being served is the user's
// to mend, as its faults are.
func start(cfg *config.Config, std streams) (*server.Server, error) {
	return begin(cfg, std, server.Options{})
}

func begin(cfg *config.Config, std streams, o server.Options) (*server.Server, error) {
	v := thisVersion()
	o.Version, o.Revision, o.Log = v.Version, v.Revision, std.err
	s, err := server.Start(cfg, o)
	if errors.As(err, new(server.ConfigurationError)) {
		return nil, usageError{err}
	}
	return s, err
}

// tellJSON writes the end of a program whose log is JSON as that: each fault of the
// configuration as a line of its own.
func tellJSON(w io.Writer, err error) {
	var text bytes.Buffer
	log := slog.New(slog.NewJSONHandler(&text, nil))
	if faults, ok := errors.AsType[config.Faults](err); ok {
		for _, f := range faults {
			log.Error("configuration", "file", f.File, "line", f.Line, "path", f.Path, "error", f.What, "hint", f.Fix)
		}
	} else {
		log.Error("authproxy ends", "error", err.Error())
	}
	complain(w, strings.TrimSuffix(text.String(), "\n"))
}
