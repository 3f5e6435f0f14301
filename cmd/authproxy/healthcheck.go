package main

import (
	"errors"
	"fmt"
	"net"
	"net/url"

	"github.com/spf13/cobra"

	"authproxy/cmd/authproxy/internal/admin"
	"authproxy/internal/httpsyntax"
)

func healthcheckCommand(std streams) *cobra.Command {
	cmd := &cobra.Command{Use: "healthcheck [URL]", Short: "Succeeds when the running proxy is ready", Args: atMost(1),
		Example: "  authproxy healthcheck -c authproxy.yaml\n  authproxy healthcheck http://127.0.0.1:9090/readyz\n  authproxy healthcheck unix:/run/authproxy/admin.sock"}
	from := configFlag(cmd, std)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		ready := "http://127.0.0.1:9090/readyz"
		switch {
		case len(args) == 1 && from.given != "":
			return usageError{fmt.Errorf("give a URL or -c FILE, not both")}
		case len(args) == 1:
			ready = args[0]
		case from.path() != "":
			listen, err := from.adminListen(cmd.Context())
			if err != nil {
				return err
			}
			if ready, err = readyURL(string(listen)); err != nil {
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

// readyURL returns the URL of /readyz, or the address of the unix socket, where an admin listener of this address answers locally.
func readyURL(listen string) (string, error) {
	if listen == "" {
		return "", fmt.Errorf("admin.listen is off: there is nothing to ask; set it, or check the data port instead")
	}
	if httpsyntax.IsUnix(listen) {
		return listen, nil
	}
	if _, ok := httpsyntax.SystemdName(listen); ok {
		return "", fmt.Errorf("admin.listen is a socket of systemd: give its address, as http://HOST:PORT/readyz or unix:PATH")
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
