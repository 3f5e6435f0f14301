package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"authproxy/cmd/authproxy/internal/config"
	"authproxy/cmd/authproxy/internal/server"
)

func checkCommand(std streams) *cobra.Command {
	cmd := &cobra.Command{Use: "check -c FILE", Short: "Reads the configuration and reports its faults", Args: onlyFlags}
	file := configFlag(cmd, true)
	live := cmd.Flags().Bool("live", false, "also fetch each token")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		cfg, err := loadConfig(*file)
		if err != nil {
			return err
		}
		for _, w := range cfg.Warnings {
			fmt.Fprintln(std.out, "warning:", w)
		}
		if err := server.Check(cfg); err != nil {
			return usageError{err}
		}
		fmt.Fprintf(std.out, "%s is right: %d token(s), %d upstream(s)\n", *file, len(cfg.Tokens), len(cfg.Upstreams))
		if *live {
			return checkLive(cmd.Context(), cfg, std)
		}
		return nil
	}
	return cmd
}

// checkLive fetches each token once and says what came of it.
func checkLive(ctx context.Context, cfg *config.Config, std streams) error {
	failed := 0
	for _, t := range cfg.Tokens {
		began := time.Now()
		got, _, err := server.FetchOnce(ctx, t, thisVersion().Version)
		if err != nil {
			failed++
			fmt.Fprintf(std.out, "%s: FAILED after %s: %v\n", t.Name, round(time.Since(began)), err)
			continue
		}
		fmt.Fprintf(std.out, "%s: ok in %s: %s\n", t.Name, round(time.Since(began)), describe(got))
		if got.Unread != "" {
			fmt.Fprintf(std.out, "%s: warning: %s; default_ttl counts\n", t.Name, got.Unread)
		}
		if t.OldToken == config.OldTokenDies {
			fmt.Fprintf(std.out, "%s: note: on this platform the request has killed the token that was used before; a running authproxy recovers by itself\n", t.Name)
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d token(s) cannot be fetched", failed, len(cfg.Tokens))
	}
	return nil
}

func round(d time.Duration) time.Duration { return d.Round(time.Millisecond) }
