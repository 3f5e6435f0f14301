package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"authproxy/cmd/authproxy/internal/admin"
	"authproxy/cmd/authproxy/internal/config"
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
		Args:          cobra.NoArgs,
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
	return root, begun
}

// loadConfig reads a configuration.
func loadConfig(file string) (*config.Config, error) {
	cfg, err := config.Load(file)
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

// configFlag adds the flag -c, which names the configuration file.
func configFlag(cmd *cobra.Command, required bool) *string {
	file := cmd.Flags().StringP("config", "c", "", "configuration file (YAML)")
	if required {
		if err := cmd.MarkFlagRequired("config"); err != nil {
			panic(err) // the flag was added on the line above
		}
	}
	return file
}

// onlyFlags refuses arguments, which are files that lack a -c in most cases.
func onlyFlags(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return fmt.Errorf("%q is one argument too many: give the file as 'authproxy %s -c FILE'", args[0], cmd.Name())
}

func serveCommand(std streams) *cobra.Command {
	cmd := &cobra.Command{Use: "serve -c FILE", Short: "Runs the proxy", Args: onlyFlags}
	file := configFlag(cmd, true)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		cfg, err := loadConfig(*file)
		if err != nil {
			return err
		}
		return serve(cmd.Context(), cfg, std)
	}
	return cmd
}

func presetsCommand(std streams) *cobra.Command {
	return &cobra.Command{
		Use: "presets [NAME]", Short: "Lists the presets, or prints one as YAML", Args: cobra.MaximumNArgs(1),
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

func healthcheckCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "healthcheck [URL]", Short: "Succeeds when the running proxy is ready", Args: cobra.MaximumNArgs(1)}
	file := configFlag(cmd, false)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		ready := "http://127.0.0.1:9090/readyz"
		switch {
		case len(args) == 1 && *file != "":
			return usageError{fmt.Errorf("give a URL or -c FILE, not both")}
		case len(args) == 1:
			ready = args[0]
		case *file != "":
			listen, err := config.AdminListen(*file)
			if err != nil {
				return usageUnlessFaults(err)
			}
			if ready, err = readyURL(listen); err != nil {
				return err
			}
		}
		err := admin.Healthcheck(cmd.Context(), ready)
		if errors.Is(err, admin.ErrNoURL) {
			return usageError{err}
		}
		return err
	}
	return cmd
}

// readyURL returns where an admin listener of this address answers locally.
func readyURL(listen string) (string, error) {
	if listen == "" {
		return "", fmt.Errorf("admin.listen is off: there is nothing to ask; set it, or check the data port instead")
	}
	if strings.HasPrefix(listen, "unix:") {
		return "", fmt.Errorf("admin.listen is a unix socket, which healthcheck cannot ask")
	}
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return "", err
	}
	if port == "0" {
		return "", fmt.Errorf("admin.listen lets the system choose the port: give the URL that serve has printed, with /readyz at its end")
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return (&url.URL{Scheme: "http", Host: net.JoinHostPort(host, port), Path: "/readyz"}).String(), nil
}

func versionCommand(std streams) *cobra.Command {
	cmd := &cobra.Command{Use: "version", Short: "Says which authproxy this is", Args: cobra.NoArgs}
	asJSON := cmd.Flags().Bool("json", false, "as JSON")
	cmd.RunE = func(*cobra.Command, []string) error {
		v := thisVersion()
		if *asJSON {
			return json.NewEncoder(std.out).Encode(v)
		}
		_, err := fmt.Fprintf(std.out, "authproxy %s (%s, %s)\n", v.Version, v.Go, v.Platform)
		return err
	}
	return cmd
}

// isTerminal tells whether somebody may press a key at f.
func isTerminal(f any) bool {
	file, ok := f.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
