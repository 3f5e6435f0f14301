package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"authproxy/cmd/authproxy/internal/config"
	"authproxy/cmd/authproxy/internal/config/tree"
	"authproxy/cmd/authproxy/internal/server"
	"authproxy/tokencache"
)

func tokenCommand(std streams) *cobra.Command {
	cmd := &cobra.Command{Use: "token -c FILE NAME", Short: "Fetches a token and says what it is", Args: oneToken,
		Example: "  authproxy token -c authproxy.yaml weda\n  TOKEN=$(authproxy token -c authproxy.yaml weda --print)"}
	from := configFlag(cmd, std)
	cmd.PreRunE, cmd.ValidArgsFunction = from.needed, from.tokenNames
	var do tokenFlags
	cmd.Flags().BoolVar(&do.print, "print", false, "write the token itself to standard output, and nothing else")
	cmd.Flags().BoolVar(&do.check, "check", false, "then ask the platform about it")
	cmd.Flags().BoolVar(&do.revoke, "revoke", false, "give that one back at the end; a running proxy keeps its own")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		cfg, err := from.load(cmd.Context())
		if err != nil {
			return err
		}
		t, ok := cfg.Token(args[0])
		if !ok {
			return usageError{noToken(from.name(), args[0], namesOf(cfg.Tokens))}
		}
		return do.run(cmd.Context(), cfg, t, std)
	}
	return cmd
}

func noToken(file, name string, names []string) error {
	meant := ""
	if near := tree.Nearest(name, names); near != "" {
		meant = "; did you mean " + near + "?"
	}
	return fmt.Errorf("%s has no token %q; it has %s%s", file, name, strings.Join(names, ", "), meant)
}

func namesOf(tokens []config.Token) []string {
	names := make([]string, len(tokens))
	for i, t := range tokens {
		names[i] = t.Name
	}
	return names
}

type tokenFlags struct{ print, check, revoke bool }

func (f tokenFlags) run(ctx context.Context, cfg *config.Config, t config.Token, std streams) error {
	if f.check && t.Check == nil || f.revoke && t.Revoke == nil {
		return usageError{fmt.Errorf("the platform of token %q has no request for that: it is not documented, or write it under check or revoke", t.Name)}
	}
	if f.revoke && !cfg.Store.IsZero() {
		return usageError{fmt.Errorf("token %q is shared through the store, and would be taken from the others: leave --revoke out, or revoke it at the platform", t.Name)}
	}
	got, e, err := server.FetchOnce(ctx, cfg, t, thisVersion().Version, nil)
	if err != nil {
		return err
	}
	say := std.out
	if f.print {
		say = std.err
	}
	fmt.Fprintf(say, "%s: %s\n", t.Name, describe(got))
	if got.Unread != "" {
		fmt.Fprintf(say, "%s: warning: %s; default_ttl counts\n", t.Name, got.Unread)
	}
	if got.Adopted {
		fmt.Fprintf(say, "%s: from the store; whoever shares that uses it\n", t.Name)
	}
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

// describe says what is known of a token, but not the token.
func describe(t tokencache.Token) string {
	kind := t.Type
	if kind == "" {
		kind = "not named"
	}
	return fmt.Sprintf("type %s, lifetime %s, expires %s, fingerprint %s",
		kind, t.Expiry.Sub(t.Issued).Round(time.Second), t.Expiry.Local().Format(time.RFC3339), t.Fingerprint())
}
