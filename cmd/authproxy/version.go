package main

import (
	"encoding/json"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// version is set by the linker: -ldflags "-X main.version=1.2.3".
var version string

func versionCommand(std streams) *cobra.Command {
	cmd := &cobra.Command{Use: "version", Short: "Says which authproxy this is", Args: atMost(0), Example: "  authproxy version --json"}
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

// buildVersion says which program this is.
type buildVersion struct {
	Version  string `json:"version"`
	Revision string `json:"revision,omitempty"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

func thisVersion() buildVersion {
	v := buildVersion{Version: version, Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if ok && v.Version == "" {
		v.Version = info.Main.Version
	}
	if v.Version == "" || v.Version == "(devel)" {
		v.Version = "devel"
	}
	if ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				v.Revision = s.Value
			}
		}
	}
	return v
}
