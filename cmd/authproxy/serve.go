package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
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
		Long: "Runs the proxy: with the configuration in a file, or, for one upstream, in flags.",
		Example: "  authproxy serve -c /etc/authproxy/authproxy.yaml\n" +
			"  authproxy serve --upstream https://api.example.com \\\n" +
			"    --token-url https://id.example.com/oauth2/token \\\n" +
			"    --client-id reports --client-secret-file secret"}
	file, flags := configFlag(cmd, std), addFlagged(cmd)
	cmd.PreRunE = func(cmd *cobra.Command, args []string) error {
		given := flags.given()
		switch {
		case len(given) == 0:
			return file.needed(cmd, args)
		case file.given != "":
			return fmt.Errorf("-c and %s: a configuration stands in a file or in flags: write it into the file, or leave -c out", strings.Join(given, ", "))
		}
		return flags.check()
	}
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if len(flags.given()) > 0 {
			return serve(cmd.Context(), flags, std)
		}
		err := serve(cmd.Context(), file, std)
		if err == nil || file.logFormat(cmd.Context()) != "json" {
			return err
		}
		tellJSON(std.err, err)
		return told{err}
	}
	return cmd
}

// origin is where a configuration comes from.
type origin interface {
	load(ctx context.Context) (*config.Config, error)
	// options say how a server reads it again, if it can.
	options() server.Options
}

// serve serves what comes from there, until ctx ends.
func serve(ctx context.Context, from origin, std streams) error {
	signal.Ignore(syscall.SIGPIPE) // who read the log may go away
	cfg, err := from.load(ctx)
	if err != nil {
		return err
	}
	s, err := begin(cfg, std, from.options())
	if err != nil {
		return err
	}
	return s.Serve(ctx, std.out)
}

// begin serves cfg. What keeps a configuration from being served is the user's
// to mend, as its faults are.
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
