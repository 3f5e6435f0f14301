package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"authproxy/cmd/authproxy/internal/config"
	"authproxy/tokencache"
	"authproxy/tokencache/endpoint"
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
		if _, err := newApp(cfg, std.err); err != nil {
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
		got, _, err := fetchOnce(ctx, t)
		if err != nil {
			failed++
			fmt.Fprintf(std.out, "%s: FAILED after %s: %v\n", t.Name, round(time.Since(began)), err)
			continue
		}
		fmt.Fprintf(std.out, "%s: ok in %s: %s\n", t.Name, round(time.Since(began)), describe(got))
		if t.OldToken == config.OldTokenDies {
			fmt.Fprintf(std.out, "%s: note: on this platform the request has killed the token that was used before; a running authproxy recovers by itself\n", t.Name)
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d token(s) cannot be fetched", failed, len(cfg.Tokens))
	}
	return nil
}

// fetchOnce fetches a token as the proxy would, with its limits and defaults.
func fetchOnce(ctx context.Context, t config.Token) (tokencache.Token, *endpoint.Endpoint, error) {
	e, err := newEndpoint(t, slog.New(slog.DiscardHandler))
	if err != nil {
		return tokencache.Token{}, nil, err
	}
	cache := tokencache.New(tokencache.Options{Source: e, Timeout: t.Timeout, DefaultTTL: t.DefaultTTL})
	defer cache.Close()
	got, err := cache.Token(ctx)
	if later := new(tokencache.UnavailableError); errors.As(err, &later) {
		err = later.Err // nobody asks again here, so the time of the next try is no news
	}
	return got, e, err
}

// describe says what is known of a token, but not the token.
func describe(t tokencache.Token) string {
	kind := t.Type
	if kind == "" {
		kind = "not named"
	}
	return fmt.Sprintf("type %s, lifetime %s, expires %s, fingerprint %s",
		kind, t.Expiry.Sub(t.Issued).Round(time.Second), t.Expiry.Local().Format(time.RFC3339), t.Fingerprint())
}

func round(d time.Duration) time.Duration { return d.Round(time.Millisecond) }

func tokenCommand(std streams) *cobra.Command {
	cmd := &cobra.Command{Use: "token -c FILE NAME", Short: "Fetches a token and says what it is", Args: cobra.ExactArgs(1)}
	file := configFlag(cmd, true)
	var do tokenFlags
	cmd.Flags().BoolVar(&do.print, "print", false, "write the token itself, and nothing else, to standard output")
	cmd.Flags().BoolVar(&do.check, "check", false, "then ask the platform about it")
	cmd.Flags().BoolVar(&do.revoke, "revoke", false, "give that one back at the end; a running proxy keeps its own")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		cfg, err := loadConfig(*file)
		if err != nil {
			return err
		}
		t, ok := cfg.Token(args[0])
		if !ok {
			return usageError{fmt.Errorf("%s has no token %q; it has %s", *file, args[0], strings.Join(namesOf(cfg.Tokens), ", "))}
		}
		return do.run(cmd.Context(), t, std)
	}
	return cmd
}

func namesOf(tokens []config.Token) []string {
	names := make([]string, len(tokens))
	for i, t := range tokens {
		names[i] = t.Name
	}
	return names
}

type tokenFlags struct{ print, check, revoke bool }

func (f tokenFlags) run(ctx context.Context, t config.Token, std streams) error {
	if f.check && t.Check == nil || f.revoke && t.Revoke == nil {
		return usageError{fmt.Errorf("the platform of token %q has no request for that: it is not documented, or write it under check or revoke", t.Name)}
	}
	got, e, err := fetchOnce(ctx, t)
	if err != nil {
		return err
	}
	say := std.out
	if f.print {
		say = std.err
	}
	fmt.Fprintf(say, "%s: %s\n", t.Name, describe(got))
	if f.print {
		fmt.Fprintln(std.out, got.Value)
	}
	ctx, cancel := context.WithTimeout(ctx, 2*t.Timeout)
	defer cancel()
	if f.check {
		verdict, err := e.Check(ctx, got)
		if err != nil {
			return err
		}
		fmt.Fprintf(say, "%s: the platform says that it is %s\n", t.Name, map[bool]string{true: "good", false: "not good"}[verdict.Good])
	}
	if f.revoke {
		if err := e.Revoke(ctx, got); err != nil {
			return err
		}
		fmt.Fprintf(say, "%s: revoked\n", t.Name)
	}
	return nil
}
