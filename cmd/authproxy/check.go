package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"authproxy/cmd/authproxy/internal/config"
	"authproxy/cmd/authproxy/internal/server"
)

func checkCommand(std streams) *cobra.Command {
	cmd := &cobra.Command{Use: "check -c FILE", Short: "Reads the configuration and reports its faults", Args: onlyFlags,
		Example: "  authproxy check -c authproxy.yaml\n  authproxy check -c authproxy.yaml --live --probe /weda/odata/v1/prod/users"}
	from := configFlag(cmd, std)
	cmd.PreRunE = from.needed
	var do checkFlags
	cmd.Flags().BoolVar(&do.live, "live", false, "also fetch each token and connect to each upstream")
	cmd.Flags().StringVar(&do.probe, "probe", "", "with --live: also send GET `PATH` to each upstream")
	cmd.Flags().BoolVarP(&do.verbose, "verbose", "v", false, "with --live: show what token endpoints are asked and answer, secrets and tokens by name")
	cmd.Flags().BoolVar(&do.strict, "strict", false, "count warnings as faults")
	cmd.Flags().BoolVar(&do.json, "json", false, "write the findings as JSON")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if do.probe != "" && !do.live {
			return usageError{errors.New("--probe sends a request: give --live as well")}
		}
		if do.verbose && !do.live {
			return usageError{errors.New("--verbose shows requests: give --live as well")}
		}
		r := report{File: from.name()}
		err := do.check(cmd.Context(), from, &r)
		if do.json {
			return r.encode(std, err)
		}
		r.print(people(std.out))
		return err
	}
	return cmd
}

type checkFlags struct {
	live, strict, json, verbose bool
	probe                       string
}

// report is what was found out about a configuration.
type report struct {
	File      string         `json:"file"`
	OK        bool           `json:"ok"`
	Error     string         `json:"error,omitempty"` // where that is no fault of the configuration
	Faults    []fault        `json:"faults"`
	Warnings  []string       `json:"warnings"`
	Store     *storeFound    `json:"store,omitempty"` // with --live, where there is one
	Tokens    []tokenFound   `json:"tokens"`          // with --live
	Upstreams []placeFound   `json:"upstreams"`       // with --live
	right     bool           // nothing is wrong with the file
	cfg       *config.Config // nil when something is
}

// fault is a [config.Fault] as JSON.
type fault struct {
	File string `json:"file"`
	Line int    `json:"line"`
	Path string `json:"path"`
	What string `json:"what"`
	Fix  string `json:"fix"`
}

var errStrict = errors.New("with --strict, warnings are faults")

// check fills in r, which is about the configuration in from, and returns what the command ends with.
func (f checkFlags) check(ctx context.Context, from *source, r *report) error {
	cfg, err := from.load(ctx)
	if faults, ok := errors.AsType[config.Faults](err); ok {
		for _, one := range faults {
			r.Faults = append(r.Faults, fault(one))
		}
	}
	if err != nil {
		return err
	}
	r.Warnings = append(r.Warnings, cfg.Warnings...)
	if err := server.Check(cfg); err != nil {
		return usageError{err}
	}
	if f.strict && len(cfg.Warnings) > 0 {
		return usageError{errStrict}
	}
	r.cfg, r.right = cfg, true
	if !f.live {
		return nil
	}
	if w := server.Unused(cfg); w != "" {
		r.Warnings = append(r.Warnings, w)
	}
	return r.try(ctx, f.probe, f.verbose)
}

// print writes the findings for people. The faults are the error of the command.
func (r *report) print(out io.Writer) {
	for _, w := range r.Warnings {
		fmt.Fprintln(out, "warning:", w)
	}
	if r.right {
		fmt.Fprintf(out, "%s is right: %d token(s), %d upstream(s)\n", r.File, len(r.cfg.Tokens), len(r.cfg.Upstreams))
	}
	r.Store.print(out)
	for _, t := range r.Tokens {
		t.print(out)
	}
	for _, u := range r.Upstreams {
		u.print(out)
	}
}

// encode writes the findings as JSON; err is what the command ends with, told in it.
func (r *report) encode(std streams, err error) error {
	r.OK = err == nil
	if err != nil && len(r.Faults) == 0 {
		r.Error = err.Error()
	}
	for _, list := range []*[]string{&r.Warnings} {
		if *list == nil {
			*list = []string{}
		}
	}
	if r.Faults == nil {
		r.Faults = []fault{}
	}
	encoder := json.NewEncoder(std.out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if failed := encoder.Encode(r); failed != nil {
		return failed
	}
	if err != nil {
		return told{err}
	}
	return nil
}

// told is an error that the user has read already; it decides about the exit code.
type told struct{ error }

func (e told) Unwrap() error { return e.error }
